"""CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey: at most two a user."""

from dataclasses import replace
from typing import Any

from passrole import ids
from passrole.identities import records
from passrole.identities.records import AccessKey
from passrole.services.context import Context
from passrole.services.iam import kinds, refusals
from passrole.services.iam.kinds import USER
from passrole.services.iam.paging import page
from passrole.services.iam.users import named_or_caller, own_resource
from passrole.services.operation import operation
from passrole.store import Tx

KEYS_MAX = 2


@operation("iam:CreateAccessKey", resource=own_resource)
async def create_access_key(ctx: Context, *, user_name: str | None = None) -> dict[str, Any]:
    """Create a key; only this response has its secret."""
    name = named_or_caller(ctx, user_name)
    created = float(int(ctx.clock()))
    key_id, secret = ids.access_key_id(), ids.secret_key()

    def create(tx: Tx) -> AccessKey:
        user = kinds.existing(tx, USER, ctx.account, name)
        if len(records.access_keys(tx, user)) >= KEYS_MAX:
            raise refusals.quota("AccessKeysPerUser", KEYS_MAX)
        key = AccessKey(key_id, ctx.account, name, secret, created, user_id=user.id)
        records.put_access_key(tx, key)
        return key

    key = await ctx.store.write(create)
    return {"AccessKey": {**_shape(key), "SecretAccessKey": key.secret}}


@operation("iam:ListAccessKeys", resource=own_resource)
async def list_access_keys(
    ctx: Context, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """A user's keys without their secrets."""
    name = named_or_caller(ctx, user_name)
    keys = await ctx.store.read(
        lambda tx: records.access_keys(tx, kinds.existing(tx, USER, ctx.account, name))
    )
    return page("AccessKeyMetadata", keys, by=_id, shape=_shape, marker=marker, max_items=max_items)


@operation("iam:UpdateAccessKey", resource=own_resource)
async def update_access_key(
    ctx: Context, *, access_key_id: str, status: str, user_name: str | None = None
) -> dict[str, Any]:
    """Activate or deactivate a key, at once."""
    name = named_or_caller(ctx, user_name)

    def update(tx: Tx) -> None:
        records.put_access_key(tx, replace(_existing(tx, ctx.account, name, access_key_id), status=status))

    await ctx.store.write(update)
    return {}


@operation("iam:DeleteAccessKey", resource=own_resource)
async def delete_access_key(
    ctx: Context, *, access_key_id: str, user_name: str | None = None
) -> dict[str, Any]:
    """Delete a key, at once."""
    name = named_or_caller(ctx, user_name)

    def delete(tx: Tx) -> None:
        records.remove_access_key(tx, _existing(tx, ctx.account, name, access_key_id))

    await ctx.store.write(delete)
    return {}


def _existing(tx: Tx, account: str, name: str, access_key: str) -> AccessKey:
    user = kinds.existing(tx, USER, account, name)
    key = records.ACCESS_KEYS.get(tx, access_key)
    if key is None or (key.account, key.user) != (account, user.name):
        raise refusals.no_such(f"The Access Key with id {access_key} cannot be found.")
    return key


def _id(key: AccessKey) -> str:
    return key.id


def _shape(key: AccessKey) -> dict[str, Any]:
    return {
        "UserName": key.user,
        "AccessKeyId": key.id,
        "Status": key.status,
        "CreateDate": key.created,
    }
