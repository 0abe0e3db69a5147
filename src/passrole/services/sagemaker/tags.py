"""Tags of pipelines, jobs, models, groups, packages, endpoints and lineage: AddTags, ListTags, DeleteTags.

SageMaker gives executions none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.hosting.records import CONFIGS, ENDPOINTS
from passrole.services.sagemaker.jobs.kinds import KINDS
from passrole.services.sagemaker.lineage.records import COLLECTIONS as LINEAGE
from passrole.services.sagemaker.models import MODELS
from passrole.services.sagemaker.paging import page_of
from passrole.services.sagemaker.records import PIPELINES
from passrole.services.sagemaker.registry.records import GROUPS, PACKAGES
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TAGS_MAX, TagList, removed_keys, to_list
from passrole.store import Collection, Tx


def _tagged(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["resource_arn"])


@operation("sagemaker:AddTags", resource=_tagged, keys=TAGS.request_keys)
async def add_tags(ctx: Context, *, resource_arn: str, tags: TagList) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    TAGS.read(tags)

    def add(tx: Tx) -> dict[str, Any]:
        after = _change(tx, ctx, resource_arn, lambda before: TAGS.added(before, tags, resource_arn))
        return {"Tags": wire_tags(after)}

    return await ctx.store.write(add)


@operation("sagemaker:ListTags", resource=_tagged)
async def list_tags(
    ctx: Context, *, resource_arn: str, next_token: str | None = None, max_results: int = TAGS_MAX
) -> dict[str, Any]:
    """A resource's tags, by key."""
    found = await ctx.store.read(
        lambda tx: _find_tagged(tx, ctx, resource_arn) or _require_tagged(tx, ctx, resource_arn)
    )
    return page_of("Tags", wire_tags(found.document.tags), "Key", next_token, max_results)


@operation("sagemaker:DeleteTags", resource=_tagged, keys=removed_keys)
async def delete_tags(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove the tags of these keys; unknown keys are ignored."""

    def delete(tx: Tx) -> dict[str, Any]:
        _change(tx, ctx, resource_arn, lambda before: TAGS.removed(before, tag_keys))
        return {}

    return await ctx.store.write(delete)


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the resource with an ARN; none where there is no such thing. Executions have none, and a
    version in the model registry has those of its group.
    """
    found = await ctx.store.read(lambda tx: _find_tagged(tx, ctx, arn))
    return found.document.tags if found else {}


def wire_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as answers list them, by key."""
    return to_list(dict(sorted(tags.items())))


class _Tagged(NamedTuple):
    collection: Collection[Any]
    key: str
    document: Any


def _change(
    tx: Tx, ctx: Context, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> Mapping[str, str]:
    found = _require_tagged(tx, ctx, arn)
    after = change(found.document.tags)
    found.collection.put(tx, found.key, replace(found.document, tags=after))
    return after


def _require_tagged(tx: Tx, ctx: Context, arn: str) -> _Tagged:
    """Raises ValidationException, ResourceNotFound."""
    kind, name = _parts(ctx, arn)
    if kind not in _COLLECTIONS or "/" in name:
        message = (
            f"{arn} is not a resource that has tags of its own: passrole tags pipelines, jobs, models, "
            "endpoints and their configurations, model package groups, model packages without a group, and "
            "entities of lineage, of the account."
        )
        raise Fault("ValidationException", message)
    found = _find_tagged(tx, ctx, arn)
    if found is None:
        raise Fault("ResourceNotFound", f"{_COLLECTIONS[kind][0]} with name {name} does not exist.")
    return found


def _find_tagged(tx: Tx, ctx: Context, arn: str) -> _Tagged | None:
    kind, name = _parts(ctx, arn)
    if kind == _PACKAGE and "/" in name:
        kind, name = _GROUP, name.partition("/")[0]
    if kind not in _COLLECTIONS or "/" in name:
        return None
    collection, key = _COLLECTIONS[kind][1], ctx.key(name)
    document = collection.get(tx, key)
    return None if document is None else _Tagged(collection, key, document)


def _parts(ctx: Context, arn: str) -> tuple[str, str]:
    """The type and name of a resource of the caller's account and region; empty for all others."""
    parsed = arns.parse(arn)
    if parsed is None or parsed[:4] != (arns.PARTITION, "sagemaker", ctx.region, ctx.account):
        return "", ""
    kind, _, name = parsed.resource.partition("/")
    return kind, name


_GROUP, _PACKAGE = "model-package-group", "model-package"
_COLLECTIONS: Mapping[str, tuple[str, Collection[Any]]] = {
    "pipeline": ("Pipeline", PIPELINES),
    **{
        kind.resource: (kind.resource.replace("-", " ").capitalize(), kind.collection)
        for kind in KINDS.values()
    },
    "model": ("Model", MODELS),
    "endpoint": ("Endpoint", ENDPOINTS),
    "endpoint-config": ("Endpoint configuration", CONFIGS),
    _GROUP: ("Model package group", GROUPS),
    _PACKAGE: ("Model package", PACKAGES),
    **{kind: (kind.title(), collection) for kind, collection in LINEAGE.items()},
}
