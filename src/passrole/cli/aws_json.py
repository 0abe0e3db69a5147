"""What AWS's operations answer, as JSON for programs: AWS's names, times in ISO 8601, UTC."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def dumps(answer: Mapping[str, Any]) -> str:
    """One object, indented."""
    return json.dumps(shown(answer), indent=2, default=_as_text)


def line(answer: Mapping[str, Any]) -> str:
    """One object in one line."""
    return json.dumps(shown(answer), default=_as_text)


def shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is about the call."""
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "NextToken")}


def _as_text(value: object) -> str:
    return (
        value.astimezone(UTC).isoformat(timespec="milliseconds")
        if isinstance(value, datetime)
        else str(value)
    )
