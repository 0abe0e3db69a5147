"""Killed around each commit of a pipeline that creates a model and registers it, and started again.

There is one model and one version for each execution, and each step succeeds in its first attempt.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.crash.mortal import Mortal
from tests.policies import allowing

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

# A transaction, and which one of its kind.
POINTS = [
    ("worker.loop.Worker._advance", 1),
    ("worker.loop.Worker._advance", 2),
    ("sagemaker.models.create_model", 1),
    ("sagemaker.registry.groups.create_model_package_group", 1),
    ("sagemaker.registry.packages.create_model_package", 1),
]


class Work:
    """The pipeline on a server that dies at a point, each time with a group of its own."""

    def __init__(self, server: Mortal) -> None:
        self.server, self.number = server, 0
        s3 = server.client("s3")
        s3.create_bucket(Bucket="models")
        s3.put_object(Bucket="models", Key="model.tar.gz", Body=b"x")
        self.role = server.role([allowing("sagemaker:*", "iam:PassRole", "s3:*")])

    def create(self) -> str:
        """A new pipeline, whose name is that of its group too."""
        self.number += 1
        name = f"work-{self.number}"
        container = {"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}
        model = {"ExecutionRoleArn": self.role, "PrimaryContainer": container}
        package = {"ModelPackageGroupName": name, "InferenceSpecification": {"Containers": [container]}}
        steps = [
            {"Name": "Create", "Type": "Model", "Arguments": model},
            {"Name": "Register", "Type": "RegisterModel", "Arguments": package, "DependsOn": ["Create"]},
        ]
        self.server.client("sagemaker").create_pipeline(
            PipelineName=name,
            RoleArn=self.role,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        )
        return name

    def done(self, name: str) -> str:
        """An execution from its start to its end: its ARN. Its status must be Succeeded."""
        begun: list[str] = []
        self.server.until(lambda: self._is_started(name, begun))
        described = self.server.until(lambda: self._ended(begun[0]))
        assert described["PipelineExecutionStatus"] == "Succeeded", self.server.steps(begun[0])
        return begun[0]

    def made(self, group: str, execution: str) -> tuple[list[str], list[str]]:
        """The models of an execution, and the versions of the group."""
        sagemaker = self.server.client("sagemaker")
        models = sagemaker.list_models(NameContains=execution.rpartition("/")[2])["Models"]
        listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        return [each["ModelArn"] for each in models], [each["ModelPackageArn"] for each in listed]

    def _is_started(self, name: str, begun: list[str]) -> bool:
        sagemaker, token = self.server.client("sagemaker"), f"start-{name}".ljust(32, "-")
        answer = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken=token)
        begun.append(answer["PipelineExecutionArn"])
        return True

    def _ended(self, execution: str) -> dict[str, Any] | None:
        sagemaker = self.server.client("sagemaker")
        found: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return None if found["PipelineExecutionStatus"] == "Executing" else found


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    server = Mortal(tmp_path_factory.mktemp("mortal") / "data")
    yield Work(server)
    if not server.is_dead():
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name, count", POINTS)
def test_a_kill_at_the_point_breaks_no_promise(work: Work, name: str, count: int, moment: str) -> None:
    group = work.create()
    work.server.dies_at(name, moment, count)
    execution = work.done(group)
    died, steps = work.server.has_died(), work.server.steps(execution)
    models, versions = work.made(group, execution)
    assert models == [steps["Create"]["Metadata"]["Model"]["Arn"]]
    assert versions == [steps["Register"]["Metadata"]["RegisterModel"]["Arn"]]
    assert {steps[step]["AttemptCount"] for step in ("Create", "Register")} == {1}
    assert died, f"{name} was committed fewer than {count} times"
