"""JSON and YAML that people give: plain values, and where each of them stands in the text.

It knows no policy and no pipeline. A file that
cannot be read is Misuse; a text that is too large, too deep or not what it says is UnreadableDocument.
"""

from passrole.cli.documents.document import (
    Document,
    UnreadableDocument,
    read_document,
    read_limited,
)
from passrole.cli.documents.places import Path, Place, shown

__all__ = ["Document", "Path", "Place", "UnreadableDocument", "read_document", "read_limited", "shown"]
