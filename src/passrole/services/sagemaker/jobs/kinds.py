"""The kinds of jobs, one row each: their names on the wire and in ARNs, and where they are stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from passrole import arns
from passrole.arns import Account, Region
from passrole.policy.sagemaker_keys import values_at
from passrole.services.sagemaker.jobs import metric_definitions
from passrole.services.sagemaker.jobs.records import Job
from passrole.store import Collection


@dataclass(frozen=True)
class JobKind:
    """`word` begins the names of members (`TrainingJobName`); `resource` is the type in ARNs, and the kind of
    the worker's tasks. `phases` has AWS's message for each secondary status, where the kind has them.
    `further` are members that its description adds, `in_summaries` those of List, `A.B` for B of A. `missing`
    has code and message of the error for an unknown name; `{name}` stands for it. `taken` is the message for
    a name that is used, with `{name}` and `{arn}`.
    """

    word: str
    resource: str
    collection: Collection[Job]
    phases: Mapping[str, str]
    further: Callable[[Job], Mapping[str, Any]]
    in_summaries: tuple[str, ...]
    missing: tuple[str, str]
    taken: str = (
        "Job name must be unique within an AWS account and region, "
        "and a job with this name already exists ({arn})"
    )
    called: str | None = None
    """The word as people read it, where it differs."""

    @property
    def member(self) -> str:
        """The prefix of the names of its own members: `TrainingJob`."""
        return f"{self.word}Job"

    @property
    def event(self) -> str:
        """The detail type of its events."""
        return f"SageMaker {self.called or self.word} Job State Change"

    @property
    def name_parameter(self) -> str:
        """The parameter of its operations that has the name: `training_job_name`."""
        return f"{self.resource.replace('-', '_')}_name"

    def arn(self, region: Region, account: Account, name: str) -> str:
        """The ARN of the job of that name."""
        return arns.sagemaker_job(region, account, self.resource, name)

    def description(self, job: Job) -> dict[str, Any]:
        """The members that Describe returns and events have; those without a value are absent."""
        members = {
            f"{self.member}Name": job.name,
            f"{self.member}Arn": job.arn,
            f"{self.member}Status": job.status,
            **job.request,
            "CreationTime": job.created,
            f"{self.word}StartTime": job.started,
            f"{self.word}EndTime": job.ended,
            "FailureReason": job.failure_reason,
            **self.further(job),
            **job.results,
        }
        return {name: value for name, value in members.items() if value is not None}

    def summary(self, job: Job) -> dict[str, Any]:
        """The members of a job in the response of List."""
        names = (
            f"{self.member}Name",
            f"{self.member}Arn",
            "CreationTime",
            f"{self.word}EndTime",
            "LastModifiedTime",
            f"{self.member}Status",
            *self.in_summaries,
        )
        described = {**self.description(job), "LastModifiedTime": job.modified}
        found = {path.rpartition(".")[2]: values_at(described, path) for path in names}
        return {name: values[0] for name, values in found.items() if values}


def output_key(job: Job) -> str | None:
    """The KMS key of what a job leaves in S3, as its request names it."""
    found = ((job.request.get(member) or {}).get("KmsKeyId") for member in _OUTPUTS)
    return next(filter(None, found), None)


def has_network_of_its_own(job: Job) -> bool:
    """Whether its request names a VPC."""
    network = job.request.get("NetworkConfig") or {}
    return bool(job.request.get("VpcConfig") or network.get("VpcConfig"))


_OUTPUTS = ("OutputDataConfig", "ProcessingOutputConfig", "TransformOutput")


def _of_training(job: Job) -> Mapping[str, Any]:
    seconds = None if job.started is None or job.ended is None else int(job.ended - job.started)
    return {
        "RoleArn": job.role_arn,
        "LastModifiedTime": job.modified,
        # empty without a key, as AWS has it: the SDK's best_estimator reads it
        "OutputDataConfig": {"KmsKeyId": "", **job.request["OutputDataConfig"]},
        "AlgorithmSpecification": metric_definitions.described(job.request["AlgorithmSpecification"]),
        "SecondaryStatus": job.secondary,
        "SecondaryStatusTransitions": list(job.transitions),
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
        "EnableNetworkIsolation": job.request.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": job.request.get(
            "EnableInterContainerTrafficEncryption", False
        ),
        "EnableManagedSpotTraining": job.request.get("EnableManagedSpotTraining", False),
        # "we return" it from the start on, where the artefacts will be: the SDK reads it while the job runs
        "ModelArtifacts": {"S3ModelArtifacts": artefact_uri(job, MODEL)},
    }


MODEL, OUTPUT = "model", "output"
"""The artefacts of a training job."""


def artefact_uri(job: Job, name: str) -> str:
    """Where a training job leaves an artefact: an archive, or a folder of its files. S3OutputPath may end
    with a slash.
    """
    last = f"{name}.tar.gz" if is_compressed(job) else f"{name}/"
    return f"{job.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}/output/{last}"


def is_compressed(job: Job) -> bool:
    """Whether the artefacts are archives.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
    """
    return bool(job.request["OutputDataConfig"].get("CompressionType") != "NONE")


def _of_processing(job: Job) -> Mapping[str, Any]:
    return {"RoleArn": job.role_arn, "LastModifiedTime": job.modified, "ExitMessage": job.exit_message}


_TRAINING_PHASES: Mapping[str, str] = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
"""As the SDK prints them for real jobs in public notebooks; the last two are passrole's own.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html
"""

TRAINING = JobKind(
    "Training",
    "training-job",
    Collection("training-job", Job),
    _TRAINING_PHASES,
    _of_training,
    in_summaries=("SecondaryStatus",),
    # unlike its service description: https://github.com/boto/boto3/issues/2808
    missing=("ValidationException", "Requested resource not found."),
)
PROCESSING = JobKind(
    "Processing",
    "processing-job",
    Collection("processing-job", Job),
    {},
    _of_processing,
    in_summaries=("FailureReason", "ExitMessage"),
    missing=("ResourceNotFound", "Could not find requested job with name: {name}"),
)
TRANSFORM = JobKind(
    "Transform",
    "transform-job",
    Collection("transform-job", Job),
    {},
    lambda _job: {},  # neither a role, which is its model's, nor LastModifiedTime
    in_summaries=("FailureReason",),
    missing=("ResourceNotFound", "Could not find requested job with name: {name}"),
)
TUNING = JobKind(
    "HyperParameterTuning",
    "hyper-parameter-tuning-job",
    Collection("hyper-parameter-tuning-job", Job),
    {},
    lambda job: {"LastModifiedTime": job.modified},
    in_summaries=(
        "HyperParameterTuningJobConfig.Strategy",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
        "HyperParameterTuningJobConfig.ResourceLimits",
    ),
    # https://github.com/aws/amazon-sagemaker-examples/issues/1540
    missing=(
        "ResourceNotFound",
        "Amazon SageMaker can't find a tuning job called {name}. Type another name.",
    ),
    # https://github.com/aws/amazon-sagemaker-examples/issues/2440
    taken="A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.",
    called="HyperParameter Tuning",
)
KINDS: Mapping[str, JobKind] = {kind.resource: kind for kind in (TRAINING, PROCESSING, TRANSFORM, TUNING)}
