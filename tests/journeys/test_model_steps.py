"""Steps that create a model and register one, the approval, and what a rule on its event starts."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.policies import allowing

from passrole.cli import main

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
MODEL = ("sagemaker:CreateModel", "iam:PassRole", "sagemaker:AddTags", "sagemaker:DescribeModel")
REGISTER = (
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:AddTags",
    "sagemaker:CreateModelPackage",
    "sagemaker:DescribeModelPackage",
)
ECHO = "def handler(event, context):\n    return {}\n"
DEPLOYS = """
    import boto3

    def handler(event, context):
        sagemaker, group = boto3.client("sagemaker"), event["detail"]["ModelPackageGroupName"]
        (newest,) = sagemaker.list_model_packages(
            ModelPackageGroupName=group, ModelApprovalStatus="Approved",
            SortBy="CreationTime", SortOrder="Descending", MaxResults=1,
        )["ModelPackageSummaryList"]
        container = {"ModelPackageName": newest["ModelPackageArn"]}
        sagemaker.create_model(ModelName=f"deployed-{group}", Containers=[container], ExecutionRoleArn="ROLE")
"""

Start = Callable[..., str]


class Place:
    """An artefact, a role for models that may read it, and steps about both."""

    def __init__(self, server: Server) -> None:
        self.server, self.sagemaker = server, server.client("sagemaker")
        self.bucket = new_name("artefacts")
        server.client("s3").create_bucket(Bucket=self.bucket)
        server.client("s3").put_object(Bucket=self.bucket, Key="model.tar.gz", Body=b"x")
        self.models_role = server.role([allowing("s3:GetObject", "s3:ListBucket")])

    def container(self, key: str = "model.tar.gz") -> dict[str, Any]:
        return {"Image": IMAGE, "Environment": {}, "ModelDataUrl": f"s3://{self.bucket}/{key}"}

    def model(self, **members: Any) -> dict[str, Any]:
        arguments = {"ExecutionRoleArn": self.models_role, "PrimaryContainer": self.container()}
        return {"Name": "Cre-CreateModel", "Type": "Model", "Arguments": {**arguments, **members}}

    def register(self, group: str | None, **members: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "ModelPackageGroupName": group,
            "ModelMetrics": {"Bias": {}, "Explainability": {}},
            "InferenceSpecification": {
                "Containers": [self.container()],
                "SupportedContentTypes": ["text/csv"],
            },
            "ModelApprovalStatus": "PendingManualApproval",
            "SkipModelValidation": "None",
            "DriftCheckBaselines": None,
        }
        return {"Name": "Reg-RegisterModel", "Type": "RegisterModel", "Arguments": {**arguments, **members}}

    def tags(self, arn: str) -> dict[str, str]:
        return {each["Key"]: each["Value"] for each in self.sagemaker.list_tags(ResourceArn=arn)["Tags"]}


@pytest.fixture(scope="module")
def place(server: Server) -> Place:
    return Place(server)


def everything(server: Server) -> str:
    return server.role([allowing("sagemaker:*", "iam:PassRole", "s3:*", "lambda:*")])


def test_a_model_is_created_under_a_name_of_its_step_and_can_be_referred_to(
    place: Place, server: Server, start: Start
) -> None:
    says = {
        "Name": "Say",
        "Type": "Lambda",
        "FunctionArn": server.function(
            new_name("sagemaker-say"), "def handler(event, _):\n    return event\n"
        ),
        "Arguments": {"model": {"Get": "Steps.Cre-CreateModel.ModelName"}},
        "OutputParameters": [{"OutputName": "model", "OutputType": "String"}],
    }
    own = [{"Key": "team", "Value": "ml"}]
    execution = start([place.model(Tags=own), says], role=everything(server))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
    steps = server.steps(execution)
    arn = steps["Cre-CreateModel"]["Metadata"]["Model"]["Arn"]
    name = arn.rpartition("/")[2]
    assert name.startswith(f"pipelines-{execution.rpartition('/')[2]}-Cre-CreateModel-")
    assert steps["Say"]["Metadata"]["Lambda"]["OutputParameters"] == [{"Name": "model", "Value": name}]
    assert place.sagemaker.describe_model(ModelName=name)["PrimaryContainer"] == place.container()
    assert place.tags(arn) == {
        "team": "ml",
        "sagemaker:pipeline-execution-arn": execution,
        "sagemaker:pipeline-step-name": "Cre-CreateModel",
    }


def test_a_version_is_registered_and_its_missing_group_made(
    place: Place, server: Server, start: Start
) -> None:
    group, role = new_name("Churn"), everything(server)
    versions = []
    for _ in range(2):
        execution = start([place.register(group)], role=role)
        assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
        step = server.steps(execution)["Reg-RegisterModel"]
        described = place.sagemaker.describe_model_package(
            ModelPackageName=step["Metadata"]["RegisterModel"]["Arn"]
        )
        versions.append(described["ModelPackageVersion"])
        assert described["MetadataProperties"] == {"GeneratedBy": execution}
        assert described["ModelApprovalStatus"] == "PendingManualApproval"
        assert described["SkipModelValidation"] == "None"
        assert "DriftCheckBaselines" not in described
    assert versions == [1, 2]
    tags = place.tags(described["ModelPackageArn"])  # of the group, as its first step made it
    assert tags["sagemaker:pipeline-step-name"] == "Reg-RegisterModel"


def test_a_package_without_a_group_has_the_name_and_tags_of_its_step(
    place: Place, server: Server, start: Start
) -> None:
    name = new_name("alone")
    execution = start([place.register(None, ModelPackageName=name)], role=everything(server))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
    described = place.sagemaker.describe_model_package(ModelPackageName=name)
    assert "sagemaker:pipeline-execution-arn" in place.tags(described["ModelPackageArn"])


def test_an_artefact_that_is_not_there_is_the_steps_reason(
    place: Place, server: Server, start: Start
) -> None:
    specification = {"Containers": [place.container("gone.tar.gz")]}
    role = everything(server)
    execution = start([place.register(new_name("g"), InferenceSpecification=specification)], role=role)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    step = server.steps(execution)["Reg-RegisterModel"]
    assert step["FailureReason"] == (
        f"ClientError: Cannot find S3 object: gone.tar.gz in bucket {place.bucket}. "
        "Please check if your S3 object exists and has proper permissions for SageMaker."
    )
    assert "Metadata" not in step or step["Metadata"] == {}
    execution = start([place.model(PrimaryContainer=place.container("gone.tar.gz"))], role=role)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Cre-CreateModel"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateModel. Error Details: Could not ")


CASES = [("model", MODEL, action) for action in MODEL] + [
    ("register", REGISTER, action) for action in REGISTER
]


@pytest.mark.parametrize("kind, actions, missing", CASES, ids=[f"{kind}-{each}" for kind, _, each in CASES])
def test_each_action_of_a_step_is_needed(
    place: Place,
    server: Server,
    start: Start,
    tmp_path: Path,
    kind: str,
    actions: tuple[str, ...],
    missing: str,
) -> None:
    group = new_name("denied")
    step = place.model() if kind == "model" else place.register(group)
    role = server.role([allowing(*(action for action in actions if action != missing))])
    execution = start([step], role=role)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)[step["Name"]]["FailureReason"]
    assert f"is not authorized to perform: {missing} on resource: " in reason
    assert refused_by_check(step, [action for action in actions if action != missing], tmp_path) == {missing}
    assert refused_by_check(step, actions, tmp_path) == set()
    server.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="more", PolicyDocument=json.dumps(allowing(missing))
    )
    name = execution.split("/")[1]
    again = place.sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert server.finished(again)["PipelineExecutionStatus"] == "Succeeded", server.steps(again)


def refused_by_check(step: dict[str, Any], actions: Iterable[str], folder: Path) -> set[str]:
    """The required actions that `passrole check` finds missing in a role that may do these."""
    definition, policy = folder / "pipeline.json", folder / "policy.json"
    definition.write_text(json.dumps({"Version": "2020-12-01", "Steps": [step]}))
    policy.write_text(json.dumps(allowing(*actions)))
    command = ["check", str(definition), f"--policy={policy}", "--format", "json"]
    done = CliRunner().invoke(main, command, prog_name="passrole")
    needs = json.loads(done.stdout)["needs"]
    return {each["action"] for each in needs if each["required"] and each["allowed"] is False}


def test_an_approval_starts_a_function_that_deploys_and_a_pipeline(
    place: Place, server: Server, start: Start
) -> None:
    group, pipeline = new_name("approved"), new_name("deploy")
    deploys = server.role(
        [allowing("sagemaker:ListModelPackages", "sagemaker:CreateModel", "iam:PassRole")],
        trust="lambda.amazonaws.com",
    )
    function = server.function(
        new_name("deploy"), DEPLOYS.replace("ROLE", place.models_role), deploys, Timeout=60
    )
    definition = {"Version": "2020-12-01", "Steps": [place.model()]}
    pipeline_arn = place.sagemaker.create_pipeline(
        PipelineName=pipeline, RoleArn=everything(server), PipelineDefinition=json.dumps(definition)
    )["PipelineArn"]
    events, rule = server.client("events"), new_name("on-approval")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
    }
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    starts = server.role([allowing("sagemaker:StartPipelineExecution")], trust="events.amazonaws.com")
    targets = [{"Id": "f", "Arn": function}, {"Id": "p", "Arn": pipeline_arn, "RoleArn": starts}]
    events.put_targets(Rule=rule, Targets=targets)
    server.client("lambda").add_permission(
        FunctionName=function,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    execution = start([place.register(group)], role=everything(server))
    server.finished(execution)
    arn = server.steps(execution)["Reg-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    assert started(place, pipeline) == []
    place.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    listed = place.sagemaker.list_models
    eventually(lambda: listed(NameContains=f"deployed-{group}")["Models"])
    described = place.sagemaker.describe_model(ModelName=f"deployed-{group}")
    assert described["Containers"] == [{"ModelPackageName": arn}]
    (deployment,) = eventually(lambda: started(place, pipeline) or None)
    assert server.finished(deployment)["PipelineExecutionStatus"] == "Succeeded"


def started(place: Place, pipeline: str) -> list[str]:
    listed = place.sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    return [each["PipelineExecutionArn"] for each in listed]
