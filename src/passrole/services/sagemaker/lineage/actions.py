"""Actions: CreateAction, DescribeAction, UpdateAction, ListActions, DeleteAction.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAction.html
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

_KIND = "action"


def _resource(ctx: Context, parameters: Parameters) -> str:
    return records.arn_of(ctx, _KIND, parameters["action_name"])


@operation(
    "sagemaker:CreateAction",
    resource=_resource,
    keys=TAGS.request_keys,
    also=tagging("sagemaker:AddTags", _resource, partial(records.tag_keys, "CreateAction")),
    keeps=["Description", "Status", "Properties", "MetadataProperties"],
)
async def create_action(
    ctx: Context,
    *,
    action_name: str,
    source: Mapping[str, Any],
    action_type: str,
    kept: Mapping[str, Any],
    tags: TagList = (),
) -> dict[str, Any]:
    """Record an action. Raises ValidationException for a name that is taken."""
    named = {"ActionName": action_name, "ActionType": action_type, "Source": source}
    entity = records.new(ctx, _KIND, action_name, {**named, **kept}, tags)
    await ctx.store.write(lambda tx: records.add(tx, entity))
    return {"ActionArn": entity.arn}


@operation("sagemaker:DescribeAction", resource=_resource)
async def describe_action(ctx: Context, *, action_name: str) -> dict[str, Any]:
    """Everything about an action, by its name or ARN. Raises ResourceNotFound."""
    arn = records.arn_of(ctx, _KIND, action_name)
    return (await ctx.store.read(lambda tx: records.require(tx, ctx, arn))).description()


@operation(
    "sagemaker:UpdateAction",
    resource=_resource,
    keeps=["Description", "Status", "Properties", "PropertiesToRemove"],
)
async def update_action(ctx: Context, *, action_name: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Change an action; Properties take the place of those before. Raises ResourceNotFound."""
    arn = records.arn_of(ctx, _KIND, action_name)
    await ctx.store.write(lambda tx: records.update(tx, ctx, arn, kept))
    return {"ActionArn": arn}


@operation("sagemaker:DeleteAction", resource=_resource)
async def delete_action(ctx: Context, *, action_name: str) -> dict[str, Any]:
    """Delete an action without associations. Raises ResourceNotFound, ValidationException."""
    arn = records.arn_of(ctx, _KIND, action_name)
    await ctx.store.write(lambda tx: records.delete(tx, ctx, arn))
    return {"ActionArn": arn}


@operation("sagemaker:ListActions")
async def list_actions(
    ctx: Context, *, action_type: str | None = None, **asked: Unpack[EntityListing]
) -> dict[str, Any]:
    """Actions of the account and region, newest first unless another order is asked for."""
    return await listing.page(ctx, _KIND, action_type, asked)
