"""The kinds of named resources, in one table, so that users and roles share handlers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from passrole import arns
from passrole.identities import records
from passrole.identities.records import InstanceProfile, ManagedPolicy, N, Role, User
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.paging import PAGE_ITEMS, PAGES
from passrole.services.operation import Parameters
from passrole.services.pages import wanted_rows
from passrole.store import Collection, Tx

SERVICE_LINKED_PATH = "/aws-service-role/"
H = TypeVar("H", User, Role)  # the holders of policies


@dataclass(frozen=True)
class Kind(Generic[N]):
    """A kind of resource: its Collection, its noun in ARNs and in quotas, AWS's messages about names."""

    collection: Collection[N]
    noun: str
    quota_noun: str
    missing: str
    taken: str


USER = Kind(
    records.USERS,
    "user",
    "User",
    "The user with name {} cannot be found.",
    "User with name {} already exists.",
)
ROLE = Kind(
    records.ROLES,
    "role",
    "Role",
    "The role with name {} cannot be found.",
    "Role with name {} already exists.",
)
POLICY: Kind[ManagedPolicy] = Kind(
    records.POLICIES,
    "policy",
    "Policy",
    "Policy {} was not found.",
    "A policy called {} already exists. Duplicate names are not allowed.",
)
INSTANCE_PROFILE: Kind[InstanceProfile] = Kind(
    records.INSTANCE_PROFILES,
    "instance-profile",
    "InstanceProfile",
    "Instance Profile {} cannot be found.",
    "Instance Profile {} already exists.",
)


def existing(tx: Tx, kind: Kind[N], account: str, name: str) -> N:
    """The row of that name. Raises NoSuchEntity."""
    row = records.find(tx, kind.collection, account, name)
    if row is None:
        raise refusals.no_such(kind.missing.format(name))
    return row


async def fetch(ctx: Context, kind: Kind[N], name: str) -> N:
    """The row of that name. Raises NoSuchEntity."""
    return await ctx.store.read(lambda tx: existing(tx, kind, ctx.account, name))


async def fetch_page(
    ctx: Context, kind: Kind[N], wanted: Callable[[N], bool], marker: str | None, max_items: int | None
) -> list[N]:
    """The account's wanted rows by name, as many as `page` needs. Raises ValidationError."""
    return await ctx.store.read(
        lambda tx: wanted_rows(
            lambda after, limit: kind.collection.within(tx, ctx.account, after=after, limit=limit),
            wanted,
            after=PAGES.after(marker, lambda name: records.row_key(ctx.account, name)),
            limit=(max_items or PAGE_ITEMS) + 1,
        )
    )


def under(path_prefix: str) -> Callable[[records.Named], bool]:
    """Whether a row's path begins so."""
    return lambda row: row.path.startswith(path_prefix)


def add(tx: Tx, kind: Kind[N], row: N) -> None:
    """Store a new row. Raises EntityAlreadyExists."""
    if not records.add(tx, kind.collection, row):
        raise refusals.already_exists(kind.taken.format(row.name))


def is_service_linked(row: records.Named) -> bool:
    """Whether it is the role of a service, which alone changes it."""
    return isinstance(row, Role) and row.path.startswith(SERVICE_LINKED_PATH)


def modifiable(row: N) -> N:
    """The row, unless it is a service-linked role. Raises UnmodifiableEntity."""
    if is_service_linked(row):
        raise refusals.protected(row.name)
    return row


async def amend(
    ctx: Context, kind: Kind[N], name: str, change: Callable[[N], N], *, any_role: bool = False
) -> N:
    """Store what `change` makes of the row, which may refuse; of a service-linked role only where `any_role`
    says so. Raises NoSuchEntity, UnmodifiableEntity, and what `change` raises.
    """

    def fn(tx: Tx) -> N:
        present = existing(tx, kind, ctx.account, name)
        row = change(present if any_role else modifiable(present))
        records.put(tx, kind.collection, row)
        return row

    return await ctx.store.write(fn)


def resource(kind: Kind[N], parameter: str) -> Callable[[Context, Parameters], Any]:
    """The ARN that a call on a named thing is authorised on: with the path, where the thing exists."""

    async def arn(ctx: Context, parameters: Parameters) -> str:
        name = str(parameters[parameter])
        row = await ctx.store.read(lambda tx: records.find(tx, kind.collection, ctx.account, name))
        return row.arn if row is not None else arns.iam(ctx.account, kind.noun, "/", name)

    return arn


def new_resource(kind: Kind[N], parameter: str) -> Callable[[Context, Parameters], str]:
    """The ARN that a new thing will have."""

    def arn(ctx: Context, parameters: Parameters) -> str:
        return arns.iam(
            ctx.account, kind.noun, str(parameters.get("path") or "/"), str(parameters[parameter])
        )

    return arn


def order(row: records.Named) -> str:
    """The order of lists: by name, whatever the letter case."""
    return row.name.lower()


def refuse_policies(holder: User | Role) -> None:
    """Raises DeleteConflict where the user or role still has policies."""
    if holder.attached:
        raise refusals.in_use("detach all policies")
    if holder.inline:
        raise refusals.in_use("delete policies")
