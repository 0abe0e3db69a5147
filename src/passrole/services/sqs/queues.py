"""CreateQueue, DeleteQueue, GetQueueUrl, ListQueues, ListDeadLetterSourceQueues, PurgeQueue."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.pages import Pages, wanted_rows
from passrole.services.sqs import attributes as table
from passrole.services.sqs import records, redrive, rows
from passrole.services.sqs.records import (
    DELETED_QUEUES,
    QUEUES,
    DeletedQueue,
    Queue,
    named_queue_arn,
    named_queue_policy,
    queue_arn,
    queue_policy,
)
from passrole.services.sqs.refusals import check_range, invalid, invalid_value, no_such_queue
from passrole.services.sqs.settings import check_redrive, pinned
from passrole.services.sqs.tags import TAGS, with_tags
from passrole.services.tags import tagging
from passrole.store import Tx

NAME_REUSE_SECONDS = 60  # from a deletion until the name can be used again
PURGE_INTERVAL_SECONDS = 60
PAGE_MAX = 1_000
PAGES = Pages("NextToken", lambda token: invalid_value(token, "NextToken", "Invalid NextToken value."))

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SUFFIX = ".fifo"


def all_queues(ctx: Context, _parameters: Mapping[str, Any]) -> str:
    """The queues of the account in the region, as AWS's denials name them: by no name."""
    return str(arns.Arn(arns.PARTITION, "sqs", ctx.region, ctx.account, ""))


