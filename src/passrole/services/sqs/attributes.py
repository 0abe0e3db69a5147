"""A queue's attributes as a table: defaults, ranges, and which type of queue has them.

It knows no rows: `queues.py` and `settings.py` keep what is set here. Ranges and defaults are the API
reference's of SetQueueAttributes. A key of KMS decides who sends and receives (kms_keys.py) and encrypts
nothing; SqsManagedSseEnabled starts as false, because the rows are as readable as their disk.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from passrole.faults import Fault
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.services.sqs import redrive
from passrole.services.sqs.refusals import invalid_attribute, unknown_attribute

MESSAGE_BYTES_MAX = 1_048_576
VISIBILITY_SECONDS_MAX = 43_200
DELAY_SECONDS_MAX = 900
WAIT_SECONDS_MAX = 20
DIGITS_MAX = 10
_BOOLEANS = ("true", "false")
COMPUTED = (
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True)
class QueueAttribute:
    """One settable attribute; `check` gets the name and the value and raises Fault."""

    check: Callable[[str, str], None]
    default: str | None = None
    fifo_only: bool = False


def checked(given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """The given attributes, checked. Raises InvalidAttributeName, InvalidAttributeValue.

    An empty text removes an attribute that has no default, so it is left as it is.
    """
    for name, value in given.items():
        attribute = ATTRIBUTES.get(name)
        if attribute is None or (attribute.fifo_only and not fifo):
            raise unknown_attribute(name)
        if value or attribute.default is not None:
            attribute.check(name, value)
    return {name: plain(value) for name, value in given.items()}


def merged(present: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """The attributes after a change. Raises InvalidAttributeValue for a bad combination."""
    after = {name: value for name, value in {**present, **changes}.items() if value}
    if after.get("FifoThroughputLimit") == "perMessageGroupId" and (
        after.get("DeduplicationScope") != "messageGroup"
    ):
        message = (
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is"
            " messageGroup."
        )
        raise Fault("InvalidAttributeValue", message)
    return after


def complete(present: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """What is set, and the defaults of what is not."""
    return {**(_FIFO_DEFAULTS if fifo else _STANDARD_DEFAULTS), **present}


def known(name: str, *, fifo: bool) -> bool:
    """Whether a queue of this type has an attribute of this name."""
    attribute = ATTRIBUTES.get(name)
    return name in COMPUTED or (attribute is not None and (fifo or not attribute.fifo_only))


def number(present: Mapping[str, str], name: str) -> int:
    """A numeric attribute as it holds for the queue."""
    return int(present.get(name) or _STANDARD_DEFAULTS[name])


def plain(value: str) -> str:
    """Numbers without leading zeros and booleans in small letters: `030` is 30, and `True` is `true`."""
    if value.lower() in _BOOLEANS:
        return value.lower()
    return str(int(value)) if _is_whole(value) else value


def _is_whole(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= DIGITS_MAX


def _whole(low: int, high: int) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        if not (_is_whole(value) and low <= int(value) <= high):
            raise invalid_attribute(name)

    return check


def _one_of(*values: str) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        if plain(value) not in values:
            raise invalid_attribute(name)

    return check


def _policy(name: str, value: str) -> None:
    try:
        parse_document(value, "resource")
    except MalformedPolicyDocument:
        raise invalid_attribute(name) from None


def _redrive_policy(_name: str, value: str) -> None:
    redrive.parse_policy(value)


def _redrive_allow_policy(_name: str, value: str) -> None:
    redrive.check_allow_policy(value)


def _any(_name: str, _value: str) -> None:
    """KMS is asked for the key once it is used, as on AWS."""


ATTRIBUTES: Mapping[str, QueueAttribute] = {
    "ContentBasedDeduplication": QueueAttribute(_one_of(*_BOOLEANS), "false", fifo_only=True),
    "DeduplicationScope": QueueAttribute(_one_of("queue", "messageGroup"), "queue", fifo_only=True),
    "DelaySeconds": QueueAttribute(_whole(0, DELAY_SECONDS_MAX), "0"),
    "FifoQueue": QueueAttribute(_one_of("true"), "true", fifo_only=True),
    "FifoThroughputLimit": QueueAttribute(
        _one_of("perQueue", "perMessageGroupId"), "perQueue", fifo_only=True
    ),
    "KmsDataKeyReusePeriodSeconds": QueueAttribute(_whole(60, 86_400)),
    "KmsMasterKeyId": QueueAttribute(_any),
    "MaximumMessageSize": QueueAttribute(_whole(1_024, MESSAGE_BYTES_MAX), str(MESSAGE_BYTES_MAX)),
    "MessageRetentionPeriod": QueueAttribute(_whole(60, 1_209_600), "345600"),
    "Policy": QueueAttribute(_policy),
    "ReceiveMessageWaitTimeSeconds": QueueAttribute(_whole(0, WAIT_SECONDS_MAX), "0"),
    "RedriveAllowPolicy": QueueAttribute(_redrive_allow_policy),
    "RedrivePolicy": QueueAttribute(_redrive_policy),
    "SqsManagedSseEnabled": QueueAttribute(_one_of(*_BOOLEANS), "false"),
    "VisibilityTimeout": QueueAttribute(_whole(0, VISIBILITY_SECONDS_MAX), "30"),
}

_FIFO_DEFAULTS = {name: a.default for name, a in ATTRIBUTES.items() if a.default is not None}
_STANDARD_DEFAULTS = {name: v for name, v in _FIFO_DEFAULTS.items() if not ATTRIBUTES[name].fifo_only}
