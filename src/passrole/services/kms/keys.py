"""CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey, UpdateKeyDescription, ScheduleKeyDeletion,
CancelKeyDeletion.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.kms import key_policies, records, refusals
from passrole.services.kms.authorisation import SYMMETRIC_KEYS, caller_keys, key_arn, key_keys, named_key_keys
from passrole.services.kms.authorisation import key_policies as its_policies
from passrole.services.kms.paging import LIMIT_DEFAULT, PAGES, paged
from passrole.services.kms.records import DISABLED, ENABLED, PENDING_DELETION, Key
from passrole.services.kms.tags import TAGS, from_wire
from passrole.services.operation import Parameters, anything, operation
from passrole.services.tags import tagging
from passrole.store import Tx

WINDOW_DAYS_DEFAULT = 30
WINDOW_DAYS_MIN, WINDOW_DAYS_MAX = 7, 30


def _creation_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**_tag_keys(ctx, parameters), **SYMMETRIC_KEYS, **key_policies.safety_keys(parameters)}


def _window_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    days = parameters.get("pending_window_in_days") or WINDOW_DAYS_DEFAULT
    return {"kms:ScheduleKeyDeletionPendingWindowInDays": str(days)}


async def _deletion_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await key_keys(ctx, parameters), **_window_keys(ctx, parameters)}


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    tags = TAGS.checked_request_keys(ctx, {"tags": from_wire(parameters.get("tags"))})
    return {**caller_keys(ctx, parameters), **tags}


@operation("kms:CreateKey", keys=_creation_keys, also=tagging("kms:TagResource", anything, _tag_keys))
async def create_key(
    ctx: Context,
    *,
    policy: str | None = None,
    description: str = "",
    key_usage: str = "ENCRYPT_DECRYPT",
    key_spec: str | None = None,
    customer_master_key_spec: str | None = None,
    origin: str = "AWS_KMS",
    bypass_policy_lockout_safety_check: bool = False,
    tags: Sequence[Mapping[str, str]] = (),
    multi_region: bool = False,
) -> dict[str, Any]:
    """Make a symmetric key; others are refused."""
    spec = key_spec or customer_master_key_spec or "SYMMETRIC_DEFAULT"
    if (spec, key_usage) != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
        raise refusals.unsupported(f"keys of {spec} for {key_usage}: it has symmetric keys that encrypt")
    if origin != "AWS_KMS" or multi_region:
        raise refusals.unsupported("keys of several regions, or with imported or external material")
    document = policy or key_policies.default_policy(ctx)
    key = Key(
        ctx.account,
        ctx.region,
        str(uuid.uuid4()),
        ctx.clock(),
        document,
        description,
        tags=TAGS.read(from_wire(tags)),
    )
    key_policies.check(ctx, key.arn, document, safely=not bypass_policy_lockout_safety_check)

    def write(tx: Tx) -> None:
        records.delete_gone(tx, ctx)
        records.add(tx, key)
        records.changed(tx, key, policy=key_policies.pinned(tx, ctx, document))

    await ctx.store.write(write)
    return {"KeyMetadata": records.metadata(key)}


@operation(
    "kms:DescribeKey",
    resource=key_arn,
    keys=named_key_keys,
    resource_policy=its_policies,
    ignores=("grant_tokens",),
)
async def describe_key(ctx: Context, *, key_id: str) -> dict[str, Any]:
    """A key without its material."""
    return {"KeyMetadata": records.metadata(await records.required(ctx, key_id))}


@operation("kms:ListKeys", keys=caller_keys, ignores=("resource_owners",))
async def list_keys(ctx: Context, *, limit: int = LIMIT_DEFAULT, marker: str | None = None) -> dict[str, Any]:
    """The keys of the region, AWS's own among them."""
    every = await ctx.store.read(lambda tx: records.every(tx, ctx))
    rows = PAGES.beyond(every, marker, lambda key: key.id)
    return paged("Keys", rows, limit, lambda key: key.id, lambda key: {"KeyId": key.id, "KeyArn": key.arn})


@operation("kms:EnableKey", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def enable_key(ctx: Context, *, key_id: str) -> None:
    """Let a key encrypt again."""
    await _switch(ctx, key_id, ENABLED)


@operation("kms:DisableKey", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def disable_key(ctx: Context, *, key_id: str) -> None:
    """Let a key neither encrypt nor decrypt."""
    await _switch(ctx, key_id, DISABLED)


@operation("kms:UpdateKeyDescription", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def update_key_description(ctx: Context, *, key_id: str, description: str) -> None:
    """Describe a key anew."""
    arn = (await records.required(ctx, key_id)).arn
    await ctx.store.write(
        lambda tx: records.changed(tx, _not_pending(records.required_key(tx, arn)), description=description)
    )


@operation("kms:ScheduleKeyDeletion", resource=key_arn, keys=_deletion_keys, resource_policy=its_policies)
async def schedule_key_deletion(
    ctx: Context, *, key_id: str, pending_window_in_days: int = WINDOW_DAYS_DEFAULT
) -> dict[str, Any]:
    """Delete a key in 7 to 30 days; until then it encrypts nothing."""
    if not WINDOW_DAYS_MIN <= pending_window_in_days <= WINDOW_DAYS_MAX:
        raise refusals.invalid("PendingWindowInDays must be between 7 and 30 days")
    arn = (await records.required(ctx, key_id)).arn
    deleted = records.days(ctx.clock(), pending_window_in_days)
    await ctx.store.write(
        lambda tx: records.changed(
            tx, _not_pending(records.required_key(tx, arn)), state=PENDING_DELETION, deleted=deleted
        )
    )
    return {
        "KeyId": arn,
        "DeletionDate": deleted,
        "KeyState": PENDING_DELETION,
        "PendingWindowInDays": pending_window_in_days,
    }


@operation("kms:CancelKeyDeletion", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def cancel_key_deletion(ctx: Context, *, key_id: str) -> dict[str, Any]:
    """Keep a key, which is disabled then."""
    arn = (await records.required(ctx, key_id)).arn

    def write(tx: Tx) -> None:
        key = records.required_key(tx, arn)
        if key.state != PENDING_DELETION:
            raise refusals.not_pending(arn)
        records.changed(tx, key, state=DISABLED, deleted=None)

    await ctx.store.write(write)
    return {"KeyId": arn}


async def _switch(ctx: Context, key_id: str, state: str) -> None:
    arn = (await records.required(ctx, key_id)).arn
    await ctx.store.write(
        lambda tx: records.changed(tx, _not_pending(records.required_key(tx, arn)), state=state)
    )


def _not_pending(key: Key) -> Key:
    if key.state == PENDING_DELETION:
        raise refusals.pending_deletion(key.arn)
    return key
