"""Receipt handles: opaque to clients, and good for one receive of one message of one queue.

A handle carries where the message is (its seq), which message it must be (its id), which receive it
stands for (the count) and when that was, so that a row needs no column for it. A handle is no
secret: what may be done with it is IAM's to say.
"""

import base64
import binascii
import hashlib
import struct
from typing import NamedTuple

from passrole.services.sqs import rows
from passrole.services.sqs.records import Queue
from passrole.services.sqs.refusals import invalid_handle
from passrole.services.sqs.rows import Message
from passrole.store import Tx

_LAYOUT = struct.Struct(">8s16sQId")


class Receipt(NamedTuple):
    """One receive: `receive` is the message's receive count by then, `at` its time in epoch seconds."""

    seq: int
    id: str
    receive: int
    at: float


def encode(queue: str, receipt: Receipt) -> str:
    """The handle for a receive from the queue with this key."""
    id_ = bytes.fromhex(receipt.id.replace("-", ""))
    packed = _LAYOUT.pack(_mark(queue), id_, receipt.seq, receipt.receive, receipt.at)
    return base64.urlsafe_b64encode(packed).decode()


def decode(queue: str, handle: str) -> Receipt | None:
    """The receive behind a handle, or None where it is no handle of this queue."""
    try:
        mark, raw_id, seq, count, at = _LAYOUT.unpack(base64.urlsafe_b64decode(handle.encode("ascii")))
    except (UnicodeEncodeError, binascii.Error, struct.error):
        return None
    if mark != _mark(queue):
        return None
    digits = raw_id.hex()
    id_ = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return Receipt(seq, id_, count, at)


def require(queue: Queue, handle: str) -> Receipt:
    """The receive behind a handle. Raises ReceiptHandleIsInvalid."""
    receipt = decode(queue.key, handle)
    if receipt is None:
        raise invalid_handle(handle)
    return receipt


def message(tx: Tx, queue: Queue, receipt: Receipt, now: float) -> Message | None:
    """The message of a receipt, unless it is gone or its retention period is over."""
    found = rows.find(tx, queue.key, receipt.seq, receipt.id)
    if found is None or found.sent + queue.number("MessageRetentionPeriod") <= now:
        return None
    return found


def _mark(queue: str) -> bytes:
    return hashlib.blake2b(queue.encode(), digest_size=8).digest()
