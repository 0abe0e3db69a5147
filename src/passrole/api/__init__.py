"""The door, through which every call goes, and the table of supported operations.

- `Call`, `Door`: validate, authorise, handle, audit; `Told`: what became of a call (door.py)
- `table`: (service, operation) -> handler (table.py)
"""

from passrole.api.door import Call, Door, Interfere, Told

__all__ = ["Call", "Door", "Interfere", "Told"]
