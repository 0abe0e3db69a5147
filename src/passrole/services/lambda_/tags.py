"""TagResource, UntagResource, ListTags: of functions, which are the only things with tags here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.services.context import Context
from passrole.services.lambda_ import names, refusals
from passrole.services.lambda_.qualifiers import find
from passrole.services.lambda_.records import FUNCTIONS, existing, with_new_revision
from passrole.services.operation import Parameters, operation
from passrole.services.tags import TagRules, Tags, removed_keys
from passrole.store import Tx

TAGS = TagRules(reserved=refusals.invalid, too_many=lambda _, __: refusals.too_many_tags())

_FUNCTION = "function:"


def _resource(ctx: Context, parameters: Parameters) -> str:
    """The function that is meant, however it is spelled: its versions and aliases have no tags."""
    return names.parse(ctx, str(parameters["resource"])).unqualified


@operation("lambda:TagResource", resource=_resource, keys=TAGS.checked_request_keys)
async def tag_resource(ctx: Context, *, resource: str, tags: Mapping[str, str]) -> None:
    """Add tags, in place of those with the same keys."""
    if not tags:
        raise refusals.no_tags()
    await _change(ctx, resource, lambda present: TAGS.added(present, tags))


@operation("lambda:UntagResource", resource=_resource, keys=removed_keys)
async def untag_resource(ctx: Context, *, resource: str, tag_keys: Sequence[str]) -> None:
    """Remove tags; unknown keys are ignored."""
    await _change(ctx, resource, lambda present: TAGS.removed(present, tag_keys))


@operation("lambda:ListTags", resource=_resource)
async def list_tags(ctx: Context, *, resource: str) -> dict[str, Any]:
    """All tags of a function."""
    return {"Tags": (await find(ctx, resource)).tags}


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the function with an ARN, whatever its qualifier; none where there is no such function."""
    parsed = arns.parse(arn)
    if parsed is None or not parsed.resource.startswith(_FUNCTION):
        return {}
    name = parsed.resource.removeprefix(_FUNCTION).partition(":")[0]
    if (parsed.account, parsed.region) != ctx.location:
        return {}
    function = await ctx.store.read(lambda tx: FUNCTIONS.get(tx, ctx.key(name)))
    return function.tags if function else {}


async def _change(ctx: Context, resource: str, change: Callable[[Tags], dict[str, str]]) -> None:
    named = names.parse(ctx, resource)
    if named.qualifier is not None:
        raise refusals.qualified_tags()
    key = names.latest_key(ctx, named)

    def write(tx: Tx) -> None:
        function = existing(tx, key, named)
        FUNCTIONS.put(tx, key, with_new_revision(replace(function, tags=change(function.tags))))

    await ctx.store.write(write)
