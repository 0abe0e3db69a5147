"""Members of an answer or an event: one that has no value does not appear."""

from typing import Any


def without_none(**members: Any) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
