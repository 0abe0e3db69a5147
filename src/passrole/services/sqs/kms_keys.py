"""The KMS key of a queue: whoever sends to it or receives from it must be allowed to use the key.

As SQS does it, a sender asks KMS for a data key and decrypts it to see that it is whole; a receiver decrypts
it. All calls are made as the caller, with `kms:ViaService` and the queue's ARN as encryption context. The
data key encrypts nothing, and none is reused: a permission that is taken away ends at once.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.sqs import records
from passrole.services.sqs.records import QUEUES, Queue
from passrole.store import Tx

T = TypeVar("T")
KEY = "KmsMasterKeyId"
_CONTEXT = "aws:sqs:arn"


async def sending(ctx: Context, queue_key: str, send: Callable[[Tx, Queue], T]) -> T:
    """Send to a queue in one transaction, as someone who may use its key; a queue without one costs nothing.

    Raises KmsAccessDenied, KmsDisabled, KmsInvalidState, KmsNotFound, QueueDoesNotExist.
    """
    made: _DataKey | None = None
    while True:
        try:
            return await ctx.store.write(partial(_sent, queue_key, made, send))
        except _Sealed as sealed:  # or given another key in the meantime
            made = await _data_key(ctx, sealed.queue)


async def check_receive(ctx: Context, queue: Queue) -> None:
    """Refuse who may not decrypt what was sent since the queue has its key. Raises as `sending`."""
    if queue.attributes.get(KEY) and queue.data_key:
        blob = base64.b64decode(queue.data_key)
        await _kms(ctx, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": {_CONTEXT: queue.arn}})


class _DataKey(NamedTuple):
    of: str
    blob: str


class _Sealed(Exception):
    def __init__(self, queue: Queue) -> None:
        super().__init__(queue.arn)
        self.queue = queue


def _sent(queue_key: str, made: _DataKey | None, send: Callable[[Tx, Queue], T], tx: Tx) -> T:
    return send(tx, _opened(tx, queue_key, made))


def _opened(tx: Tx, queue_key: str, made: _DataKey | None) -> Queue:
    queue = records.existing(tx, queue_key)
    wanted = queue.attributes.get(KEY)
    if not wanted:
        return queue
    if made is None or made.of != wanted:
        raise _Sealed(queue)
    if queue.data_key_of != wanted:
        queue = replace(queue, data_key=made.blob, data_key_of=wanted)
        QUEUES.put(tx, queue_key, queue)
    return queue


async def _data_key(ctx: Context, queue: Queue) -> _DataKey:
    key, context = queue.attributes[KEY], {_CONTEXT: queue.arn}
    asked = {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context}
    blob = (await _kms(ctx, "GenerateDataKey", asked))["CiphertextBlob"]
    await _kms(ctx, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": context})
    return _DataKey(key, base64.b64encode(blob).decode())


async def _kms(ctx: Context, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return await ctx.call("kms", operation, parameters)
    except Fault as fault:
        if fault.code not in _CODES:
            raise
        raise Fault(_CODES[fault.code], fault.message) from None


_CODES: Mapping[str, str] = {
    "AccessDeniedException": "KmsAccessDenied",
    "DisabledException": "KmsDisabled",
    "InvalidKeyUsageException": "KmsInvalidKeyUsage",
    "KMSInvalidStateException": "KmsInvalidState",
    "NotFoundException": "KmsNotFound",
}
