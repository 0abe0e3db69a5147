"""Processing jobs: CreateProcessingJob, DescribeProcessingJob, ListProcessingJobs, StopProcessingJob.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from collections.abc import Mapping
from typing import Any, Unpack

from passrole.runtimes.ml.folder import OutsideOfMl, below_ml, local_paths
from passrole.services.context import Context
from passrole.services.operation import PassRole, operation
from passrole.services.sagemaker.jobs import lookup, refusals
from passrole.services.sagemaker.jobs.creation import Declared, create
from passrole.services.sagemaker.jobs.kinds import PROCESSING
from passrole.services.sagemaker.listing import StateListing
from passrole.services.sagemaker.roles import SERVICE
from passrole.services.tags import TagList

_DECLARED = Declared(PROCESSING)


@operation(
    "sagemaker:CreateProcessingJob",
    resource=_DECLARED.resource,
    passes=[PassRole("role_arn", SERVICE)],
    keys=_DECLARED.keys,
    also=_DECLARED.also,
    keeps=[
        *("AppSpecification", "Environment", "ExperimentConfig", "NetworkConfig", "ProcessingInputs"),
        *("ProcessingOutputConfig", "ProcessingResources", "StoppingCondition"),
    ],
)
async def create_processing_job(
    ctx: Context, *, processing_job_name: str, role_arn: str, kept: Mapping[str, Any], tags: TagList = ()
) -> dict[str, Any]:
    """Start a job; it is InProgress in the response."""
    _check(kept)
    return await create(ctx, PROCESSING, processing_job_name, role_arn, kept, tags)


@operation("sagemaker:DescribeProcessingJob", resource=_DECLARED.resource)
async def describe_processing_job(ctx: Context, *, processing_job_name: str) -> dict[str, Any]:
    """Everything about a job. Raises ResourceNotFound."""
    return PROCESSING.description(await lookup.job(ctx, PROCESSING, processing_job_name))


@operation("sagemaker:StopProcessingJob", resource=_DECLARED.resource)
async def stop_processing_job(ctx: Context, *, processing_job_name: str) -> None:
    """Stop a job: SIGTERM, and SIGKILL 120 seconds later."""
    await lookup.stop(ctx, PROCESSING, processing_job_name)


@operation("sagemaker:ListProcessingJobs")
async def list_processing_jobs(ctx: Context, **asked: Unpack[StateListing]) -> dict[str, Any]:
    """Jobs of the account and region, by creation time unless SortBy has another order."""
    return await lookup.page(ctx, PROCESSING, asked, "Ascending")


def _check(request: Mapping[str, Any]) -> None:
    """Raises ValidationException for unsupported parameters, and for paths outside of /opt/ml."""
    try:
        for path in local_paths(request):
            below_ml(path)
    except OutsideOfMl as error:
        raise refusals.outside_of_ml(str(error)) from None
    for each in request.get("ProcessingInputs") or ():
        if each.get("DatasetDefinition"):
            raise refusals.unsupported("ProcessingInputs", "DatasetDefinition")
    for each in (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ():
        if each.get("FeatureStoreOutput"):
            raise refusals.unsupported("Outputs", "FeatureStoreOutput")
