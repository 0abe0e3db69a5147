"""Entities of lineage and associations as they are stored, and which one a name or an ARN means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from passrole import arns
from passrole.arns import Account, Location, Region
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters
from passrole.services.sagemaker.records import user_context
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Entity:
    """A document of the store. `id` is the last part of the ARN: the name, or of an artifact a hash.

    `request` has the members that its creation and its updates were given, in AWS's spelling, without tags;
    `created_by` and `modified_by` are AWS's UserContext.
    """

    kind: str
    id: str
    account: Account
    region: Region
    request: Mapping[str, Any]
    created: float
    created_by: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    modified: float | None = None
    modified_by: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """The entity's key in the collection of its kind."""
        return Location(self.account, self.region).key(self.id)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arns.lineage_entity(self.region, self.account, self.kind, self.id)

    @property
    def name(self) -> str | None:
        """Its name, which an artifact may lack."""
        return self.request.get(f"{self.kind.title()}Name")

    @property
    def type_(self) -> str:
        """Its type, a word of whoever created it."""
        return str(self.request[f"{self.kind.title()}Type"])

    @property
    def source(self) -> Mapping[str, Any]:
        """Where it is from: SourceUri and what else AWS has there."""
        found: Mapping[str, Any] = self.request["Source"]
        return found

    def description(self) -> dict[str, Any]:
        """The answer of its Describe operation."""
        times = {"CreationTime": self.created, "LastModifiedTime": self.modified or self.created}
        by = {"CreatedBy": self.created_by, "LastModifiedBy": self.modified_by or self.created_by}
        return {**self.request, f"{self.kind.title()}Arn": self.arn, **times, **by}


@dataclass(frozen=True)
class Association:
    """A document of the store: the entity with the ARN `source` leads to the one with `destination`."""

    source: str
    destination: str
    type_: str | None
    created: float
    created_by: Mapping[str, Any]


ACTIONS, ARTIFACTS, CONTEXTS = (Collection(kind, Entity) for kind in ("action", "artifact", "context"))
COLLECTIONS: Mapping[str, Collection[Entity]] = {
    "action": ACTIONS,
    "artifact": ARTIFACTS,
    "context": CONTEXTS,
}
ASSOCIATIONS = Collection("lineage-association", Association)
_PROPERTIES, _REMOVED = "Properties", "PropertiesToRemove"


def new(ctx: Context, kind: str, id_: str, request: Mapping[str, Any], tags: TagList) -> Entity:
    """An entity that the caller creates now; it is still to be kept. Raises as TAGS.read does."""
    return Entity(
        kind=kind,
        id=id_,
        account=ctx.account,
        region=ctx.region,
        request=request,
        created=ctx.clock(),
        created_by=user_context(ctx.principal),
        tags=TAGS.read(tags),
    )


def arn_of(ctx: Context, kind: str, name_or_arn: str) -> str:
    """The ARN that a name or an ARN means."""
    return (
        name_or_arn
        if arns.parse(name_or_arn)
        else arns.lineage_entity(ctx.region, ctx.account, kind, name_or_arn)
    )


def find(tx: Tx, ctx: Context, arn: str) -> Entity | None:
    """The entity of the caller's account and region with this ARN."""
    parsed = arns.parse(arn)
    if parsed is None or parsed[:4] != (arns.PARTITION, "sagemaker", ctx.region, ctx.account):
        return None
    kind, _, id_ = parsed.resource.partition("/")
    return COLLECTIONS[kind].get(tx, ctx.key(id_)) if kind in COLLECTIONS and "/" not in id_ else None


def require(tx: Tx, ctx: Context, arn: str) -> Entity:
    """The same. Raises ResourceNotFound."""
    found = find(tx, ctx, arn)
    if found is None:
        raise Fault("ResourceNotFound", f"{arn} does not exist.")
    return found


def association_key(ctx: Context, source: str, destination: str) -> str:
    """Parts of an ARN after the place: a kind and an id each."""
    return ctx.key("/".join(each.rpartition(":")[2] for each in (source, destination)))


def add(tx: Tx, entity: Entity) -> None:
    """Keep a new entity. Raises ValidationException for a name that is taken."""
    if not COLLECTIONS[entity.kind].add(tx, entity.key, entity):
        raise Fault("ValidationException", f"{entity.kind.title()} {entity.arn} already exists.")


def update(tx: Tx, ctx: Context, arn: str, changes: Mapping[str, Any]) -> None:
    """Change members of an entity: Properties take the place of those before, then PropertiesToRemove go.

    Raises ResourceNotFound. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateAction.html
    """
    entity = require(tx, ctx, arn)
    request = {**entity.request, **changes}
    removed = request.pop(_REMOVED, ())
    if removed:
        kept = {key: value for key, value in (request.get(_PROPERTIES) or {}).items() if key not in removed}
        request[_PROPERTIES] = kept
    user = user_context(ctx.principal)
    changed = replace(entity, request=request, modified=ctx.clock(), modified_by=user)
    COLLECTIONS[entity.kind].put(tx, entity.key, changed)


def delete(tx: Tx, ctx: Context, arn: str) -> None:
    """Remove an entity. Raises ResourceNotFound, and ValidationException while something is joined to it.

    The SDK's examples delete associations first.
    https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-manual-creation.html
    """
    entity = require(tx, ctx, arn)
    if any(arn in (each.source, each.destination) for _, each in ASSOCIATIONS.within(tx, *ctx.location)):
        raise Fault("ValidationException", f"{arn} has associations; delete them first.")
    COLLECTIONS[entity.kind].delete(tx, entity.key)


def tag_keys(operation: str, ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of the AddTags that a creation with tags asks for."""
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": operation}
