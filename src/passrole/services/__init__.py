"""AWS's services, a file or folder each; a handler is named as the API operation, in snake case.

The services do not import each other: they speak through `ctx.call`, which is the door again.

- `Context`: what a handler is given beside its parameters (context.py)
- `operation`: declares a handler together with the permission that it needs (operation.py)
"""

from passrole.services.context import Context
from passrole.services.operation import Operation, PassRole, Permission, operation

__all__ = ["Context", "Operation", "PassRole", "Permission", "operation"]
