"""The permissions that each type of step needs as the pipeline's execution role: a row for each type, with
sources.

`steps` makes needs of this data. `{Member}` in a resource is the name in the step's arguments, or the pattern
of the name that SageMaker generates (`document`). A type that is not here is reported as unknown, never as
needing nothing. docs/reference/step-permissions.md is this table for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from passrole.needs.need import SAGEMAKER, Phase

_GUIDE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg"
_AUTHORIZATION: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference"
ACCESS: Final = f"{_GUIDE}/build-and-manage-access.html"
API: Final = f"{_GUIDE}/api-permissions-reference.html"
SAGEMAKER_REFERENCE: Final = f"{_AUTHORIZATION}/list_amazonsagemaker.html"
_JOBS: Final = (ACCESS, API, SAGEMAKER_REFERENCE)

EXECUTION_TAG: Final = "sagemaker:pipeline-execution-arn"
STEP_TAG: Final = "sagemaker:pipeline-step-name"
"""The tags of everything that a step creates: https://github.com/getindata/kedro-sagemaker/issues/20, and the
lineage classes of AWS's SDK read the first.
"""

NOT_STOPPED: Final = "only an execution that is stopped asks for it"
OWN_ROLE: Final = "a run can do without it where the job's own role has it"
_STAYS: Final = "an application that the role may not remove stays, and stops by itself"
_IF_THERE: Final = "only for one that exists already"
NO_BASELINE: Final = "only where an earlier baseline is needed and not supplied"


@dataclass(frozen=True, slots=True)
class Ask:
    """A call. `creates`: it carries the condition keys of its arguments, and of its tags where it `has_tags`.
    `optional`: why a run works without it. `only_with`, `only_without`: it is made only if the step has that
    argument or member, or has not. `tagging` is the operation for which AddTags is asked.
    """

    action: str
    resource: str
    why: str
    when: Phase = "start"
    optional: str | None = None
    creates: bool = False
    has_tags: bool = True
    only_with: str | None = None
    only_without: str | None = None
    tagging: str | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """A role that the step passes; `path` is its place in the arguments."""

    path: str
    service: str = SAGEMAKER


@dataclass(frozen=True, slots=True)
class StepType:
    """A row. `keys` and `artefacts` are paths of KMS keys and model artefacts in the arguments; `sources` are
    links to AWS's documentation.
    """

    sources: tuple[str, ...]
    asks: tuple[Ask, ...] = ()
    passes: tuple[Pass, ...] = ()
    keys: tuple[str, ...] = ()
    artefacts: tuple[str, ...] = ()


def _create(operation: str, resource: str, why: str = "is the step's own call") -> Ask:
    return Ask(f"sagemaker:{operation}", resource, why, creates=True)


def _tag(resource: str, operation: str) -> Ask:
    why = "Pipelines tags what it creates"
    return Ask("sagemaker:AddTags", resource, why, creates=True, tagging=operation)


def _follow(operation: str, resource: str) -> Ask:
    return Ask(f"sagemaker:{operation}", resource, "follows it", when="progress")


def _stop(operation: str, resource: str) -> Ask:
    why = "ends it when the execution is stopped"
    return Ask(f"sagemaker:{operation}", resource, why, when="stop", optional=NOT_STOPPED)


def _job(noun: str, resource: str) -> tuple[Ask, ...]:
    return (
        _create(f"Create{noun}", resource),
        _tag(resource, f"Create{noun}"),
        _follow(f"Describe{noun}", resource),
        _stop(f"Stop{noun}", resource),
    )


_IN_GROUP: Final = "ModelPackageGroupName"
_GROUP: Final = "model-package-group/{ModelPackageGroupName}"
_PACKAGES: Final = "model-package/{ModelPackageGroupName}/*"
_TUNING: Final = "hyper-parameter-tuning-job/{HyperParameterTuningJobName}"
_CONFIG: Final = "endpoint-config/{EndpointConfigName}"
_ENDPOINT: Final = "endpoint/{EndpointName}"
_COMPONENT: Final = "inference-component/{InferenceComponentName}"
_APPLICATION: Final = "/applications/{ApplicationId}"
_JOB_RUNS: Final = "/applications/{ApplicationId}/jobruns/*"
_RESOURCE_KEYS: Final = ("ResourceConfig.VolumeKmsKeyId", "OutputDataConfig.KmsKeyId")
_PROCESSING: Final = StepType(
    (*_JOBS, f"{_GUIDE}/sagemaker-roles.html"),
    _job("ProcessingJob", "processing-job/{ProcessingJobName}"),
    (Pass("RoleArn"),),
    ("ProcessingResources.ClusterConfig.VolumeKmsKeyId", "ProcessingOutputConfig.KmsKeyId"),
)
_CHECK: Final = StepType(
    (*_PROCESSING.sources, f"{_GUIDE}/pipelines-quality-clarify-baseline-lifecycle.html"),
    (
        *_PROCESSING.asks,
        Ask(
            "sagemaker:ListModelPackages",
            _PACKAGES,
            "finds the latest approved baseline",
            optional=NO_BASELINE,
            only_with="ModelPackageGroupName",
        ),
        Ask(
            "sagemaker:DescribeModelPackage",
            _PACKAGES,
            "reads that baseline",
            optional=NO_BASELINE,
            only_with="ModelPackageGroupName",
        ),
    ),
    _PROCESSING.passes,
    _PROCESSING.keys,
)


def _bedrock(operation: str, resource: str, kind: str) -> StepType:
    return StepType(
        (f"{_AUTHORIZATION}/list_amazonbedrock.html",),
        (
            Ask(f"bedrock:Create{operation}", resource, "is the step's own call", creates=True),
            Ask("bedrock:TagResource", f"{kind}/*", "gives it the step's Tags", only_with="Tags"),
            Ask(f"bedrock:Get{operation}", f"{kind}/*", "follows it", when="progress"),
        ),
        (Pass("RoleArn", "bedrock.amazonaws.com"), Pass("roleArn", "bedrock.amazonaws.com")),
    )


# The needs of Lambda, Callback and EMR steps are made by code (`steps`, `emr`); their rows have the sources
# only.
TABLE: Final[Mapping[str, StepType]] = {
    "Lambda": StepType((f"{_GUIDE}/build-and-manage-steps-types.html#step-type-lambda",)),
    "Callback": StepType((f"{_GUIDE}/build-and-manage-steps-types.html#step-type-callback",)),
    "EMR": StepType(
        (
            f"{_GUIDE}/build-and-manage-steps-types.html#step-type-emr",
            f"{_AUTHORIZATION}/list_amazonelasticmapreduce.html",
        )
    ),
    "Condition": StepType((f"{_GUIDE}/build-and-manage-steps-types.html#step-type-condition",)),
    "Fail": StepType((f"{_GUIDE}/build-and-manage-steps-types.html#step-type-fail",)),
    "ForEach": StepType(("https://github.com/aws/sagemaker-python-sdk",)),
    "Training": StepType(
        _JOBS, _job("TrainingJob", "training-job/{TrainingJobName}"), (Pass("RoleArn"),), _RESOURCE_KEYS
    ),
    "Processing": _PROCESSING,
    "ClarifyCheck": _CHECK,
    "QualityCheck": _CHECK,
    "Transform": StepType(
        _JOBS,
        _job("TransformJob", "transform-job/{TransformJobName}"),
        keys=("TransformResources.VolumeKmsKeyId", "TransformOutput.KmsKeyId"),
    ),
    "Tuning": StepType(
        _JOBS,
        (
            *_job("HyperParameterTuningJob", _TUNING),
            _follow("ListTrainingJobsForHyperParameterTuningJob", _TUNING),
        ),
        (Pass("TrainingJobDefinition.RoleArn"), Pass("TrainingJobDefinitions[].RoleArn")),
        tuple(
            f"{outer}.{path}"
            for outer in ("TrainingJobDefinition", "TrainingJobDefinitions[]")
            for path in (*_RESOURCE_KEYS, "HyperParameterTuningResourceConfig.VolumeKmsKeyId")
        ),
    ),
    "AutoML": StepType(
        _JOBS,
        _job("AutoMLJob", "automl-job/{AutoMLJobName}"),
        (Pass("RoleArn"),),
        ("AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId", "OutputDataConfig.KmsKeyId"),
    ),
    "Model": StepType(
        _JOBS,
        (
            _create("CreateModel", "model/{ModelName}"),
            _tag("model/{ModelName}", "CreateModel"),
            _follow("DescribeModel", "model/{ModelName}"),
        ),
        (Pass("ExecutionRoleArn"),),
    ),
    "RegisterModel": StepType(
        _JOBS,
        (
            replace(
                _create("CreateModelPackageGroup", _GROUP, "keeps the group of the package"),
                only_with=_IN_GROUP,
            ),
            replace(_tag(_GROUP, "CreateModelPackageGroup"), only_with=_IN_GROUP),
            replace(_create("CreateModelPackage", _PACKAGES), has_tags=False, only_with=_IN_GROUP),
            replace(_create("CreateModelPackage", _PACKAGES), only_without=_IN_GROUP),
            replace(_tag(_PACKAGES, "CreateModelPackage"), only_without=_IN_GROUP),
            _follow("DescribeModelPackage", _PACKAGES),
        ),
        artefacts=("InferenceSpecification.Containers[].ModelDataUrl",),
    ),
    "EndpointConfig": StepType(
        _JOBS,
        (
            _create("CreateEndpointConfig", _CONFIG),
            _tag(_CONFIG, "CreateEndpointConfig"),
            _follow("DescribeEndpointConfig", _CONFIG),
        ),
        (Pass("ExecutionRoleArn"),),
        ("KmsKeyId", "DataCaptureConfig.KmsKeyId", "AsyncInferenceConfig.OutputConfig.KmsKeyId"),
    ),
    "Endpoint": StepType(
        _JOBS,
        (
            _create("CreateEndpoint", _ENDPOINT),
            _create("CreateEndpoint", _CONFIG, "is asked of the configuration too"),
            _tag(_ENDPOINT, "CreateEndpoint"),
            _follow("DescribeEndpoint", _ENDPOINT),
            Ask("sagemaker:UpdateEndpoint", _ENDPOINT, "changes it", optional=_IF_THERE),
            Ask("sagemaker:UpdateEndpoint", _CONFIG, "changes it", optional=_IF_THERE),
        ),
    ),
    "InferenceComponent": StepType(
        _JOBS,
        (
            _create("CreateInferenceComponent", _COMPONENT),
            _create("CreateInferenceComponent", _ENDPOINT, "is asked of the endpoint too"),
            _tag(_COMPONENT, "CreateInferenceComponent"),
            _follow("DescribeInferenceComponent", _COMPONENT),
        ),
    ),
    "Lineage": StepType(
        _JOBS,
        tuple(
            ask
            for noun, member in (("Action", "Actions"), ("Artifact", "Artifacts"), ("Context", "Contexts"))
            for ask in (
                replace(_create(f"Create{noun}", f"{noun.lower()}/*", "is recorded"), only_with=member),
                replace(_tag(f"{noun.lower()}/*", f"Create{noun}"), only_with=member),
            )
        )
        + tuple(
            Ask("sagemaker:AddAssociation", f"{kind}/*", "joins what is recorded", only_with="Associations")
            for kind in ("action", "artifact", "context")
        ),
    ),
    "EMRServerless": StepType(
        (
            "https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html",
            f"{_AUTHORIZATION}/list_amazonemrserverless.html",
        ),
        (
            Ask(
                "emr-serverless:CreateApplication",
                "/*",
                "makes the application",
                only_with="ApplicationConfig",
            ),
            Ask(
                "emr-serverless:StartApplication",
                _APPLICATION,
                "starts it",
                only_with="ApplicationConfig",
            ),
            Ask("emr-serverless:StartJobRun", _APPLICATION, "is the step's own call"),
            Ask("emr-serverless:GetJobRun", _JOB_RUNS, "follows it", when="progress"),
            Ask(
                "emr-serverless:CancelJobRun",
                _JOB_RUNS,
                "ends it when the execution is stopped",
                when="stop",
                optional=NOT_STOPPED,
            ),
            *(
                Ask(
                    f"emr-serverless:{verb}Application",
                    _APPLICATION,
                    "removes it at the end",
                    when="progress",
                    optional=_STAYS,
                    only_with="ApplicationConfig",
                )
                for verb in ("Stop", "Delete")
            ),
        ),
        (Pass("ExecutionRoleArn", "emr-serverless.amazonaws.com"),),
    ),
    "Cleanup": StepType(("https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html",)),
    "BedrockCustomModel": _bedrock("CustomModel", "custom-model/*", "custom-model"),
    "BedrockCustomModelDeployment": _bedrock(
        "CustomModelDeployment", "custom-model/*", "custom-model-deployment"
    ),
    "BedrockModelImport": _bedrock("ModelImportJob", "model-import-job/*", "model-import-job"),
    "BedrockProvisionedModelThroughput": _bedrock(
        "ProvisionedModelThroughput", "custom-model/*", "provisioned-model"
    ),
}
