"""The steps of jobs, models, endpoints, lineage and job runs of `generated`, and what their roles speak of.

Each does as little as possible: the programs do nothing, and what is created has a name of its own. What a
step finds before it runs, `Ground` makes once.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from tests.conftest import Server, trusting
from tests.journeys.conftest import get
from tests.policies import allowing
from tests.services.sagemaker.jobs.transforms import archive

Json = Mapping[str, Any]

ACCOUNT = "111122223333"
BUCKET = "pair-data"
JOBS, OTHER = "PairJobs", "pair-jobs"
"""The roles of jobs and models."""
RUNS = "PairRuns"
"""The role of job runs of EMR Serverless."""

MODEL, CONFIG, GROUPS = "pair-model", "pair-config", ("pair-group", "other-group")
_HOST = ("683313688378.dkr.ecr", "amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3")
IMAGE = {"Std:Join": {"On": ".", "Values": [_HOST[0], get("Parameters.Region"), _HOST[1]]}}

# What some step asks for before it is over.
ASKED = (
    "iam:PassRole",
    "sagemaker:AddTags",
    "sagemaker:AddAssociation",
    *(
        f"sagemaker:{verb}{noun}"
        for noun in ("TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob")
        for verb in ("Create", "Describe")
    ),
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    *(
        f"sagemaker:{verb}{noun}"
        for noun in ("Model", "ModelPackage", "EndpointConfig", "Endpoint")
        for verb in ("Create", "Describe")
    ),
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:CreateAction",
    "sagemaker:CreateArtifact",
    "sagemaker:CreateContext",
)
ACTIONS = (
    "*",
    "sagemaker:*",
    "sagemaker:Create*",
    "sagemaker:Describe*",
    "sagemaker:*Tag*",
    "sagemaker:*Job",
    "sagemaker:*Model*",
    "sagemaker:*Endpoint*",
    "sagemaker:Add*",
    "sagemaker:CreateModelPackage",
    "iam:PassRole",
)
RESOURCES = (
    "*",
    "arn:aws:sagemaker:us-*:*:*",
    "arn:aws:sagemaker:*:*:*/pipelines-*",
    "arn:aws:sagemaker:*:*:training-job/*",
    "arn:aws:sagemaker:*:*:hyper-parameter-tuning-job/*-S?-*",
    "arn:aws:sagemaker:*:*:model/pipelines-*-S0-*",
    f"arn:aws:sagemaker:*:{ACCOUNT}:model-package/pair-group/*",
    "arn:aws:sagemaker:*:*:model-package-group/pair-*",
    "arn:aws:sagemaker:*:*:model-package*/*",
    "arn:aws:sagemaker:*:*:endpoint/pair-*",
    "arn:aws:sagemaker:*:*:endpoint*/*",
    f"arn:aws:sagemaker:*:*:endpoint-config/{CONFIG}",
    "arn:aws:sagemaker:*:*:action/*",
    "arn:aws:sagemaker:*:*:artifact/*",
    f"arn:aws:iam::*:role/{JOBS}",
    f"arn:aws:iam::{ACCOUNT}:role/pair-*",
)
CONDITIONS: Sequence[Json] = (
    {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    {"StringNotEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    {"ForAllValues:StringLike": {"sagemaker:InstanceTypes": "ml.m5.*"}},
    {"ForAnyValue:StringEquals": {"sagemaker:InstanceTypes": "ml.c5.xlarge"}},
    {"NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": "600"}},
    {"Bool": {"sagemaker:NetworkIsolation": "true"}},
    {"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}},
    {"Null": {"sagemaker:VolumeKmsKey": "true"}},
    {"Null": {"sagemaker:ModelArn": "true"}},
    {"ArnLike": {"sagemaker:ModelArn": "arn:aws:sagemaker:*:*:model/pair-*"}},
    {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
    {"StringNotEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
    {"StringEquals": {"sagemaker:CustomerMetadataProperties/team": "a"}},
    {"StringEquals": {"aws:RequestTag/sagemaker:pipeline-step-name": "S0"}},
    {"StringLike": {"aws:RequestTag/sagemaker:pipeline-step-name": "Inside*"}},
    {"Null": {"aws:RequestTag/sagemaker:pipeline-execution-arn": "false"}},
    {"Null": {"aws:TagKeys": "true"}},
    {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}},
    {"StringEquals": {"aws:RequestTag/team": "a"}},
    {"StringEquals": {"aws:ResourceTag/team": "a"}},
    {"StringEqualsIfExists": {"sagemaker:ResourceTag/team": "b"}},
    {"StringEquals": {"aws:ResourceTag/sagemaker:pipeline-step-name": "S0"}},
    {"StringEquals": {"sagemaker:TaggingAction": "CreateTrainingJob"}},
    {"StringNotEquals": {"sagemaker:TaggingAction": "CreateTransformJob"}},
    {"Null": {"sagemaker:TaggingAction": "true"}},
    {"StringLike": {"aws:RequestedRegion": "us-*"}},
    {"Null": {"aws:SourceArn": "true"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
)

_SELDOM = st.sampled_from((False, False, False, True))
_NAMES = st.integers(0, 999_999).map(
    lambda number: {
        "Std:Join": {"On": "-", "Values": [f"pair-{number}", get("Execution.PipelineExecutionId")]}
    }
)
"""Names that nothing else has."""

_INSTANCES = st.sampled_from(("ml.m5.large", "ml.c5.xlarge"))
_ROLES = st.sampled_from((JOBS, OTHER)).map(lambda name: f"arn:aws:iam::{ACCOUNT}:role/{name}")
_TAGS = st.sampled_from(({}, {}, {"Tags": [{"Key": "team", "Value": "a"}]}))
_DRIVER = "sagemaker_remote_function_bootstrap"
_TRAIN = "#!/bin/sh\necho 'loss=1;'\n"
_SERVES = "def transform_fn(model, data, content_type, accept):\n    return data, accept\n"


class Ground:
    """What the steps find: data, code, a model and a configuration in every region."""

    def __init__(self, server: Server) -> None:
        self._server = server
        s3 = server.client("s3")
        files = {
            "lines/a": b"1\n",
            "code.tar.gz": archive({"train.sh": _TRAIN}),
            "model.tar.gz": archive({"code/inference.py": f"def model_fn(folder):\n    return 1\n{_SERVES}"}),
            f"driver/{_DRIVER}/job_driver.sh": b"exit 0\n",
        }
        for key, body in files.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        iam, may_all = server.client("iam"), allowing("s3:*", "logs:*")
        services = {JOBS: "sagemaker", OTHER: "sagemaker", RUNS: "emr-serverless"}
        for name, service in services.items():
            trust = trusting(f"{service}.amazonaws.com")
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_json(trust))
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_json(may_all))

    def lay(self, region: str) -> None:
        """Make the model and the configuration of a region."""
        sagemaker = self._server.client("sagemaker", region=region)
        role = f"arn:aws:iam::{ACCOUNT}:role/{JOBS}"
        container = {**_CONTAINER, "Image": f"{_HOST[0]}.{region}.{_HOST[1]}"}
        sagemaker.create_model(ModelName=MODEL, PrimaryContainer=container, ExecutionRoleArn=role)
        sagemaker.create_endpoint_config(
            EndpointConfigName=CONFIG, ProductionVariants=[_variant("ml.m5.large")]
        )

    def clear(self, region: str) -> None:
        """Delete the endpoints of a region: each is a server that runs."""
        sagemaker = self._server.client("sagemaker", region=region)
        for each in sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]:
            sagemaker.delete_endpoint(EndpointName=each["EndpointName"])


@st.composite
def _training(draw: st.DrawFn, /, **specification: Any) -> Json:
    arguments: dict[str, Any] = {
        "RoleArn": draw(_ROLES),
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["true"],
            **specification,
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models/"},
        "ResourceConfig": {"InstanceType": draw(_INSTANCES), "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": draw(st.sampled_from((600, 1200)))},
        **draw(_TAGS),
    }
    if draw(_SELDOM):
        arguments["EnableNetworkIsolation"] = draw(st.booleans())
    return {"Type": "Training", "Arguments": arguments}


@st.composite
def _function(draw: st.DrawFn) -> Json:
    """As the SDK writes an @step function; its driver here does nothing."""
    words = ["--s3_base_uri", f"s3://{BUCKET}/function", "--client_python_version", "3.11"]
    driver = ["/bin/bash", f"/opt/ml/input/data/{_DRIVER}/job_driver.sh"]
    step = draw(_training(ContainerEntrypoint=driver, ContainerArguments=words))
    channel = {"ChannelName": _DRIVER, "DataSource": _source(f"driver/{_DRIVER}/")}
    return {**step, "Arguments": {**step["Arguments"], "InputDataConfig": [channel]}}


@st.composite
def _processing(draw: st.DrawFn) -> Json:
    cluster = {"InstanceCount": 1, "InstanceType": draw(_INSTANCES), "VolumeSizeInGB": 1}
    arguments: dict[str, Any] = {
        "RoleArn": draw(_ROLES),
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {"ClusterConfig": cluster},
        **draw(_TAGS),
    }
    if draw(_SELDOM):
        arguments["NetworkConfig"] = {"EnableNetworkIsolation": draw(st.booleans())}
    return {"Type": "Processing", "Arguments": arguments}


@st.composite
def _transform(draw: st.DrawFn) -> Json:
    arguments: dict[str, Any] = {
        "ModelName": MODEL,
        "TransformInput": {"DataSource": _source("lines/")},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "TransformResources": {"InstanceType": draw(_INSTANCES), "InstanceCount": 1},
        **draw(_TAGS),
    }
    return {"Type": "Transform", "Arguments": arguments}


@st.composite
def _tuning(draw: st.DrawFn) -> Json:
    ranges = {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1"]}]}
    metric = {"Name": "loss", "Regex": "loss=([0-9.]+);"}
    static = {"sagemaker_program": "train.sh", "sagemaker_submit_directory": f"s3://{BUCKET}/code.tar.gz"}
    job = draw(_training(MetricDefinitions=[metric]))["Arguments"]
    job["AlgorithmSpecification"].pop("ContainerEntrypoint")
    tags = {"Tags": job.pop("Tags")} if "Tags" in job else {}
    config = {
        "Strategy": "Grid",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        "ParameterRanges": ranges,
    }
    definition = {**job, "StaticHyperParameters": static}
    arguments: dict[str, Any] = {
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition,
        **tags,
    }
    return {"Type": "Tuning", "Arguments": arguments}


@st.composite
def _model(draw: st.DrawFn) -> Json:
    arguments: dict[str, Any] = {
        "PrimaryContainer": _CONTAINER,
        "ExecutionRoleArn": draw(_ROLES),
        **draw(_TAGS),
    }
    if draw(_SELDOM):
        arguments["EnableNetworkIsolation"] = draw(st.booleans())
    return {"Type": "Model", "Arguments": arguments}


@st.composite
def _package(draw: st.DrawFn) -> Json:
    arguments: dict[str, Any] = {"InferenceSpecification": {"Containers": [_CONTAINER]}, **draw(_TAGS)}
    if draw(_SELDOM):
        arguments["ModelPackageName"] = draw(_NAMES)
    else:
        arguments["ModelPackageGroupName"] = draw(st.sampled_from(GROUPS))
    if draw(st.booleans()):
        arguments["ModelApprovalStatus"] = draw(st.sampled_from(("Approved", "PendingManualApproval")))
    if draw(_SELDOM) and "ModelPackageGroupName" in arguments:
        arguments["CustomerMetadataProperties"] = {"team": "a"}
    return {"Type": "RegisterModel", "Arguments": arguments}


@st.composite
def _config(draw: st.DrawFn) -> Json:
    arguments: dict[str, Any] = {
        "EndpointConfigName": draw(_NAMES),
        "ProductionVariants": [_variant(draw(_INSTANCES))],
        **draw(_TAGS),
    }
    return {"Type": "EndpointConfig", "Arguments": arguments}


@st.composite
def _endpoint(draw: st.DrawFn) -> Json:
    arguments: dict[str, Any] = {"EndpointName": draw(_NAMES), "EndpointConfigName": CONFIG, **draw(_TAGS)}
    return {"Type": "Endpoint", "Arguments": arguments}


@st.composite
def _lineage(draw: st.DrawFn) -> Json:
    name = draw(_NAMES)
    source = {"SourceUri": name}
    entities = {
        "Actions": [{"ActionName": name, "ActionType": "x", "Source": source}],
        "Artifacts": [{"ArtifactName": "a", "ArtifactType": "x", "Source": source}],
        "Contexts": [{"ContextName": name, "ContextType": "x", "Source": source}],
    }
    kept = draw(st.lists(st.sampled_from(sorted(entities)), min_size=1, unique=True))
    arguments: dict[str, Any] = {name: each for name, each in entities.items() if name in kept}
    if {"Actions", "Artifacts"} <= {*kept} and draw(st.booleans()):
        ends = {"Source": {"Name": name, "Type": "Action"}, "Destination": {"Name": "a", "Type": "Artifact"}}
        arguments["Associations"] = [{**ends, "AssociationType": "Produced"}]
    return {"Type": "Lineage", "Arguments": arguments}


def _source(prefix: str) -> Json:
    return {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}"}}


def _variant(instance: str) -> Json:
    return {"VariantName": "V", "ModelName": MODEL, "InstanceType": instance, "InitialInstanceCount": 1}


def _json(document: Any) -> str:
    return json.dumps(document)


_CONTAINER = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}

STEPS: Mapping[str, st.SearchStrategy[Json]] = {
    "training": _training(),
    "function": _function(),
    "processing": _processing(),
    "transform": _transform(),
    "tuning": _tuning(),
    "model": _model(),
    "package": _package(),
    "configuration": _config(),
    "endpoint": _endpoint(),
    "lineage": _lineage(),
}

# What a step of EMR Serverless asks for before it is over.
ASKED_OF_SERVERLESS = (
    "iam:PassRole",
    *(
        f"emr-serverless:{operation}"
        for operation in (
            "CreateApplication",
            "StartApplication",
            "StartJobRun",
            "TagResource",
            "GetJobRun",
            "StopApplication",
            "DeleteApplication",
        )
    ),
)
ACTIONS_OF_SERVERLESS = (
    "*",
    "emr-serverless:*",
    "emr-serverless:Start*",
    "emr-serverless:*Application",
    "EMR-Serverless:StartJobRun",
    "emr-serverless:*JobRun",
    "emr-serverless:Tag*",
    "emr-serverless:DeleteApplication",
    "iam:PassRole",
)
RESOURCES_OF_SERVERLESS = (
    "*",
    "arn:aws:emr-serverless:*:*:/*",
    "arn:aws:emr-serverless:us-*:*:/*",
    "arn:aws:emr-serverless:*:*:/applications/*",
    f"arn:aws:emr-serverless:*:{ACCOUNT}:/applications/00*",
    "arn:aws:emr-serverless:*:*:/applications/*/jobruns/*",
    f"arn:aws:iam::{ACCOUNT}:role/{RUNS}",
    "arn:aws:iam::*:role/pair-*",
)
CONDITIONS_OF_SERVERLESS: Sequence[Json] = (
    {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}},
    {"StringNotEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}},
    {"StringEquals": {"aws:RequestTag/team": "a"}},
    {"Null": {"aws:TagKeys": "true"}},
    {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}},
    {"StringEquals": {"aws:ResourceTag/team": "a"}},
    {"StringNotEqualsIfExists": {"aws:ResourceTag/team": "b"}},
    {"StringLike": {"aws:RequestedRegion": "us-*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
)
_MAPS = st.sampled_from(({}, {}, {"tags": {"team": "a"}}, {"tags": {"team": "b"}}))


@st.composite
def _job_run(draw: st.DrawFn, *, owns: bool) -> Json:
    role = f"arn:aws:iam::{ACCOUNT}:role/{RUNS}"
    driver = {"sparkSubmit": {"entryPoint": f"s3://{BUCKET}/none.py"}}
    job: dict[str, Any] = {"executionRoleArn": role, "jobDriver": driver, **draw(_MAPS)}
    arguments: dict[str, Any] = {"ExecutionRoleArn": role, "JobConfig": job}
    if owns:
        made = {"type": "SPARK", "releaseLabel": "emr-7.1.0", **draw(_MAPS)}
        return {"Type": "EMRServerless", "Arguments": {**arguments, "ApplicationConfig": made}}
    arguments["ApplicationId"] = job["applicationId"] = get("Parameters.Application")
    return {"Type": "EMRServerless", "Arguments": arguments}


STEPS_OF_SERVERLESS: Mapping[str, st.SearchStrategy[Json]] = {
    "job run": _job_run(owns=False),
    "job run of its own": _job_run(owns=True),
}
