"""The audit trail of a data folder: who called what, whether it was allowed, and by which statement.

- `Entry`, `Check`: one call, and one permission that it needed (entry.py)
- `Audit`: appends entries to `audit.jsonl`; `Unrecorded`: in its place where nothing runs (writer.py)
- `Wanted`: which calls somebody looks for (wanted.py)
- `entries`, `Look`, `NoTrail`, `Unreadable`: reads them back, without a server (reader.py)
- where several servers share a database, the lines of all are rows: copied by shipping.py, kept by rows.py

Knows no door, no service and no terminal: the server writes the trail, any program may read it.
"""

from passrole.audit.entry import Check, Entry
from passrole.audit.reader import Look, NoTrail, Unreadable, entries
from passrole.audit.wanted import Wanted
from passrole.audit.writer import Audit, Unrecorded

__all__ = ["Audit", "Check", "Entry", "Look", "NoTrail", "Unreadable", "Unrecorded", "Wanted", "entries"]
