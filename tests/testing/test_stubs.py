"""Stubs: what stands for steps of every type, so that the logic of a pipeline is tested in milliseconds."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.testing.pipelines import Json, callback, condition, fail, lambda_, pipeline

from passrole.definition.kinds import UNSUPPORTED
from passrole.testing import Server

AUC = "Steps.Train.FinalMetricDataList['auc'].Value"


def train(**members: Any) -> Json:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://models/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "HyperParameters": {"eta": {"Get": "Parameters.Eta"}},
    }
    return {"Name": "Train", "Type": "Training", "Arguments": arguments, **members}


def process(**members: Any) -> Json:
    output = {"OutputName": "report", "S3Output": {"S3Uri": "s3://reports/1", "LocalPath": "/o"}}
    arguments = {
        "ProcessingResources": {},
        "AppSpecification": {"ImageUri": "i"},
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "ProcessingOutputConfig": {"Outputs": [output]},
    }
    files = [{"PropertyFileName": "Metrics", "OutputName": "report", "FilePath": "m.json"}]
    return {
        "Name": "Evaluate",
        "Type": "Processing",
        "Arguments": arguments,
        "PropertyFiles": files,
        **members,
    }


def judged(*before: Json, left: Any = None, then: Json | None = None) -> Json:
    decide = condition("Decide", AUC, 0.8, then=[then] if then else [], otherwise=[fail("TooBad", "bad")])
    if left is not None:
        decide["Arguments"]["Conditions"][0]["LeftValue"] = left
    return pipeline(*before, decide, Eta="0.1")


def metric(value: float) -> dict[str, Any]:
    return {"FinalMetricDataList": [{"MetricName": "auc", "Value": value}]}


def test_a_job_is_not_made_and_its_properties_are_the_stubs(passrole: Server) -> None:
    passrole.stub("Train", properties=metric(0.9))
    passrole.run(judged(train())).succeeded().took("Train", "Decide")
    assert passrole.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_the_arguments_of_a_job_count_as_its_properties(passrole: Server) -> None:
    """Describe tells them again, on AWS: what leads to them needs no stub of its own."""
    passrole.stub("Train")
    told = lambda_("Tell", "arn:aws:lambda:us-east-1:111122223333:function:f", "eta")
    told["Arguments"] = {"eta": {"Get": "Steps.Train.HyperParameters.eta"}}
    seen: list[Mapping[str, Any]] = []

    def tell(arguments: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(arguments)
        return {"outputs": {"eta": 0.3}}

    passrole.stub("Tell", tell)
    execution = passrole.run(pipeline(train(), told, Eta="0.1"), Eta="0.3").succeeded()
    assert seen == [{"eta": "0.3"}]
    assert execution.step("Tell").outputs == {"eta": "0.3"}


def test_a_function_answers_by_the_steps_arguments(passrole: Server) -> None:
    passrole.stub(
        "Train", lambda arguments: {"properties": metric(float(arguments["HyperParameters"]["eta"]))}
    )
    passrole.run(judged(train()), Eta="0.95").succeeded()
    passrole.run(judged(train()), Eta="0.15").failed("bad").step("TooBad").ran()


def test_what_a_function_raises_is_the_reason(passrole: Server) -> None:
    def refuse(_arguments: Mapping[str, Any]) -> dict[str, Any]:
        raise RuntimeError("no such data")

    passrole.stub("Train", refuse)
    passrole.run(judged(train())).failed().step("Train").failed("RuntimeError: no such data")


def test_a_stub_may_fail_its_step(passrole: Server) -> None:
    passrole.stub("Train", error="AlgorithmError: out of memory")
    execution = passrole.run(judged(train())).failed("AlgorithmError: out of memory")
    execution.step("Decide").skipped()


def test_a_property_file_is_read_from_the_stub(passrole: Server) -> None:
    left = {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Metrics"}, "Path": "auc.value"}
    }
    passrole.stub("Evaluate", property_files={"Metrics": {"auc": {"value": 0.9}}})
    passrole.run(judged(process(), left=left)).succeeded()
    passrole.stub("Evaluate", property_files={"Metrics": {"auc": {"value": 0.1}}})
    passrole.run(judged(process(), left=left)).failed("bad")
    passrole.stub("Evaluate", property_files={"Metrics": {}})
    execution = passrole.run(judged(process(), left=left))
    execution.step("Decide").failed("Invalid json path 'auc.value' in the stub of step 'Evaluate'")


def test_lambda_callback_condition_and_emr(passrole: Server) -> None:
    emr = {
        "Name": "Spark",
        "Type": "EMR",
        "Arguments": {
            "ClusterId": "j-1",
            "StepConfig": {"Name": "s", "HadoopJarStep": {"Jar": "command-runner.jar"}},
        },
    }
    ask = callback("Ask", "https://sqs.us-east-1.amazonaws.com/111122223333/q", "score")
    call = lambda_("Call", "arn:aws:lambda:us-east-1:111122223333:function:f", "score")
    passrole.stub("Ask", outputs={"score": 0.5})
    passrole.stub("Call", outputs={"score": 0.7})
    passrole.stub("Spark", properties={"Config": {"Args": ["a"]}})
    passrole.stub("Decide", outcome=False)
    call["Arguments"] = {"args": {"Get": "Steps.Spark.Config.Args[0]"}}
    decide = condition("Decide", "Steps.Ask.OutputParameters['score']", 0.1, then=[], otherwise=[call])
    execution = passrole.run(pipeline(ask, emr, decide)).succeeded()
    assert execution.step("Call").outputs == {"score": "0.7"}
    assert execution.step("Decide").outcome is False


@pytest.mark.parametrize("type_", sorted(UNSUPPORTED))
def test_a_type_that_passrole_does_not_run_is_run_by_its_stub_alone(passrole: Server, type_: str) -> None:
    step = {"Name": "Other", "Type": type_, "Arguments": {"a": {"Get": "Steps.Train.HyperParameters.eta"}}}
    after = lambda_("After", "arn:aws:lambda:us-east-1:111122223333:function:f")
    after["Arguments"] = {"x": {"Get": "Steps.Other.List[0].Name"}, "a": {"Get": "Steps.Other.a"}}
    definition = pipeline(train(), step, after, Eta="0.1")
    passrole.stub("Train")
    passrole.stub("After")
    with pytest.raises(ClientError, match=f"Step type '{type_}' is not supported here"):
        passrole.pipeline(definition)
    passrole.stub("Other", properties={"List": [{"Name": "n"}]})
    passrole.run(definition).succeeded().took("Train", "Other", "After")


def test_a_step_that_only_a_stub_can_run_fails_without_it(passrole: Server) -> None:
    passrole.stub("Other")
    name = passrole.pipeline(pipeline({"Name": "Other", "Type": "AutoML", "Arguments": {}}))
    passrole.unstub()
    passrole.run(name).step("Other").failed("does not run steps of the type AutoML; a stub can stand for it")


def test_a_stub_is_shown_where_steps_are_listed(passrole: Server) -> None:
    passrole.stub("Train")
    listed = passrole.run(pipeline(train(Description="Fits it."), Eta="1")).listed()
    assert [step["StepDescription"] for step in listed] == ["(stubbed) Fits it."]


def test_nothing_is_taken_over_from_a_stub(passrole: Server) -> None:
    definition = pipeline(train(CacheConfig={"Enabled": True}), Eta="1")
    passrole.stub("Train")
    passrole.run(definition).succeeded()
    passrole.stub("Train", error="asked again")
    passrole.run(definition).failed("asked again")


@pytest.mark.parametrize(
    ("stub", "complaint"),
    [
        ({"outputs": {"scor": 1}}, "gives `scor`, which the step does not declare; it declares `score`"),
    ],
)
def test_a_stub_that_gives_what_is_not_declared_fails_its_step(
    passrole: Server, stub: dict[str, Any], complaint: str
) -> None:
    passrole.stub("Ask", **stub)
    passrole.run(pipeline(callback("Ask", "https://q", "score"))).failed(complaint)


def test_a_misspelt_or_unfit_stub_is_told_at_the_start(passrole: Server) -> None:
    passrole.stub("Tain")
    with pytest.raises(ValueError, match="no pipeline has a step `Tain` to stub; did you mean `Train`"):
        passrole.run(judged(train()))
    passrole.unstub("Tain")
    passrole.stub("TooBad")
    with pytest.raises(ClientError, match="`TooBad` is a Fail step, which no stub can stand for"):
        passrole.run(judged(train()))
    passrole.unstub()
    passrole.stub("Train", outputs={"x": 1})
    with pytest.raises(ClientError, match="a Training step, has `Outputs`; it may have `Properties`"):
        passrole.run(judged(train()))


def test_a_stub_outlives_a_stop_and_a_retry(passrole: Server) -> None:
    passrole.stub("Train", error="no")
    execution = passrole.run(judged(train())).failed("no")
    execution.retry()
    execution.failed("no")
    assert execution.step("Train").attempts == 2
