"""Which lines of a function's log are an invocation's, and when they may have come. Pure.

A worker runs one invocation at a time: from the START line with its request id on, every line of the same
stream is its, up to the next START line.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from collections.abc import Container

EARLY_MS = 5_000
"""How long before its step a function may have begun, by the clock of the server that ran it."""

LATE_MS = 5_000
"""How long after a step's end its last lines may come: they bear the time at which they are brought."""

_START = "START RequestId: "


def start_line(request_id: str, version: str) -> str:
    """The first line of an invocation."""
    return f"{_START}{request_id} Version: {version}"


def is_start(line: str) -> bool:
    """Whether an invocation begins with this line."""
    return line.startswith(_START)


def is_of(line: str, request_ids: Container[str], before: bool) -> bool:
    """Whether a line is of these invocations; `before` says it of the line before it in its stream."""
    return line.removeprefix(_START).partition(" ")[0] in request_ids if is_start(line) else before
