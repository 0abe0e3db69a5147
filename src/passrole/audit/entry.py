"""One call in the audit trail, and its JSON line in the file.

It holds no parameter values but the service that a role is passed to: nothing secret can come in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from passrole.log_format import escaped_json
from passrole.policy.evaluate import Layer, Verdict


class NotAnEntry(Exception):
    """The JSON is not an entry of the trail."""


@dataclass(frozen=True)
class Check:
    """One permission that the call needed, and the decision on it.

    `verdicts` is what each layer that was asked said, of denials alone; `passed_to` is the service that a
    role is handed to.
    """

    action: str
    resource: str
    allowed: bool
    layer: Layer | None
    policy: str | None
    statement: int | None
    near_misses: tuple[str, ...] = ()
    verdicts: Mapping[Layer, Verdict] | None = None
    passed_to: str | None = None


@dataclass(frozen=True)
class Entry:
    """One call. `code` is None where it succeeded, `time` in epoch seconds."""

    time: float
    request_id: str
    principal: str
    service: str
    operation: str
    region: str
    checks: tuple[Check, ...]
    code: str | None
    message: str | None
    duration_ms: float


def encode(entry: Entry) -> bytes:
    """The line of an entry, with its newline; members without a value are left out."""
    members = _present(entry) | {"checks": [_present(check) for check in entry.checks]}
    return escaped_json(orjson.dumps(members) + b"\n")


def decode(line: bytes) -> Entry:
    """The entry of a line; missing text members are empty.

    Raises ValueError where the line is no JSON, NotAnEntry where it is no entry.
    """
    members = orjson.loads(line)
    try:
        return Entry(
            time=members.get("time", 0.0),
            request_id=members.get("request_id", ""),
            principal=members.get("principal", ""),
            service=members.get("service", ""),
            operation=members.get("operation", ""),
            region=members.get("region", ""),
            checks=tuple(_check(each) for each in members.get("checks", ())),
            code=members.get("code"),
            message=members.get("message"),
            duration_ms=members.get("duration_ms", 0.0),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise NotAnEntry from error


def told(line: bytes, otherwise: float = 0.0) -> tuple[float, str]:
    """When a line was written and its request id; another moment and no id where it cannot be understood."""
    try:
        members = orjson.loads(line)
        return float(members["time"]), str(members["request_id"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return otherwise, ""


def _present(record: Entry | Check) -> dict[str, Any]:
    """The fields that have a value. Not `asdict`: its deep copy takes a tenth of a small call's time."""
    return {name: value for name, value in vars(record).items() if value is not None and value != ()}


def _check(members: Mapping[str, Any]) -> Check:
    return Check(
        action=members["action"],
        resource=members["resource"],
        allowed=members["allowed"],
        layer=members.get("layer"),
        policy=members.get("policy"),
        statement=members.get("statement"),
        near_misses=tuple(members.get("near_misses", ())),
        verdicts=members.get("verdicts"),
        passed_to=members.get("passed_to"),
    )
