"""Contexts: CreateContext, DescribeContext, UpdateContext, ListContexts, DeleteContext.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateContext.html
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Unpack

from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.lineage import listing, records
from passrole.services.sagemaker.lineage.listing import EntityListing
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging

_KIND = "context"


def _resource(ctx: Context, parameters: Parameters) -> str:
    return records.arn_of(ctx, _KIND, parameters["context_name"])


@operation(
    "sagemaker:CreateContext",
    resource=_resource,
    keys=TAGS.request_keys,
    also=tagging("sagemaker:AddTags", _resource, partial(records.tag_keys, "CreateContext")),
    keeps=["Description", "Properties"],
)
async def create_context(
    ctx: Context,
    *,
    context_name: str,
    source: Mapping[str, Any],
    context_type: str,
    kept: Mapping[str, Any],
    tags: TagList = (),
) -> dict[str, Any]:
    """Record a context. Raises ValidationException for a name that is taken."""
    named = {"ContextName": context_name, "ContextType": context_type, "Source": source}
    entity = records.new(ctx, _KIND, context_name, {**named, **kept}, tags)
    await ctx.store.write(lambda tx: records.add(tx, entity))
    return {"ContextArn": entity.arn}


@operation("sagemaker:DescribeContext", resource=_resource)
async def describe_context(ctx: Context, *, context_name: str) -> dict[str, Any]:
    """Everything about a context, by its name or ARN. Raises ResourceNotFound."""
    arn = records.arn_of(ctx, _KIND, context_name)
    return (await ctx.store.read(lambda tx: records.require(tx, ctx, arn))).description()


@operation(
    "sagemaker:UpdateContext",
    resource=_resource,
    keeps=["Description", "Properties", "PropertiesToRemove"],
)
async def update_context(ctx: Context, *, context_name: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Change a context; Properties take the place of those before. Raises ResourceNotFound."""
    arn = records.arn_of(ctx, _KIND, context_name)
    await ctx.store.write(lambda tx: records.update(tx, ctx, arn, kept))
    return {"ContextArn": arn}


@operation("sagemaker:DeleteContext", resource=_resource)
async def delete_context(ctx: Context, *, context_name: str) -> dict[str, Any]:
    """Delete a context without associations. Raises ResourceNotFound, ValidationException."""
    arn = records.arn_of(ctx, _KIND, context_name)
    await ctx.store.write(lambda tx: records.delete(tx, ctx, arn))
    return {"ContextArn": arn}


@operation("sagemaker:ListContexts")
async def list_contexts(
    ctx: Context, *, context_type: str | None = None, **asked: Unpack[EntityListing]
) -> dict[str, Any]:
    """Contexts of the account and region, newest first unless another order is asked for."""
    return await listing.page(ctx, _KIND, context_type, asked)
