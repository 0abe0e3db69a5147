"""The needs of a job's own role: data in S3 by prefix, logs, image, keys, network.

What the code in the container needs beyond that is unknown. EMR Serverless's are in `job_runs`.
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html lists them for each Create operation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from passrole.needs.checks import CHECKS, baseline_of, found_elsewhere, shadow_endpoint, why_optional
from passrole.needs.document import Definition, RawStep
from passrole.needs.job_runs import needs_of_job_run
from passrole.needs.need import ANY, Need, Place, bucket_and_key, key_arn, object_arn, repository_arn
from passrole.needs.need import role_arn as role_arn_of
from passrole.needs.steps import Kind, below
from passrole.policy.request import Values
from passrole.policy.sagemaker_keys import values_at

_METRICS: Final = "a job runs without its metrics"
_ENCRYPT: Final = "S3 asks for kms:GenerateDataKey instead"
_LOG_ACTIONS: Final = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
_IMAGE_ACTIONS: Final = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
_NETWORK_ACTIONS: Final = (
    "CreateNetworkInterface",
    "CreateNetworkInterfacePermission",
    "DeleteNetworkInterface",
    "DeleteNetworkInterfacePermission",
    "DescribeDhcpOptions",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
)


@dataclass(frozen=True, slots=True)
class _Job:
    """The paths in a job's arguments of what its role uses. `role` is a path too; a transform job uses its
    model's role.
    """

    log_group: str
    role: str = "RoleArn"
    inputs: tuple[str, ...] = ()
    artefacts: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    volume_keys: tuple[str, ...] = ()
    output_keys: tuple[str, ...] = ()
    network: tuple[str, ...] = ("VpcConfig",)


def needs_of_job_roles(definition: Definition, place: Place) -> list[Need]:
    """The needs of the jobs' own roles, in the order of the steps, without duplicates within a step."""
    found = [
        need for step in definition.steps for need in _OWN.get(step.type, _of_jobs)(step, definition, place)
    ]
    return list(
        {
            (need.step, need.role, need.action, need.resource, str(need.context)): need for need in found
        }.values()
    )


