"""Endpoints: CreateEndpoint, DescribeEndpoint, ListEndpoints, UpdateEndpoint,
UpdateEndpointWeightsAndCapacities, DeleteEndpoint.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters, Permission, operation
from passrole.services.sagemaker import kms_keys
from passrole.services.sagemaker.hosting import fleets, states
from passrole.services.sagemaker.hosting.configs import config_arn, require_config
from passrole.services.sagemaker.hosting.records import (
    ENDPOINTS,
    FAILED,
    IN_PROGRESS,
    Endpoint,
)
from passrole.services.sagemaker.listing import StateListing, listed
from passrole.services.sagemaker.paging import Orders
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Tx


def _resource(ctx: Context, parameters: Parameters) -> str:
    return arns.endpoint(ctx.region, ctx.account, parameters["endpoint_name"])


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": "CreateEndpoint"}


_tagging = tagging("sagemaker:AddTags", _resource, _tag_keys)


def _also_to_create(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """The action is asked of the configuration too."""
    keys = TAGS.request_keys(ctx, parameters)
    own = Permission("sagemaker:CreateEndpoint", config_arn(ctx, parameters), keys)
    return (own, *_tagging(ctx, parameters))


def _also_to_update(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    return (Permission("sagemaker:UpdateEndpoint", config_arn(ctx, parameters)),)


@operation(
    "sagemaker:CreateEndpoint",
    resource=_resource,
    keys=TAGS.request_keys,
    also=_also_to_create,
)
async def create_endpoint(
    ctx: Context,
    *,
    endpoint_name: str,
    endpoint_config_name: str,
    deployment_config: Mapping[str, Any] | None = None,
    tags: TagList = (),
) -> dict[str, Any]:
    """Create an endpoint, which is InService once its model servers answer.

    Raises ValidationException, also for a name that is taken, ResourceLimitExceeded, and for a key of its
    volumes that may not be used AccessDeniedException.
    """
    given, now = TAGS.read(tags), ctx.clock()
    await _check_key(ctx, endpoint_config_name)
    arn = arns.endpoint(ctx.region, ctx.account, endpoint_name)

    def create(tx: Tx) -> None:
        if ENDPOINTS.get(tx, ctx.key(endpoint_name)) is not None:
            raise _invalid(f'Cannot create already existing endpoint "{arn}".')
        fleet = fleets.of_config(tx, ctx, require_config(tx, ctx, endpoint_config_name), 1)
        fleets.check_room(tx, fleet)
        endpoint = Endpoint(
            name=endpoint_name,
            account=ctx.account,
            region=ctx.region,
            created=now,
            modified=now,
            coming=fleet,
            fleets=1,
            deployment=deployment_config,
            tags=given,
        )
        states.created(tx, endpoint)

    await ctx.store.write(create)
    return {"EndpointArn": arn}


@operation("sagemaker:DescribeEndpoint", resource=_resource)
async def describe_endpoint(ctx: Context, *, endpoint_name: str) -> dict[str, Any]:
    """Everything about an endpoint. Raises ValidationException for an unknown name."""
    endpoint = await ctx.store.read(lambda tx: _require(tx, ctx, endpoint_name))
    return endpoint.description()


@operation("sagemaker:UpdateEndpoint", resource=_resource, also=_also_to_update)
async def update_endpoint(
    ctx: Context,
    *,
    endpoint_name: str,
    endpoint_config_name: str,
    retain_all_variant_properties: bool = False,
    exclude_retained_variant_properties: Sequence[Mapping[str, str]] = (),
    deployment_config: Mapping[str, Any] | None = None,
    retain_deployment_config: bool = False,
) -> dict[str, Any]:
    """Have another configuration served; until its servers answer, the present one is.

    Raises ValidationException, ResourceLimitExceeded, AccessDeniedException.
    """
    await _check_key(ctx, endpoint_config_name)
    excluded = {each["VariantPropertyType"] for each in exclude_retained_variant_properties}

    def update(tx: Tx) -> str:
        endpoint = _require_settled(tx, ctx, endpoint_name)
        config = require_config(tx, ctx, endpoint_config_name)
        coming = fleets.of_config(tx, ctx, config, endpoint.fleets + 1)
        if retain_all_variant_properties and endpoint.fleet is not None:
            coming = fleets.retaining(coming, endpoint.fleet, excluded)
        fleets.check_room(tx, coming)
        deployment = endpoint.deployment if retain_deployment_config else deployment_config
        states.updating(tx, endpoint, coming, deployment)
        return endpoint.arn

    return {"EndpointArn": await ctx.store.write(update)}


@operation("sagemaker:UpdateEndpointWeightsAndCapacities", resource=_resource)
async def update_endpoint_weights_and_capacities(
    ctx: Context, *, endpoint_name: str, desired_weights_and_capacities: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Change weights and instance counts of variants. Raises ValidationException, ResourceLimitExceeded."""

    def update(tx: Tx) -> str:
        endpoint = _require_settled(tx, ctx, endpoint_name)
        assert endpoint.fleet is not None
        variants = fleets.scaled(endpoint, desired_weights_and_capacities)
        fleets.check_room(tx, {**endpoint.fleet, "variants": variants}, besides=endpoint.fleet)
        states.scaling(tx, endpoint, variants, ctx.clock())
        return endpoint.arn

    return {"EndpointArn": await ctx.store.write(update)}


