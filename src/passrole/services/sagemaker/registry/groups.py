"""Groups of the registry: CreateModelPackageGroup, DescribeModelPackageGroup, ListModelPackageGroups,
DeleteModelPackageGroup.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-model-group.html
"""

from collections.abc import Mapping
from typing import Any, Unpack

from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.listing import Listing, listed
from passrole.services.sagemaker.paging import Orders
from passrole.services.sagemaker.records import user_context
from passrole.services.sagemaker.registry.names import group_arn, invalid, require_group
from passrole.services.sagemaker.registry.records import GROUPS, Group, versions_of
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Tx


def _resource(ctx: Context, parameters: Parameters) -> str:
    return group_arn(ctx, parameters["model_package_group_name"])


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": "CreateModelPackageGroup"}


@operation(
    "sagemaker:CreateModelPackageGroup",
    resource=_resource,
    keys=TAGS.request_keys,
    also=tagging("sagemaker:AddTags", _resource, _tag_keys),
)
async def create_model_package_group(
    ctx: Context,
    *,
    model_package_group_name: str,
    model_package_group_description: str | None = None,
    tags: TagList = (),
) -> dict[str, Any]:
    """Create a group without versions. Raises ValidationException for a name that is taken."""
    group = Group(
        name=model_package_group_name,
        account=ctx.account,
        region=ctx.region,
        created=ctx.clock(),
        created_by=user_context(ctx.principal),
        description=model_package_group_description,
        tags=TAGS.read(tags),
    )
    if not await ctx.store.write(lambda tx: GROUPS.add(tx, group.key, group)):
        raise invalid(f"Model Package Group already exists: {group.arn}")
    return {"ModelPackageGroupArn": group.arn}


@operation("sagemaker:DescribeModelPackageGroup", resource=_resource)
async def describe_model_package_group(ctx: Context, *, model_package_group_name: str) -> dict[str, Any]:
    """Everything about a group. Raises ValidationException for an unknown name."""
    group = await ctx.store.read(lambda tx: require_group(tx, ctx, model_package_group_name))
    return {**group.summary(), "CreatedBy": group.created_by}


@operation("sagemaker:DeleteModelPackageGroup", resource=_resource)
async def delete_model_package_group(ctx: Context, *, model_package_group_name: str) -> None:
    """Delete an empty group. Raises ConflictException, ValidationException for an unknown name."""

    def delete(tx: Tx) -> None:
        group = require_group(tx, ctx, model_package_group_name)
        if versions_of(tx, group):
            message = f"Model Package Group {group.arn} has model packages; delete them first."
            raise Fault("ConflictException", message)
        GROUPS.delete(tx, group.key)

    await ctx.store.write(delete)


@operation("sagemaker:ListModelPackageGroups")
async def list_model_package_groups(
    ctx: Context, *, cross_account_filter_option: str = "SameAccount", **asked: Unpack[Listing]
) -> dict[str, Any]:
    """Groups of the account and region, oldest first unless another order is asked for."""

    def found(tx: Tx) -> dict[str, Any]:
        groups = [each for _, each in GROUPS.within(tx, *ctx.location)]
        own = groups if cross_account_filter_option == "SameAccount" else []  # nobody shares groups here
        shown, more = listed(own, _ORDERS, asked, "Ascending")
        return {"ModelPackageGroupSummaryList": [each.summary() for each in shown], **more}

    return await ctx.store.read(found)


_ORDERS: Orders[Group] = {
    "CreationTime": (lambda group: (group.created, group.name), (float, str)),
    "Name": (lambda group: (group.name,), (str,)),
}