def _of_jobs(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    for job, arguments in _jobs(step):
        yield from _needs(job, arguments, step, definition, place)


def _jobs(step: RawStep) -> Iterator[tuple[_Job, Any]]:
    """The jobs of a step with their arguments; a tuning job has one for each of its definitions."""
    job = _JOBS.get(step.type)
    if job is None:
        return
    if step.type != "Tuning":
        yield job, step.arguments
        return
    for path in ("TrainingJobDefinition", "TrainingJobDefinitions[]"):
        yield from ((job, inner) for inner in values_at(step.arguments, path))


def _needs(job: _Job, arguments: Any, step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    if job.role == _OF_THE_MODEL:
        role = _role_of_model(step, definition, place)
    else:
        named = values_at(arguments, job.role)
        role = role_arn_of(definition.text(named[0]), place) if named else None
    if role is None:
        return
    texts = _Texts(arguments, definition)
    found = (
        *_reads(texts.of(job.inputs), place),
        *_checks(step, definition, place),
        *_loads(texts.of(job.artefacts), place),
        *_writes(texts.of(job.outputs), place),
        *_calls(texts.of(job.arguments), place),
        *_logs(job.log_group, place),
        *_images(texts.of(job.images), place),
        *_volumes(texts.of(job.volume_keys), place),
        *_encryption(texts.of(job.output_keys), place),
        *(_network() if any(values_at(arguments, path) for path in job.network) else ()),
    )
    yield from (replace(need, step=step.name, role=role) for need in found)


@dataclass(frozen=True, slots=True)
class _Texts:
    arguments: Any
    definition: Definition

    def of(self, paths: tuple[str, ...]) -> list[str]:
        """The distinct texts at the paths."""
        found = (self.definition.text(value) for path in paths for value in values_at(self.arguments, path))
        return list(dict.fromkeys(text for text in found if text))


def _role_of_model(step: RawStep, definition: Definition, place: Place) -> str | None:
    """The role of a transform job's model, if a step of the pipeline creates that model."""
    model = definition.creator_of_model(step)
    if model is None:
        return role_arn_of(ANY, place)
    return role_arn_of(definition.text(model.arguments.get("ExecutionRoleArn")), place)


def _reads(uris: list[str], place: Place) -> Iterator[Need]:
    for uri in uris:
        objects, found = below(uri, place), bucket_and_key(uri)
        if objects is None or found is None:
            continue
        bucket, prefix = found
        arn = str(object_arn(f"s3://{bucket}", place)).rstrip("/")
        prefixes: dict[str, Values] = {"s3:prefix": prefix}
        yield _need("s3:ListBucket", arn, "lists its input", prefixes, is_pattern=ANY in arn)
        yield _need("s3:GetObject", objects, "reads its input", is_pattern=True)


def _checks(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The earlier baseline of a check, and the endpoint that its job makes of a model."""
    if step.type not in CHECKS:
        return
    baseline = baseline_of(step, definition)
    if baseline.is_read is not False:
        for need in _reads([uri for uri in baseline.supplied if uri != ANY], place):
            yield replace(need, why="reads the earlier baseline", optional=why_optional(baseline.is_read))
        if unsure := found_elsewhere(baseline):
            for need in _reads([ANY], place):
                yield replace(need, why="reads the earlier baseline", optional=unsure)
    yield from shadow_endpoint(step, definition, place)


def _loads(uris: list[str], place: Place) -> Iterator[Need]:
    for uri in uris:
        arn = object_arn(uri, place)
        if arn is not None:
            yield _need("s3:GetObject", arn, "loads its model", is_pattern=ANY in arn)


def _writes(uris: list[str], place: Place) -> Iterator[Need]:
    for uri in uris:
        objects = below(uri if uri == ANY else f"{uri.rstrip('/')}/", place)
        if objects is not None:
            yield _need("s3:PutObject", objects, "writes its output", is_pattern=True)


def _calls(words: list[str], place: Place) -> Iterator[Need]:
    """A function of the SDK's @step and @remote is read below an address, and so are the results of others;
    its own are written there. https://docs.aws.amazon.com/sagemaker/latest/dg/train-remote-decorator.html
    """
    if _BASE not in words or _CLIENT not in words:
        return
    objects = below(f"{words[words.index(_BASE) + 1].rstrip('/')}/", place)
    if objects is not None:
        yield _need("s3:GetObject", objects, "reads its function and its arguments", is_pattern=True)
        yield _need("s3:PutObject", objects, "writes its result", is_pattern=True)


def _logs(group: str, place: Place) -> Iterator[Need]:
    arn = place.arn("logs", f"log-group:{group}:{ANY}")
    for action in _LOG_ACTIONS:
        yield _need(f"logs:{action}", arn, "writes its logs", is_pattern=True)
    yield _need("cloudwatch:PutMetricData", ANY, "publishes its metrics", optional=_METRICS)


def _images(images: list[str], place: Place) -> Iterator[Need]:
    repositories = [arn for image in images if (arn := repository_arn(image, place)) is not None]
    if repositories:
        yield _need("ecr:GetAuthorizationToken", ANY, "pulls its image")
    for arn in dict.fromkeys(repositories):
        for action in _IMAGE_ACTIONS:
            yield _need(f"ecr:{action}", arn, "pulls its image", is_pattern=ANY in arn)


def _volumes(keys: list[str], place: Place) -> Iterator[Need]:
    for arn in dict.fromkeys(key_arn(key, place) for key in keys):
        for action in ("CreateGrant", "DescribeKey"):
            yield _need(f"kms:{action}", arn, "encrypts its volumes", is_pattern=ANY in arn)


def _encryption(keys: list[str], place: Place) -> Iterator[Need]:
    for arn in dict.fromkeys(key_arn(key, place) for key in keys):
        for action in ("GenerateDataKey", "Decrypt"):
            yield _need(f"kms:{action}", arn, "encrypts its output", is_pattern=ANY in arn)
        yield _need("kms:Encrypt", arn, "encrypts its output", is_pattern=ANY in arn, optional=_ENCRYPT)


def _network() -> Iterator[Need]:
    for action in _NETWORK_ACTIONS:
        yield _need(f"ec2:{action}", ANY, "joins the VPC")


def _need(
    action: str,
    resource: str,
    why: str,
    context: Mapping[str, Values] | None = None,
    *,
    is_pattern: bool = False,
    optional: str | None = None,
) -> Need:
    return Need(None, action, resource, why, context or {}, is_pattern=is_pattern, optional=optional)


_BASE, _CLIENT = "--s3_base_uri", "--client_python_version"
_OF_THE_MODEL: Final = "the model's role"
_CHANNELS: Final = ("InputDataConfig[].DataSource.S3DataSource.S3Uri",)
_TRAINING: Final = _Job(
    "/aws/sagemaker/TrainingJobs",
    inputs=(*_CHANNELS, "CheckpointConfig.S3Uri"),
    outputs=(
        "OutputDataConfig.S3OutputPath",
        "CheckpointConfig.S3Uri",
        "DebugHookConfig.S3OutputPath",
        "ProfilerConfig.S3OutputPath",
        "TensorBoardOutputConfig.S3OutputPath",
    ),
    arguments=("AlgorithmSpecification.ContainerArguments[]",),
    images=("AlgorithmSpecification.TrainingImage",),
    volume_keys=("ResourceConfig.VolumeKmsKeyId", "HyperParameterTuningResourceConfig.VolumeKmsKeyId"),
    output_keys=("OutputDataConfig.KmsKeyId",),
)
_PROCESSING: Final = _Job(
    "/aws/sagemaker/ProcessingJobs",
    inputs=("ProcessingInputs[].S3Input.S3Uri",),
    outputs=("ProcessingOutputConfig.Outputs[].S3Output.S3Uri",),
    images=("AppSpecification.ImageUri",),
    volume_keys=("ProcessingResources.ClusterConfig.VolumeKmsKeyId",),
    output_keys=("ProcessingOutputConfig.KmsKeyId",),
    network=("NetworkConfig.VpcConfig",),
)
_JOBS: Final[Mapping[str, _Job]] = {
    "Training": _TRAINING,
    "Tuning": _TRAINING,
    "Processing": _PROCESSING,
    "ClarifyCheck": _PROCESSING,
    "QualityCheck": _PROCESSING,
    "AutoML": _Job(
        "/aws/sagemaker/ProcessingJobs",
        inputs=_CHANNELS,
        outputs=("OutputDataConfig.S3OutputPath",),
        volume_keys=("AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId",),
        output_keys=("OutputDataConfig.KmsKeyId",),
        network=("AutoMLJobConfig.SecurityConfig.VpcConfig",),
    ),
    "Model": _Job(
        "/aws/sagemaker/Endpoints/*",
        role="ExecutionRoleArn",
        artefacts=("PrimaryContainer.ModelDataUrl", "Containers[].ModelDataUrl"),
        images=("PrimaryContainer.Image", "Containers[].Image"),
    ),
    "Transform": _Job(
        "/aws/sagemaker/TransformJobs",
        role=_OF_THE_MODEL,
        inputs=("TransformInput.DataSource.S3DataSource.S3Uri",),
        outputs=("TransformOutput.S3OutputPath",),
        volume_keys=("TransformResources.VolumeKmsKeyId",),
        output_keys=("TransformOutput.KmsKeyId",),
    ),
}
_OWN: Final[Mapping[str, Kind]] = {"EMRServerless": needs_of_job_run}
