"""Transform jobs: CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob.

A job has the containers of its model, and acts as the role of its model: nothing is passed.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from collections.abc import Mapping
from typing import Any, Unpack

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker import models
from passrole.services.sagemaker.jobs import batch_rules, lookup, refusals
from passrole.services.sagemaker.jobs.batch_rules import BadRule
from passrole.services.sagemaker.jobs.creation import Declared, create
from passrole.services.sagemaker.jobs.kinds import TRANSFORM
from passrole.services.sagemaker.listing import StateListing
from passrole.services.sagemaker.models import Model
from passrole.services.tags import TagList
from passrole.store import Tx

_DECLARED = Declared(TRANSFORM)


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    model = arns.model(ctx.region, ctx.account, parameters["model_name"])
    return {**_DECLARED.keys(ctx, parameters), "sagemaker:ModelArn": model}


@operation(
    "sagemaker:CreateTransformJob",
    resource=_DECLARED.resource,
    keys=_keys,
    also=_DECLARED.also,
    keeps=[
        *("BatchStrategy", "DataCaptureConfig", "DataProcessing", "Environment", "ExperimentConfig"),
        *("MaxConcurrentTransforms", "MaxPayloadInMB", "ModelClientConfig", "TransformInput"),
        *("TransformOutput", "TransformResources"),
    ],
)
async def create_transform_job(
    ctx: Context, *, transform_job_name: str, model_name: str, kept: Mapping[str, Any], tags: TagList = ()
) -> dict[str, Any]:
    """Start a job; it is InProgress in the response.

    Raises ValidationException for an unknown model, one without a role, and parameters that do not agree.
    """
    _check(kept)

    def found(tx: Tx) -> tuple[Model, list[Mapping[str, Any]]]:
        model = models.require_model(tx, ctx, model_name)
        return model, models.served_containers(tx, ctx, model)

    model, served = await ctx.store.read(found)
    if model.role_arn is None:
        message = f"The model {model.arn} has no ExecutionRoleArn, as which a transform job reads and writes."
        raise Fault("ValidationException", message)
    return await create(
        ctx,
        TRANSFORM,
        transform_job_name,
        model.role_arn,
        {**kept, "ModelName": model_name},
        tags,
        served=served,
        is_isolated=bool(model.request.get("EnableNetworkIsolation")),
    )


@operation("sagemaker:DescribeTransformJob", resource=_DECLARED.resource)
async def describe_transform_job(ctx: Context, *, transform_job_name: str) -> dict[str, Any]:
    """Everything about a job. Raises ResourceNotFound."""
    return TRANSFORM.description(await lookup.job(ctx, TRANSFORM, transform_job_name))


@operation("sagemaker:StopTransformJob", resource=_DECLARED.resource)
async def stop_transform_job(ctx: Context, *, transform_job_name: str) -> None:
    """Stop a job; no output of it is stored."""
    await lookup.stop(ctx, TRANSFORM, transform_job_name)


@operation("sagemaker:ListTransformJobs")
async def list_transform_jobs(ctx: Context, **asked: Unpack[StateListing]) -> dict[str, Any]:
    """Jobs of the account and region, newest first unless another order is asked for."""
    return await lookup.page(ctx, TRANSFORM, asked, "Descending")


def _check(request: Mapping[str, Any]) -> None:
    """Raises ValidationException for unsupported parameters, and for those that contradict each other."""
    if request.get("DataCaptureConfig"):
        raise refusals.unsupported("DataCaptureConfig", "of transform jobs")
    data_type = request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"]
    if data_type not in ("S3Prefix", "ManifestFile"):
        raise refusals.unsupported("S3DataType", data_type)
    try:
        batch_rules.rules(request)
    except BadRule as error:
        raise Fault("ValidationException", str(error)) from None
