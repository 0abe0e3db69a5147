"""Checks a form upload against its POST policy: expiration, fields, size.

    {"expiration": "2026-12-01T12:00:00Z", "conditions": [{"bucket": "b"}, ["starts-with", "$key", "user/"],
     ["content-length-range", 1, 1048576]]}

It knows no signature. A condition must name every field, so that nobody can add one to a signed form:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from passrole.wire import scalars
from passrole.wire.refusals import ACCESS_DENIED, Unrouted, refused

FREE = frozenset({"awsaccesskeyid", "bucket", "policy", "signature", "x-amz-signature"})
"""Fields that need no condition: those of the signature, and the bucket, which is in the URL."""


class _Condition(NamedTuple):
    operator: str
    name: str
    value: str


class _Policy(NamedTuple):
    expires: float
    conditions: list[_Condition]
    sizes: list[tuple[int, int]]


def check(encoded: str, fields: Mapping[str, str], size: int, now: float) -> None:
    """Return if the form satisfies its policy.

    `fields` are by lower-case name, including the bucket; `size` is the file's, in bytes. Raises Unrouted:
    AccessDenied, EntityTooSmall, EntityTooLarge, InvalidPolicyDocument.
    """
    policy = _read(encoded)
    if now >= policy.expires:
        raise _refused("Policy expired.")
    for condition in policy.conditions:
        if not _holds(condition, fields.get(condition.name)):
            quoted = [condition.operator, f"${condition.name}", condition.value]
            raise _refused(f"Policy Condition failed: {json.dumps(quoted, ensure_ascii=False)}")
    named = {condition.name for condition in policy.conditions}
    extra = [name for name in fields if name not in named | FREE and not name.startswith("x-ignore-")]
    if extra:
        raise _refused(f"Extra input fields: {', '.join(extra)}")
    for low, high in policy.sizes:
        _check_size(size, low, high)


def _holds(condition: _Condition, value: str | None) -> bool:
    if value is None:
        return False
    if condition.operator == "eq":
        return value == condition.value
    # "Content-Types values for a starts-with condition that include commas are interpreted as lists."
    values = value.split(",") if condition.name == "content-type" else [value]
    return all(item.strip().startswith(condition.value) for item in values)


def _check_size(size: int, low: int, high: int) -> None:
    if size < low:
        message = "Your proposed upload is smaller than the minimum allowed size"
        members = {"ProposedSize": size, "MinSizeAllowed": low}
        raise Unrouted("EntityTooSmall", message, "rest-xml", status=400, members=members)
    if size > high:
        message = "Your proposed upload exceeds the maximum allowed size"
        members = {"ProposedSize": size, "MaxSizeAllowed": high}
        raise Unrouted("EntityTooLarge", message, "rest-xml", status=400, members=members)


def _read(encoded: str) -> _Policy:
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict) or not isinstance(document.get("conditions"), list):
        raise _invalid("Policy has no list of conditions.")
    try:
        expires = scalars.read_timestamp(document["expiration"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _invalid("Policy has no expiration date in ISO 8601.") from None
    policy = _Policy(expires, [], [])
    for condition in document["conditions"]:
        _add(policy, condition)
    return policy


def _add(policy: _Policy, condition: Any) -> None:
    match condition:
        case dict():
            for name, value in condition.items():
                policy.conditions.append(_Condition("eq", name.lower(), _text(value)))
        case ["content-length-range", low, high]:
            policy.sizes.append((_number(low), _number(high)))
        case [str(operator), str(name), value] if (
            operator.lower() in ("eq", "starts-with") and name[:1] == "$"
        ):
            policy.conditions.append(_Condition(operator.lower(), name[1:].lower(), _text(value)))
        case _:
            raise _invalid("Invalid Condition.")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _invalid("Invalid value of a Condition.")
    return value


def _number(value: Any) -> int:
    try:
        return scalars.read_integer(str(value), scalars.INTEGER_BOUNDS["long"])
    except ValueError:
        raise _invalid("Invalid content-length-range.") from None


def _refused(message: str) -> Unrouted:
    return refused(ACCESS_DENIED, "rest-xml", f"Invalid according to Policy: {message}")


def _invalid(message: str) -> Unrouted:
    return Unrouted("InvalidPolicyDocument", f"Invalid Policy: {message}", "rest-xml", status=400)
