"""Tags of pipelines: AddTags, ListTags, DeleteTags, and what tags given elsewhere ask of the caller.

Nothing but pipelines has tags here: SageMaker gives executions none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.paging import page_of
from passrole.services.sagemaker.records import PIPELINES, Pipeline, is_own, require
from passrole.services.tags import TAGS_MAX, TagList, TagRules, removed_keys, to_list
from passrole.store import Tx


def _too_many(arn: str, count: int) -> Fault:
    message = f"A resource has at most {TAGS_MAX} tags; {arn} would have {count}."
    return Fault("ResourceLimitExceeded", message)


TAGS = TagRules(
    reserved=lambda reason: Fault("ValidationException", reason),
    too_many=_too_many,
    repeated=lambda: Fault("ValidationException", "A tag key is given more than once."),
)


def _tagged(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["resource_arn"])


@operation("sagemaker:AddTags", resource=_tagged, keys=TAGS.request_keys)
async def add_tags(ctx: Context, *, resource_arn: str, tags: TagList) -> dict[str, Any]:
    """Set tags beside those that are there, in place of those of the same keys."""
    TAGS.read(tags)

    def add(tx: Tx) -> dict[str, Any]:
        pipeline = _require_tagged(tx, ctx, resource_arn)
        after = TAGS.added(pipeline.tags, tags, resource_arn)
        PIPELINES.put(tx, ctx.key(pipeline.name), replace(pipeline, tags=after))
        return {"Tags": _to_wire(after)}

    return await ctx.store.write(add)


@operation("sagemaker:ListTags", resource=_tagged)
async def list_tags(
    ctx: Context, *, resource_arn: str, next_token: str | None = None, max_results: int = TAGS_MAX
) -> dict[str, Any]:
    """A pipeline's tags, by key."""
    pipeline = await ctx.store.read(lambda tx: _require_tagged(tx, ctx, resource_arn))
    return page_of("Tags", _to_wire(pipeline.tags), "Key", next_token, max_results)


@operation("sagemaker:DeleteTags", resource=_tagged, keys=removed_keys)
async def delete_tags(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove the tags of these keys; unknown keys are ignored."""

    def delete(tx: Tx) -> dict[str, Any]:
        pipeline = _require_tagged(tx, ctx, resource_arn)
        after = TAGS.removed(pipeline.tags, tag_keys)
        PIPELINES.put(tx, ctx.key(pipeline.name), replace(pipeline, tags=after))
        return {}

    return await ctx.store.write(delete)


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the pipeline with an ARN; none where there is no such pipeline. Executions have none."""
    prefix = arns.pipeline_prefix(ctx.region, ctx.account)
    if not arn.startswith(prefix):
        return {}
    pipeline = await ctx.store.read(lambda tx: PIPELINES.get(tx, ctx.key(arn.removeprefix(prefix))))
    return pipeline.tags if pipeline else {}


def _require_tagged(tx: Tx, ctx: Context, arn: str) -> Pipeline:
    if not is_own(ctx, arn) or "/execution/" in arn:
        sentence = f"{arn} is not a resource that has tags: passrole tags pipelines of the caller's account."
        raise Fault("ValidationException", sentence)
    return require(tx, ctx, arn)


def _to_wire(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return to_list(dict(sorted(tags.items())))
