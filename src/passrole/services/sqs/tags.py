"""TagQueue, UntagQueue, ListQueueTags."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import records
from passrole.services.sqs.records import QUEUES, Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import invalid, missing
from passrole.services.tags import TagRules, Tags, removed_keys

KEY_LENGTH_MAX = 128
VALUE_LENGTH_MAX = 256
TAGS = TagRules(
    reserved=lambda _: invalid("Tag keys cannot start with aws:, which is reserved."),
    too_many=lambda queue, _: invalid(f"Too many tags added for queue {queue}."),
)


@operation("sqs:TagQueue", resource=queue_arn, resource_policy=queue_policy, keys=TAGS.request_keys)
async def tag_queue(ctx: Context, *, queue_url: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    if not tags:
        raise missing("Tags")
    await _change(ctx, queue_url, lambda queue: with_tags(queue, tags))
    return {}


@operation("sqs:UntagQueue", resource=queue_arn, resource_policy=queue_policy, keys=removed_keys)
async def untag_queue(ctx: Context, *, queue_url: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; unknown keys are ignored."""
    if not tag_keys:
        raise missing("TagKeys")
    await _change(
        ctx, queue_url, lambda queue: dataclasses.replace(queue, tags=TAGS.removed(queue.tags, tag_keys))
    )
    return {}


@operation("sqs:ListQueueTags", resource=queue_arn, resource_policy=queue_policy)
async def list_queue_tags(ctx: Context, *, queue_url: str) -> dict[str, Any]:
    """All tags of a queue."""
    key = records.key(ctx, queue_url)
    queue = await ctx.store.read(lambda tx: records.existing(tx, key))
    return {"Tags": queue.tags} if queue.tags else {}


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the queue with an ARN, none where there is no such queue: `aws:ResourceTag`."""
    queue = await ctx.store.read(lambda tx: records.by_arn(tx, arn))
    return queue.tags if queue else {}


def with_tags(queue: Queue, tags: Tags) -> Queue:
    """The queue with these tags in place of those with the same keys. Raises InvalidParameterValue."""
    after = TAGS.added(queue.tags, tags, queue.name)
    for key, value in tags.items():
        if not 1 <= len(key) <= KEY_LENGTH_MAX:
            raise invalid(f"Tag keys must be between 1 and {KEY_LENGTH_MAX} characters in length.")
        if len(value) > VALUE_LENGTH_MAX:
            raise invalid(f"Tag values must be between 0 and {VALUE_LENGTH_MAX} characters in length.")
    return dataclasses.replace(queue, tags=after)


async def _change(ctx: Context, queue_url: str, change: Callable[[Queue], Queue]) -> None:
    key = records.key(ctx, queue_url)
    await ctx.store.write(lambda tx: QUEUES.put(tx, key, change(records.existing(tx, key))))
