"""CreateUser, GetUser, ListUsers, DeleteUser."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole import arns, ids
from passrole.identities import records
from passrole.identities.records import User
from passrole.services.context import Context
from passrole.services.iam import kinds, refusals, shapes
from passrole.services.iam.creation import creation_keys, require_boundary, tagging
from passrole.services.iam.kinds import USER, new_resource, resource
from passrole.services.iam.paging import page
from passrole.services.iam.tags import TAGS
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

_NEW = new_resource(USER, "user_name")


def named_or_caller(ctx: Context, user_name: str | None) -> str:
    """The user of a call that may leave the name out to mean its caller. Raises ValidationError."""
    if user_name is not None:
        return user_name
    if ctx.principal.kind != "user":
        raise refusals.invalid("Must specify userName when calling with non-User credentials")
    return ctx.principal.name


async def own_resource(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the named user, else of the caller."""
    if parameters.get("user_name") is None:
        is_user = ctx.principal.kind == "user"
        return ctx.principal.arn if is_user else arns.iam(ctx.account, "user", "/", "*")
    arn: str = await resource(USER, "user_name")(ctx, parameters)
    return arn


@operation("iam:CreateUser", resource=_NEW, keys=creation_keys, also=tagging("iam:TagUser", _NEW))
async def create_user(
    ctx: Context,
    *,
    user_name: str,
    path: str = "/",
    permissions_boundary: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """A user without keys or policies."""
    user = User(
        account=ctx.account,
        name=user_name,
        path=path,
        id=ids.unique_id("AIDA"),
        created=float(int(ctx.clock())),
        tags=TAGS.read(tags),
        boundary=permissions_boundary,
    )

    def create(tx: Tx) -> None:
        require_boundary(tx, permissions_boundary)
        kinds.add(tx, USER, user)

    await ctx.store.write(create)
    return {"User": shapes.full_user(user)}


@operation("iam:GetUser", resource=own_resource)
async def get_user(ctx: Context, *, user_name: str | None = None) -> dict[str, Any]:
    """The named user, or the caller."""
    return {"User": shapes.full_user(await kinds.fetch(ctx, USER, named_or_caller(ctx, user_name)))}


@operation("iam:ListUsers")
async def list_users(
    ctx: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Users under a path, by name."""
    found = await kinds.fetch_page(ctx, USER, kinds.under(path_prefix), marker, max_items)
    return page("Users", found, by=kinds.order, shape=shapes.listed_user, marker=marker, max_items=max_items)


@operation("iam:DeleteUser", resource=resource(USER, "user_name"))
async def delete_user(ctx: Context, *, user_name: str) -> dict[str, Any]:
    """Remove a user that has nothing left."""

    def delete(tx: Tx) -> None:
        user = kinds.existing(tx, USER, ctx.account, user_name)
        if records.access_keys(tx, user):
            raise refusals.in_use("delete access keys")
        kinds.refuse_policies(user)
        records.remove(tx, records.USERS, user)

    await ctx.store.write(delete)
    return {}
