"""The types of steps: a file and a row of the table for each.

A new type needs its file here (a dataclass, its reader, its row) and a row in the table of each floor above;
nothing else here changes.
"""

from passrole.definition.kinds.kind import Kind
from passrole.definition.kinds.table import (
    KINDS,
    KNOWN_BUT_UNSUPPORTED,
    UNSUPPORTED,
    expressions_in,
    is_offered,
    kind_of,
    read_steps,
    with_its_body,
)

__all__ = [
    "KINDS",
    "KNOWN_BUT_UNSUPPORTED",
    "UNSUPPORTED",
    "Kind",
    "expressions_in",
    "is_offered",
    "kind_of",
    "read_steps",
    "with_its_body",
]
