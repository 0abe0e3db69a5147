"""Tags of pipelines: AddTags, ListTags, DeleteTags, and what tags given elsewhere ask of the caller.

Nothing but pipelines has tags here: SageMaker gives executions none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.policy.request_keys import request_tag_keys
from passrole.policy.tags import RESERVED_MESSAGE, is_reserved
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.paging import page_of
from passrole.services.sagemaker.records import PIPELINES, Pipeline, is_own, require
from passrole.store import Tx

TAGS_MAX = 50

Tags = Sequence[Mapping[str, str]]


def request_tags(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of a call that brings tags."""
    return request_tag_keys({tag["Key"]: tag["Value"] for tag in parameters.get("tags") or ()})


def from_wire(tags: Tags) -> dict[str, str]:
    """Tags by key. Raises Fault where a key comes twice or belongs to AWS."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise Fault("ValidationException", "A tag key is given more than once.")
    if is_reserved(found):
        raise Fault("ValidationException", RESERVED_MESSAGE)
    return found


def _tagged(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["resource_arn"])


def _tag_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {"aws:TagKeys": tuple(parameters["tag_keys"])}


@operation("sagemaker:AddTags", resource=_tagged, keys=request_tags)
async def add_tags(ctx: Context, *, resource_arn: str, tags: Tags) -> dict[str, Any]:
    """Set tags beside those that are there, in place of those of the same keys."""
    given = from_wire(tags)

    def add(tx: Tx) -> dict[str, Any]:
        pipeline = _require_tagged(tx, ctx, resource_arn)
        tags_after = {**pipeline.tags, **given}
        if len(tags_after) > TAGS_MAX:
            sentence = f"A resource has at most {TAGS_MAX} tags; {resource_arn} would have {len(tags_after)}."
            raise Fault("ResourceLimitExceeded", sentence)
        PIPELINES.put(tx, ctx.key(pipeline.name), replace(pipeline, tags=tags_after))
        return {"Tags": _to_wire(tags_after)}

    return await ctx.store.write(add)


@operation("sagemaker:ListTags", resource=_tagged)
async def list_tags(
    ctx: Context, *, resource_arn: str, next_token: str | None = None, max_results: int = TAGS_MAX
) -> dict[str, Any]:
    """A pipeline's tags, by key."""
    pipeline = await ctx.store.read(lambda tx: _require_tagged(tx, ctx, resource_arn))
    return page_of("Tags", _to_wire(pipeline.tags), "Key", next_token, max_results)


@operation("sagemaker:DeleteTags", resource=_tagged, keys=_tag_keys)
async def delete_tags(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove the tags of these keys; one that is not there is gone already."""

    def delete(tx: Tx) -> dict[str, Any]:
        pipeline = _require_tagged(tx, ctx, resource_arn)
        left = {key: value for key, value in pipeline.tags.items() if key not in tag_keys}
        PIPELINES.put(tx, ctx.key(pipeline.name), replace(pipeline, tags=left))
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
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