@operation(
    "sqs:CreateQueue",
    resource=named_queue_arn,
    keys=TAGS.request_keys,
    also=tagging("sqs:TagQueue", named_queue_arn, TAGS.request_keys),
)
async def create_queue(
    ctx: Context,
    *,
    queue_name: str,
    attributes: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Create a queue; an existing one with the same attributes is no error."""
    now = ctx.clock()
    given = _checked(queue_name, attributes or {})
    queue = Queue(ctx.account, ctx.region, queue_name, created=now, modified=now, attributes=given)
    tagged = with_tags(queue, tags or {})
    await ctx.store.write(lambda tx: _create(tx, tagged))
    return {"QueueUrl": records.url(ctx, queue_name)}


@operation("sqs:DeleteQueue", resource=queue_arn, resource_policy=queue_policy)
async def delete_queue(ctx: Context, *, queue_url: str) -> dict[str, Any]:
    """Delete a queue and its messages; its name cannot be used for a minute."""
    key, now = records.key(ctx, queue_url), ctx.clock()

    def delete(tx: Tx) -> None:
        queue = records.existing(tx, key)
        rows.delete_all(tx, key)
        QUEUES.delete(tx, key)
        DELETED_QUEUES.put(tx, key, DeletedQueue(now))
        tx.notify(queue.channel)

    await ctx.store.write(delete)
    return {}


@operation("sqs:GetQueueUrl", resource=named_queue_arn, resource_policy=named_queue_policy)
async def get_queue_url(
    ctx: Context, *, queue_name: str, queue_owner_aws_account_id: str | None = None
) -> dict[str, Any]:
    """The URL of a queue of this account."""
    if queue_owner_aws_account_id not in (None, ctx.account):
        raise no_such_queue()
    await ctx.store.read(lambda tx: records.existing(tx, ctx.key(queue_name)))
    return {"QueueUrl": records.url(ctx, queue_name)}


@operation("sqs:ListQueues", resource=all_queues)
async def list_queues(
    ctx: Context,
    *,
    queue_name_prefix: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """The URLs of all queues, by name; in pages only where MaxResults is given."""
    _check_max_results(max_results)
    begins, after = queue_name_prefix or "", PAGES.after(next_token or None, ctx.key)
    rows_max = (max_results or PAGE_MAX) + 1
    found = await ctx.store.read(
        lambda tx: QUEUES.within(tx, *ctx.location, begins=begins, after=after, limit=rows_max)
    )
    return _page(ctx, "QueueUrls", [queue.name for _, queue in found], max_results)


@operation("sqs:ListDeadLetterSourceQueues", resource=queue_arn, resource_policy=queue_policy)
async def list_dead_letter_source_queues(
    ctx: Context, *, queue_url: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """The URLs of the queues whose RedrivePolicy names this one."""
    key = records.key(ctx, queue_url)

    def sources(tx: Tx) -> list[str]:
        target = records.existing(tx, key).arn
        _check_max_results(max_results)
        found = wanted_rows(
            lambda after, limit: QUEUES.within(tx, *ctx.location, after=after, limit=limit),
            lambda queue: _dead_letter_arn(queue) == target,
            after=PAGES.after(next_token or None, ctx.key),
            limit=(max_results or PAGE_MAX) + 1,
        )
        return [queue.name for queue in found]

    return _page(ctx, "queueUrls", await ctx.store.read(sources), max_results)


@operation("sqs:PurgeQueue", resource=queue_arn, resource_policy=queue_policy)
async def purge_queue(ctx: Context, *, queue_url: str) -> dict[str, Any]:
    """Delete every message and deduplication entry; once a minute at most."""
    key, now = records.key(ctx, queue_url), ctx.clock()

    def purge(tx: Tx) -> None:
        queue = records.existing(tx, key)
        if queue.purged is not None and now < queue.purged + PURGE_INTERVAL_SECONDS:
            message = f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
            raise Fault("PurgeQueueInProgress", message, status=403)
        rows.delete_all(tx, key)
        QUEUES.put(tx, key, dataclasses.replace(queue, purged=now))

    await ctx.store.write(purge)
    return {}


def _checked(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a new queue, checked with its name. Raises InvalidParameterValue and as `checked`."""
    fifo = name.endswith(_SUFFIX)
    if fifo and table.plain(given.get("FifoQueue", "")) == "true":
        if not _NAME.fullmatch(name.removesuffix(_SUFFIX)) or len(name) > 80:
            raise invalid(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores,"
                " must end with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    return table.merged({}, table.checked(given, fifo=fifo))


def _create(tx: Tx, given: Queue) -> None:
    queue = dataclasses.replace(given, attributes=pinned(tx, given.account, given.attributes))
    present = QUEUES.get(tx, queue.key)
    if present is not None:
        _check_same(present, queue.attributes)
        return
    deleted = DELETED_QUEUES.get(tx, queue.key)
    if deleted is not None:
        if queue.created < deleted.deleted + NAME_REUSE_SECONDS:
            message = (
                "You must wait 60 seconds after deleting a queue before you can create another"
                " with the same name."
            )
            raise Fault("QueueDeletedRecently", message)
        DELETED_QUEUES.delete(tx, queue.key)
    check_redrive(tx, queue)
    QUEUES.put(tx, queue.key, queue)


def _check_same(present: Queue, given: Mapping[str, str]) -> None:
    """CreateQueue may name an existing queue if all given attributes are the same. Raises QueueNameExists."""
    holds = table.complete(present.attributes, fifo=present.fifo)
    for name, value in given.items():
        if holds.get(name) != value:
            message = f"A queue already exists with the same name and a different value for attribute {name}"
            raise Fault("QueueNameExists", message)


def _dead_letter_arn(queue: Queue) -> str | None:
    policy = queue.attributes.get("RedrivePolicy")
    return redrive.parse_policy(policy).target if policy else None


def _check_max_results(max_results: int | None) -> None:
    check_range(max_results, "MaxResults", 1, PAGE_MAX, f"Must be between 1 and {PAGE_MAX}, if provided.")


def _page(ctx: Context, member: str, names: Sequence[str], max_results: int | None) -> dict[str, Any]:
    """The URLs of a page of names; a token only where MaxResults was given, as the API says."""
    shown, more = PAGES.page(names, max_results or PAGE_MAX, str)
    answer: dict[str, Any] = {member: [records.url(ctx, name) for name in shown]} if shown else {}
    return answer if max_results is None else {**answer, **more}
