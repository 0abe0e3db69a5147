"""What a message carries beside its body: attributes, sender, digests; kept in its row as JSON."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from passrole.services.sqs.digests import AttributeValue

ALL = frozenset({"All", ".*", "*"})


@dataclass(frozen=True)
class MessageEnvelope:
    """`digest` is the MD5 of the body; `system` holds AWSTraceHeader; `source` is the ARN of the queue from
    which a dead-letter queue got the message.
    """

    sender: str
    digest: str
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    system: Mapping[str, AttributeValue] = field(default_factory=dict)
    group: str | None = None
    deduplication: str | None = None
    source: str | None = None


def pack(envelope: MessageEnvelope) -> bytes:
    """As JSON, without what is absent; binary values as base64."""
    return orjson.dumps({name: value for name, value in vars(envelope).items() if value}, default=_base64)


def unpack(packed: bytes) -> MessageEnvelope:
    """Inverse of `pack`."""
    envelope = MessageEnvelope(**orjson.loads(packed))
    for values in (envelope.attributes, envelope.system):
        for value in values.values():
            if "BinaryValue" in value:
                value["BinaryValue"] = base64.b64decode(value["BinaryValue"])
    return envelope


def selected_attributes(
    attributes: Mapping[str, AttributeValue], names: Sequence[str]
) -> dict[str, AttributeValue]:
    """The requested attributes: by name, by `prefix.*`, or all by `All`, `.*` or `*`."""
    if not ALL.isdisjoint(names):
        return dict(attributes)
    prefixes = tuple(name.removesuffix(".*") for name in names if name.endswith(".*"))
    return {
        name: value
        for name, value in attributes.items()
        if name in names or (prefixes and name.startswith(prefixes))
    }


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)
