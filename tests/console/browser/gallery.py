"""Every page of the console with something on it: for tests, and for who changes the stylesheet."""

import contextlib
import json

from botocore.exceptions import ClientError
from tests.conftest import Document, new_name
from tests.console.conftest import Console, Wait, Waiting
from tests.eventually import eventually
from tests.journeys.test_job_steps import Pipelines
from tests.services.sagemaker.jobs.workshop import Workshop

LONG = "a-name-of-some-length-without-any-space-in-it"
FAILING = "def handler(event, context):\n    print('reads the table')\n    raise KeyError('speed_kmh')\n"
SAYING = "def handler(event, context):\n    print('counted')\n    return {'rows': 50}\n"


def only(*actions: str) -> Document:
    """A policy that allows these actions everywhere."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def pages(console: Console, wait: Wait) -> dict[str, str]:
    """The paths of pages that need no jobs, by what they show."""
    waiting, other = _two(console, wait)
    failed, group = _failed(console), _packages(console)
    _denied(console)
    step = f"/executions/{waiting.id}/steps/Review"
    return {
        "inbox": "/",
        "pipelines": "/pipelines",
        "pipeline": f"/pipelines/{waiting.pipeline}",
        "version": f"/pipelines/{waiting.pipeline}?version=1",
        "execution": f"/executions/{waiting.id}",
        "execution that failed": f"/executions/{failed}",
        "step that waits": step,
        "step without a log": f"{step}/log",
        "step that failed": f"/executions/{failed}/steps/Read",
        "log": f"/executions/{failed}/steps/Read/log",
        "compare": f"/compare?left={other}&right={waiting.id}",
        "compare, one side": f"/compare?right={waiting.id}",
        "compare, neither": "/compare",
        "approvals": "/approvals",
        "review": "/approvals?review=",
        "groups": "/packages",
        "group": f"/packages/{group}",
        "package": f"/packages/{group}/1",
        "package that waits": f"/packages/{group}/2",
        "denials": "/denials",
        "check": f"/check?pipeline={waiting.pipeline}",
        "session": "/session",
        "not found": "/executions/nowhere",
        "invalid": "/approvals?after=nowhere",
        "link that is used": "/login?token=used",
    }


def pages_of_jobs(console: Console) -> dict[str, str]:
    """The paths of pages of jobs, by what they show."""
    pipelines = Pipelines(Workshop(console.server))
    trained, tuned, tried = (_ended(pipelines, step) for step in _jobs(pipelines))
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=tried, ClientRequestToken="r" * 32)
    eventually(lambda: pipelines.steps(tried)["Try"].get("AttemptCount") == 2)
    pipelines.ended(tried)
    at = {
        name: f"/executions/{arn.rpartition('/')[2]}"
        for name, arn in (("a", trained), ("b", tuned), ("c", tried))
    }
    return {
        "execution with metrics": at["a"],
        "training": f"{at['a']}/steps/Train",
        "log of a training": f"{at['a']}/steps/Train/log",
        "tuning": f"{at['b']}/steps/Tune",
        "step with attempts": f"{at['c']}/steps/Try",
    }


def _two(console: Console, wait: Wait) -> tuple[Waiting, str]:
    """Two executions of a pipeline, one of which waits; it was changed once."""
    parameters = [
        {"Name": "Threshold", "Type": "Integer", "DefaultValue": 3},
        {
            "Name": "Instance",
            "Type": "String",
            "DefaultValue": "ml.m5.large",
            "EnumValues": ["ml.m5.large", "ml.m5.xlarge"],
        },
        {"Name": LONG.title().replace("-", ""), "Type": "String", "DefaultValue": "s3://bucket/" + "x" * 300},
    ]
    first = wait({LONG: "x" * 300, "model": "s3://models/stopping/14/model.tar.gz"}, Parameters=parameters)
    sagemaker = console.server.client("sagemaker")
    definition = sagemaker.describe_pipeline(PipelineName=first.pipeline)["PipelineDefinition"]
    changed = json.loads(definition)
    changed["Steps"][0]["Arguments"] = {"model": "m-2"}
    sagemaker.update_pipeline(PipelineName=first.pipeline, PipelineDefinition=json.dumps(changed))
    second = sagemaker.start_pipeline_execution(
        PipelineName=first.pipeline,
        PipelineExecutionDisplayName=LONG,
        PipelineParameters=[{"Name": "Threshold", "Value": "7"}],
    )["PipelineExecutionArn"]
    return first, str(second.rpartition("/")[2])


def _failed(console: Console) -> str:
    """The id of an execution whose function fails, with a branch that was not taken."""
    server = console.server
    says, fails = (server.function(new_name("sagemaker-count"), each) for each in (SAYING, FAILING))

    def called(name: str, function: str, *needed: str) -> Document:
        output = [{"OutputName": "rows", "OutputType": "Integer"}]
        return {
            "Name": name,
            "Type": "Lambda",
            "FunctionArn": function,
            "Arguments": {"of": name},
            "OutputParameters": output,
            "DependsOn": list(needed),
        }

    many = {
        "Type": "GreaterThan",
        "LeftValue": {"Get": "Steps.Count.OutputParameters['rows']"},
        "RightValue": 10,
    }
    branches = {"Conditions": [many], "IfSteps": [called("Read", fails)], "ElseSteps": [called("Skip", says)]}
    steps = [
        called("Count", says),
        {"Name": "AreThereMany", "Type": "Condition", "Arguments": branches},
        called(LONG, says, "Read"),
    ]
    role = server.role([only("lambda:*")])
    sagemaker, name = server.client("sagemaker"), new_name("nightly")
    sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=role,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=name, PipelineExecutionDescription="x y" * 80)[
        "PipelineExecutionArn"
    ]
    server.finished(arn)
    return str(arn.rpartition("/")[2])


def _packages(console: Console) -> str:
    """A group of two versions with metrics, the first of which is approved."""
    sagemaker, s3, group, bucket = (
        console.server.client("sagemaker"),
        console.server.client("s3"),
        new_name("stopping-distances"),
        new_name("metrics"),
    )
    s3.create_bucket(Bucket=bucket)
    sagemaker.create_model_package_group(
        ModelPackageGroupName=group, ModelPackageGroupDescription="how far a car goes"
    )
    for number in (1, 2):
        measured = {
            "regression_metrics": {
                "mse": {"value": 1.5 / number, "standard_deviation": 0.1},
                "r2": {"value": 0.9},
            }
        }
        s3.put_object(Bucket=bucket, Key=f"{number}.json", Body=json.dumps(measured).encode())
        source = {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/{number}.json"}
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            ModelPackageDescription=f"from week {number}, {LONG}",
            CustomerMetadataProperties={"rows": "50", LONG: "x" * 200},
            ModelMetrics={"ModelQuality": {"Statistics": source}},
        )
        if number == 1:
            console.browser().post(
                f"/approvals/packages/{group}/1",
                {"decision": "approve", "answers": "0", "comment": "the curve looks right"},
            )
    return group


def _denied(console: Console) -> None:
    s3 = console.server.client("s3", only("sts:GetCallerIdentity"))
    with contextlib.suppress(ClientError):
        s3.get_object(Bucket="some-bucket-of-others", Key=f"a/{LONG}/{LONG}")


def _jobs(pipelines: Pipelines) -> tuple[Document, ...]:
    pipelines.workshop.put(data__x="1")
    train = pipelines.training(
        "Train",
        'for i in 9 7 5.5 4 4.5 3 2.6 2.5; do echo "epoch: loss=$i; acc=0.$i;"; done',
        f"s3://{pipelines.workshop.bucket}/data/",
    )
    train["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "validation:loss", "Regex": "loss=([-0-9.e]+);"},
        {"Name": "accuracy", "Regex": "acc=([-0-9.e]+);"},
    ]
    tuning = pipelines.workshop.tuning('echo "loss=$2;"', {})
    del tuning["HyperParameterTuningJobName"]
    tries = pipelines.processing("Try", "echo reads; echo 'no such column: speed_kmh' >&2; exit 3")
    return train, {"Name": "Tune", "Type": "Tuning", "Arguments": tuning}, tries


def _ended(pipelines: Pipelines, step: Document) -> str:
    arn = pipelines.start(pipelines.create(dict(step), policies=[dict(only("*"))]))
    pipelines.ended(arn)
    return arn
