"""The door that every call passes, from outside or inside, and the list of what is supported.

- `Call`, `Door`: validate, authorise, handle, audit (door.py)
- `table`: (service, operation) -> handler (table.py)
- `Audit`: who did what, whether it was allowed, and by which statement (audit.py)
"""

from passrole.api.audit import Audit
from passrole.api.door import Call, Door

__all__ = ["Audit", "Call", "Door"]
