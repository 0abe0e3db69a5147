"""The door that every call passes, from outside or inside, and the list of what is supported.

- `Call`, `Door`: validate, authorise, handle, audit (door.py)
- `table`: (service, operation) -> handler (table.py)
"""

from passrole.api.door import Call, Door

__all__ = ["Call", "Door"]
