"""TagQueue, UntagQueue, ListQueueTags."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from passrole.policy.request import Values
from passrole.policy.tags import is_reserved
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import records
from passrole.services.sqs.records import QUEUES, queue_arn, queue_policy
from passrole.services.sqs.refusals import invalid, missing
from passrole.store import Tx

TAGS_MAX = 50
KEY_LENGTH_MAX = 128
VALUE_LENGTH_MAX = 256


def request_tags(_ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition keys of a call that brings tags."""
    tags: Mapping[str, str] = parameters.get("tags") or {}
    if not tags:
        return {}
    return {"aws:TagKeys": tuple(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}


def tag_keys_of(_ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition key of a call that takes tags away."""
    return {"aws:TagKeys": tuple(parameters.get("tag_keys") or ())}


@operation("sqs:TagQueue", resource=queue_arn, resource_policy=queue_policy, keys=request_tags)
async def tag_queue(ctx: Context, *, queue_url: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    if not tags:
        raise missing("Tags")
    await _change(ctx, queue_url, lambda present: {**present, **tags})
    return {}


@operation("sqs:UntagQueue", resource=queue_arn, resource_policy=queue_policy, keys=tag_keys_of)
async def untag_queue(ctx: Context, *, queue_url: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; keys that are not there do no harm."""
    if not tag_keys:
        raise missing("TagKeys")
    await _change(
        ctx, queue_url, lambda present: {key: present[key] for key in present if key not in tag_keys}
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


def check_tags(queue_name: str, tags: Mapping[str, str]) -> None:
    """Refuse tags beyond AWS's limits. Raises Fault."""
    if len(tags) > TAGS_MAX:
        raise invalid(f"Too many tags added for queue {queue_name}.")
    if is_reserved(tags):
        raise invalid("Tag keys cannot start with aws:, which is reserved.")
    for key, value in tags.items():
        if not 1 <= len(key) <= KEY_LENGTH_MAX:
            raise invalid(f"Tag keys must be between 1 and {KEY_LENGTH_MAX} characters in length.")
        if len(value) > VALUE_LENGTH_MAX:
            raise invalid(f"Tag values must be between 0 and {VALUE_LENGTH_MAX} characters in length.")


async def _change(
    ctx: Context, queue_url: str, change: Callable[[Mapping[str, str]], dict[str, str]]
) -> None:
    key = records.key(ctx, queue_url)

    def write(tx: Tx) -> None:
        queue = records.existing(tx, key)
        tags = change(queue.tags)
        check_tags(queue.name, tags)
        QUEUES.put(tx, key, dataclasses.replace(queue, tags=tags))

    await ctx.store.write(write)
