"""Events of state changes: the description of what changed, its times in milliseconds.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from passrole import event_outbox
from passrole.arns import Location
from passrole.store import Tx

_SOURCE = "aws.sagemaker"
_TIMES = ("Time", "Timestamp")

Written = Callable[[float], str | int]


def as_text(seconds: float) -> str:
    """A time as most events have it."""
    return str(as_number(seconds))


def as_number(seconds: float) -> int:
    """A time as the events of model packages have it."""
    return round(seconds * 1000)


def emit(
    tx: Tx,
    place: Location,
    at: float,
    detail_type: str,
    arn: str,
    detail: Mapping[str, Any],
    time: Written = as_text,
) -> None:
    """Store the event of the resource with this ARN; `time` writes the times in its detail."""
    event_outbox.emit(
        tx,
        account=place.account,
        region=place.region,
        at=at,
        source=_SOURCE,
        detail_type=detail_type,
        detail=_with_times(detail, time),
        resources=[arn],
    )


def _with_times(value: Any, time: Written, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {inner: _with_times(each, time, inner) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_times(each, time) for each in value]
    return time(value) if name.endswith(_TIMES) and isinstance(value, float | int) else value
