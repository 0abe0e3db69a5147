"""Training jobs: CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob.

Whether the image can be run here is not asked at their creation, where AWS would have it: such a job fails.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from passrole.runtimes.ml.folder import OutsideOfMl, channel_path, checkpoints_path
from passrole.services.context import Context
from passrole.services.operation import PassRole, operation
from passrole.services.sagemaker.jobs import lookup, refusals
from passrole.services.sagemaker.jobs.creation import Declared, create
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.services.sagemaker.jobs.metric_definitions import metrics
from passrole.services.sagemaker.listing import StateListing
from passrole.services.sagemaker.roles import SERVICE
from passrole.services.tags import TagList

_DECLARED = Declared(TRAINING)
_OTHER_SOURCES = ("FileSystemDataSource", "DatasetSource")


@operation(
    "sagemaker:CreateTrainingJob",
    resource=_DECLARED.resource,
    passes=[PassRole("role_arn", SERVICE)],
    keys=_DECLARED.keys,
    also=_DECLARED.also,
    keeps=[
        *("AlgorithmSpecification", "HyperParameters", "InputDataConfig", "OutputDataConfig"),
        *("ResourceConfig", "StoppingCondition", "CheckpointConfig", "Environment", "RetryStrategy"),
        *("VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
        *("EnableManagedSpotTraining", "ExperimentConfig", "DebugHookConfig", "DebugRuleConfigurations"),
        *("TensorBoardOutputConfig", "ProfilerConfig", "ProfilerRuleConfigurations"),
        *("RemoteDebugConfig", "InfraCheckConfig"),
    ],
)
async def create_training_job(
    ctx: Context, *, training_job_name: str, role_arn: str, kept: Mapping[str, Any], tags: TagList = ()
) -> dict[str, Any]:
    """Start a job; it is InProgress in the response."""
    check(kept)
    return await create(ctx, TRAINING, training_job_name, role_arn, kept, tags, sources(kept))


@operation("sagemaker:DescribeTrainingJob", resource=_DECLARED.resource)
async def describe_training_job(ctx: Context, *, training_job_name: str) -> dict[str, Any]:
    """Everything about a job. Raises ValidationException for an unknown name, as AWS does."""
    return TRAINING.description(await lookup.job(ctx, TRAINING, training_job_name))


@operation("sagemaker:StopTrainingJob", resource=_DECLARED.resource)
async def stop_training_job(ctx: Context, *, training_job_name: str) -> None:
    """Stop a job: SIGTERM, and SIGKILL 120 seconds later. Files in /opt/ml/model are uploaded."""
    await lookup.stop(ctx, TRAINING, training_job_name)


@operation("sagemaker:ListTrainingJobs")
async def list_training_jobs(ctx: Context, **asked: Unpack[StateListing]) -> dict[str, Any]:
    """Jobs of the account and region, by creation time unless SortBy has another order."""
    return await lookup.page(ctx, TRAINING, asked, "Ascending")


def sources(request: Mapping[str, Any]) -> list[str]:
    """Where its channels have their data, or the manifests of them."""
    channels: Sequence[Mapping[str, Any]] = request.get("InputDataConfig") or ()
    found = [channel["DataSource"].get("S3DataSource") for channel in channels]
    return [each["S3Uri"] for each in found if each is not None and each["S3Uri"].startswith("s3://")]


def check(request: Mapping[str, Any]) -> None:
    """Raises ValidationException for unsupported parameters, bad paths, and expressions that RE2 refuses."""
    channels: Sequence[Mapping[str, Any]] = request.get("InputDataConfig") or ()
    try:
        for channel in channels:
            channel_path(channel["ChannelName"])
        checkpoints_path(request.get("CheckpointConfig") or {})
    except OutsideOfMl as error:
        raise refusals.outside_of_ml(str(error)) from None
    for channel in channels:
        for source in _OTHER_SOURCES:
            if channel["DataSource"].get(source):
                raise refusals.unsupported("DataSource", source)
    metrics(request["AlgorithmSpecification"])
