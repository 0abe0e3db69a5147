"""Policy documents of one statement."""

from typing import Any


def allowing(*actions: str, resource: str = "*", **members: Any) -> dict[str, Any]:
    """The actions on the resource; `members` such as Sid and Condition stand in the statement too."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **members}
    return {"Version": "2012-10-17", "Statement": [statement]}
