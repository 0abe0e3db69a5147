"""RedrivePolicy and RedriveAllowPolicy: where messages go that nobody could handle, and who may send them.

It knows the two documents and not whether the queues that they name exist.
"""

from dataclasses import dataclass

import orjson

from passrole import arns
from passrole.services.sqs.refusals import invalid_value

RECEIVES_DEFAULT = 10  # the API reference: "maxReceiveCount - Default: 10"
RECEIVES_MAX = 1_000
SOURCES_MAX = 10


@dataclass(frozen=True)
class RedrivePolicy:
    """`target` is the dead-letter queue's ARN; a message is moved there instead of received once more."""

    target: str
    receives_max: int


def parse_policy(text: str) -> RedrivePolicy:
    """The policy in `text` (JSON). Raises InvalidParameterValue."""
    document = _object(text, "RedrivePolicy", "Redrive policy is not a valid JSON map.")
    if "deadLetterTargetArn" not in document:
        reason = "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
        raise invalid_value(text, "RedrivePolicy", reason)
    target = arns.parse(str(document["deadLetterTargetArn"]))
    if target is None or target.service != "sqs":
        raise invalid_value(text, "RedrivePolicy", "Invalid value for deadLetterTargetArn.")
    count = str(document.get("maxReceiveCount", RECEIVES_DEFAULT))
    if not (count.isascii() and count.isdecimal() and len(count) < 10 and 1 <= int(count) <= RECEIVES_MAX):
        reason = (
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
        )
        raise invalid_value(text, "RedrivePolicy", reason)
    return RedrivePolicy(str(target), int(count))


def check_allow_policy(text: str) -> None:
    """Check a RedriveAllowPolicy. Raises InvalidParameterValue."""
    document = _object(text, "RedriveAllowPolicy", "Redrive allow policy is not a valid JSON map.")
    permission, sources = document.get("redrivePermission"), document.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise invalid_value(text, "RedriveAllowPolicy", "Invalid value for redrivePermission.")
    if (permission == "byQueue") != bool(sources):
        reason = "sourceQueueArns is for redrivePermission byQueue, which needs it."
        raise invalid_value(text, "RedriveAllowPolicy", reason)
    if sources and not (isinstance(sources, list) and len(sources) <= SOURCES_MAX):
        raise invalid_value(text, "RedriveAllowPolicy", "sourceQueueArns takes up to 10 ARNs.")


def allows(allow_policy: str | None, source: str) -> bool:
    """Whether a queue with this RedriveAllowPolicy takes dead letters of the queue with ARN `source`."""
    if not allow_policy:
        return True
    document = orjson.loads(allow_policy)
    if document["redrivePermission"] == "byQueue":
        return source in document["sourceQueueArns"]
    return bool(document["redrivePermission"] == "allowAll")


def _object(text: str, parameter: str, reason: str) -> dict[str, object]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise invalid_value(text, parameter, reason)
    return document
