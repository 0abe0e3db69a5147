"""Configurations of endpoints: CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs,
DeleteEndpointConfig.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from collections.abc import Mapping
from typing import Any, Unpack

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.policy.sagemaker_keys import model_keys, sagemaker_keys
from passrole.services.context import Context
from passrole.services.operation import KEPT, Parameters, PassRole, operation
from passrole.services.sagemaker.hosting import variants
from passrole.services.sagemaker.hosting.records import CONFIGS, Config
from passrole.services.sagemaker.listing import Listing, listed
from passrole.services.sagemaker.models import require_model
from passrole.services.sagemaker.paging import Orders
from passrole.services.sagemaker.roles import SERVICE, check_role
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Tx

_ACTION = "sagemaker:CreateEndpointConfig"
_VALIDATION = "sagemaker-endpoint-validation"


def config_arn(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the configuration that a call names."""
    return arns.endpoint_config(ctx.region, ctx.account, parameters["endpoint_config_name"])


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    def model(name: Any) -> str:
        return arns.model(ctx.region, ctx.account, name)

    kept = parameters[KEPT]
    own = {**sagemaker_keys(_ACTION, kept), **model_keys(_ACTION, kept, model)}
    return {**own, **TAGS.request_keys(ctx, parameters)}


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": "CreateEndpointConfig"}


@operation(
    _ACTION,
    resource=config_arn,
    passes=[PassRole("execution_role_arn", SERVICE)],
    keys=_keys,
    also=tagging("sagemaker:AddTags", config_arn, _tag_keys),
    keeps=[
        *("ProductionVariants", "DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig", "ExplainerConfig"),
        *("ShadowProductionVariants", "VpcConfig", "EnableNetworkIsolation", "MetricsConfig"),
    ],
)
async def create_endpoint_config(
    ctx: Context,
    *,
    endpoint_config_name: str,
    kept: Mapping[str, Any],
    execution_role_arn: str | None = None,
    tags: TagList = (),
) -> dict[str, Any]:
    """Store a configuration. Raises ValidationException, also for a name that is taken, for a model that is
    not there, and for what passrole does not serve.
    """
    arn = arns.endpoint_config(ctx.region, ctx.account, endpoint_config_name)
    config = Config(
        name=endpoint_config_name,
        account=ctx.account,
        region=ctx.region,
        role_arn=execution_role_arn,
        request=kept,
        created=ctx.clock(),
        tags=TAGS.read(tags),
    )
    variants.check(kept)
    if execution_role_arn is not None:
        await check_role(ctx, execution_role_arn, _VALIDATION, arn)

    def create(tx: Tx) -> None:
        for each in config.variants:
            variants.check_model(require_model(tx, ctx, each["ModelName"]))
        if not CONFIGS.add(tx, config.key, config):
            message = f'Cannot create already existing endpoint configuration "{arn}".'
            raise Fault("ValidationException", message)

    await ctx.store.write(create)
    return {"EndpointConfigArn": arn}


@operation("sagemaker:DescribeEndpointConfig", resource=config_arn)
async def describe_endpoint_config(ctx: Context, *, endpoint_config_name: str) -> dict[str, Any]:
    """Everything about a configuration. Raises ValidationException for an unknown name."""
    config = await ctx.store.read(lambda tx: require_config(tx, ctx, endpoint_config_name))
    return config.description()


@operation("sagemaker:DeleteEndpointConfig", resource=config_arn)
async def delete_endpoint_config(ctx: Context, *, endpoint_config_name: str) -> None:
    """Delete a configuration; endpoints that were made from it go on. Raises ValidationException for an
    unknown name.
    """

    def delete(tx: Tx) -> None:
        CONFIGS.delete(tx, require_config(tx, ctx, endpoint_config_name).key)

    await ctx.store.write(delete)


@operation("sagemaker:ListEndpointConfigs")
async def list_endpoint_configs(ctx: Context, **asked: Unpack[Listing]) -> dict[str, Any]:
    """Configurations of the account and region, newest first unless another order is asked for."""

    def found(tx: Tx) -> dict[str, Any]:
        configs = (each for _, each in CONFIGS.within(tx, *ctx.location))
        shown, more = listed(configs, _ORDERS, asked, "Descending")
        return {"EndpointConfigs": [each.summary() for each in shown], **more}

    return await ctx.store.read(found)


def require_config(tx: Tx, ctx: Context, name: str) -> Config:
    """The configuration of that name. Raises ValidationException."""
    arn = arns.endpoint_config(ctx.region, ctx.account, name)
    unknown = Fault("ValidationException", f'Could not find endpoint configuration "{arn}".')
    return CONFIGS.require(tx, ctx.key(name), lambda: unknown)


_ORDERS: Orders[Config] = {
    "CreationTime": (lambda config: (config.created, config.name), (float, str)),
    "Name": (lambda config: (config.name,), (str,)),
}
