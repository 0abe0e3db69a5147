"""Results of asynchronous invocations, as invocation records and dead letters describe them. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from passrole import iso8601
from passrole.faults import Fault
from passrole.services.lambda_.records import Function

RECORD_VERSION = "1.0"


@dataclass(frozen=True)
class Attempt:
    """One run of a function. `error` is None where it succeeded; `status` is what Invoke would answer."""

    function: Function
    payload: bytes
    error: str | None
    status: int = 200


def refused(function: Function, fault: Fault) -> Attempt:
    """An attempt that did not come to a run."""
    body = orjson.dumps({"errorMessage": fault.message, "errorType": fault.code})
    return Attempt(function, body, fault.code, fault.status or (400 if fault.sender else 500))


def condition(attempt: Attempt, exhausted: bool) -> str:
    """How it ended, in the record's words."""
    if not attempt.error:
        return "Success"
    return "RetriesExhausted" if exhausted else "EventAgeExceeded"


def record(
    attempt: Attempt,
    function_arn: str,
    *,
    condition: str,
    request_id: str,
    event: str,
    count: int,
    now: float,
) -> dict[str, Any]:
    """The record that a destination gets; `function_arn` is qualified, `now` is epoch seconds."""
    response: dict[str, Any] = {"statusCode": attempt.status, "executedVersion": attempt.function.version}
    if attempt.error:
        response["functionError"] = attempt.error
    return {
        "version": RECORD_VERSION,
        "timestamp": iso8601.milliseconds(now),
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": count,
        },
        "requestPayload": _read(event),
        "responseContext": response,
        "responsePayload": _read(attempt.payload),
    }


def attributes(request_id: str, attempt: Attempt) -> Mapping[str, tuple[str, str]]:
    """The message attributes of a dead letter: type and value of each."""
    failure = _read(attempt.payload)
    body = failure.get("errorMessage") if isinstance(failure, dict) else failure
    return {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", str(attempt.status)),
        "ErrorMessage": ("String", "" if body is None else str(body)),
    }


def _read(text: str | bytes) -> Any:
    try:
        return orjson.loads(text or b"null")
    except orjson.JSONDecodeError:
        return text.decode(errors="replace") if isinstance(text, bytes) else text