@operation("sagemaker:DeleteEndpoint", resource=_resource)
async def delete_endpoint(ctx: Context, *, endpoint_name: str) -> None:
    """End the servers of an endpoint, and then it is gone. Raises ValidationException for an unknown name,
    and for one that is in progress.
    """

    def delete(tx: Tx) -> None:
        endpoint = _require(tx, ctx, endpoint_name)
        if endpoint.status in IN_PROGRESS:
            raise _in_progress(endpoint)
        states.deleting(tx, endpoint, ctx.clock())

    await ctx.store.write(delete)


@operation("sagemaker:ListEndpoints")
async def list_endpoints(ctx: Context, **asked: Unpack[StateListing]) -> dict[str, Any]:
    """Endpoints of the account and region, newest first unless another order is asked for."""

    def found(tx: Tx) -> dict[str, Any]:
        endpoints = (each for _, each in ENDPOINTS.within(tx, *ctx.location))
        shown, more = listed(endpoints, _ORDERS, asked, "Descending")
        return {"Endpoints": [each.summary() for each in shown], **more}

    return await ctx.store.read(found)


async def _check_key(ctx: Context, config_name: str) -> None:
    config = await ctx.store.read(lambda tx: require_config(tx, ctx, config_name))
    await kms_keys.check_endpoint(ctx, config.request.get("KmsKeyId"))


def _require(tx: Tx, ctx: Context, name: str) -> Endpoint:
    arn = arns.endpoint(ctx.region, ctx.account, name)
    unknown = _invalid(f'Could not find endpoint "{arn}".')
    return ENDPOINTS.require(tx, ctx.key(name), lambda: unknown)


def _require_settled(tx: Tx, ctx: Context, name: str) -> Endpoint:
    """An endpoint that may be changed: "DeleteEndpoint is the only operation that can be performed on a
    failed endpoint". https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
    """
    endpoint = _require(tx, ctx, name)
    if endpoint.status in IN_PROGRESS:
        raise _in_progress(endpoint)
    if endpoint.status == FAILED:
        raise _invalid(f'Cannot update failed endpoint "{endpoint.arn}". Delete it and create it again.')
    return endpoint


def _in_progress(endpoint: Endpoint) -> Fault:
    """https://github.com/aws-controllers-k8s/sagemaker-controller knows the beginning of AWS's sentence."""
    return _invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _invalid(message: str) -> Fault:
    return Fault("ValidationException", message)


_ORDERS: Orders[Endpoint] = {
    "CreationTime": (lambda endpoint: (endpoint.created, endpoint.name), (float, str)),
    "Name": (lambda endpoint: (endpoint.name,), (str,)),
    "Status": (lambda endpoint: (endpoint.status, endpoint.name), (str, str)),
}
