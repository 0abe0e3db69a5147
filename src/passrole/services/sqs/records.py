"""Queues as they are stored, and which queue a URL, a name or an ARN means.

It knows no messages. A queue is read in the transaction that acts on it: no cache can be stale.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Account, Name, Region, resource_key
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.sqs import attributes
from passrole.services.sqs.refusals import no_such_queue
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Queue:
    """A queue. `attributes` are those that were set, as text; times are epoch seconds.

    `data_key` was made by KMS for the first message under the key that `data_key_of` names (kms_keys.py).
    """

    account: Account
    region: Region
    name: str
    created: float
    modified: float
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    purged: float | None = None
    data_key: str | None = None
    data_key_of: str | None = None

    @property
    def key(self) -> str:
        """The queue's key in the store; Context.key of its name."""
        return resource_key(self.account, self.region, self.name)

    @property
    def channel(self) -> str:
        """Where notices go when a message may have become receivable."""
        return f"queue/{self.key}"

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return arns.queue(self.region, self.account, self.name)

    @property
    def fifo(self) -> bool:
        """Whether it keeps order: the suffix and the attribute always go together."""
        return self.name.endswith(".fifo")

    def number(self, name: str) -> int:
        """A numeric attribute, set or by default."""
        return attributes.number(self.attributes, name)


@dataclass(frozen=True)
class DeletedQueue:
    """A queue that was deleted, at this time; its name cannot be used again for 60 seconds."""

    deleted: float


_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}(\.fifo)?")

QUEUES = Collection("queue", Queue)
DELETED_QUEUES = Collection("queue-deleted", DeletedQueue)


def queue_arn(ctx: Context, parameters: Mapping[str, Any]) -> str:
    """The ARN of the queue that the call addresses by URL, whether it exists or not."""
    account, name = address(ctx, parameters["queue_url"])
    return arns.queue(ctx.region, account, name)


def named_queue_arn(ctx: Context, parameters: Mapping[str, Any]) -> str:
    """The ARN of the queue that the call names."""
    account = Account(parameters.get("queue_owner_aws_account_id") or ctx.account)
    return arns.queue(ctx.region, account, parameters["queue_name"])


async def queue_policy(ctx: Context, parameters: Mapping[str, Any]) -> str | None:
    """The Policy attribute of the addressed queue, if there is such a queue and it has one."""
    return await _policy(ctx, *address(ctx, parameters["queue_url"]))


async def named_queue_policy(ctx: Context, parameters: Mapping[str, Any]) -> str | None:
    """The Policy attribute of the named queue, if there is such a queue and it has one."""
    account = parameters.get("queue_owner_aws_account_id") or ctx.account
    return await _policy(ctx, account, parameters["queue_name"])


def url(ctx: Context, queue_name: str) -> str:
    """The URL by which answers name the queue; it works with each server of several."""
    return f"{ctx.config.told_url}/{ctx.account}/{queue_name}"


def address(ctx: Context, queue_url: str) -> tuple[Account, Name]:
    """Account and name: the last two segments of a URL, or a name alone. Raises InvalidAddress."""
    if _NAME.fullmatch(queue_url):
        return Account(ctx.account), Name(queue_url)
    try:
        _, account, name = queue_url.rsplit("/", 2)
        return Account(account), Name(name)
    except ValueError:  # of which InvalidPart is one
        message = f"The address {queue_url} is not valid for this endpoint."
        raise Fault("InvalidAddress", message, status=404) from None


def key(ctx: Context, queue_url: str) -> str:
    """The key of the queue behind a URL. Raises QueueDoesNotExist, also for other accounts."""
    account, name = address(ctx, queue_url)
    if account != ctx.account:
        raise no_such_queue()
    return ctx.key(name)


def existing(tx: Tx, queue_key: str) -> Queue:
    """The queue under a key. Raises QueueDoesNotExist."""
    return QUEUES.require(tx, queue_key, no_such_queue)


def by_arn(tx: Tx, arn: str) -> Queue | None:
    """The queue with an ARN, if there is one."""
    parsed = arns.parse(arn)
    queue = parsed and QUEUES.get(tx, parsed.key)
    return queue if queue and queue.arn == arn else None


async def _policy(ctx: Context, account: str, name: str) -> str | None:
    if account != ctx.account:
        return None
    queue = await ctx.store.read(lambda tx: QUEUES.get(tx, ctx.key(name)))
    return queue.attributes.get("Policy") if queue else None
