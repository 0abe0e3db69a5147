"""SelectiveExecutionConfig through boto3: shape, refusals, effect."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal

OUTPUT = [{"OutputName": "o", "OutputType": "String"}]


@pytest.fixture
def source(server: Server, name: str, made: Callable[..., str], queue: str) -> str:
    """An execution of A, B with A's output, and C after B; A succeeded and B failed; its ARN."""
    step = {"Type": "Callback", "SqsQueueUrl": queue}
    argument = {"a": {"Get": "Steps.A.OutputParameters['o']"}}
    made(
        {**step, "Name": "A", "OutputParameters": OUTPUT},
        {**step, "Name": "B", "Arguments": argument},
        {**step, "Name": "C", "DependsOn": ["B"]},
    )
    sagemaker = server.client("sagemaker")
    arn: str = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    outputs = [{"Name": "o", "Value": "kept"}]
    token = steps_of(server, arn)["A"]["Metadata"]["Callback"]["CallbackToken"]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=outputs)
    token = steps_of(server, arn)["B"]["Metadata"]["Callback"]["CallbackToken"]
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token)
    return arn


def steps_of(server: Server, arn: str) -> dict[str, dict[str, Any]]:
    listed = server.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=arn)
    return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


def select(*names: str, source: str | None = None) -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    return config | ({"SourcePipelineExecutionArn": source} if source else {})


def test_a_selected_step_runs_with_the_outputs_of_the_source(
    server: Server, name: str, source: str, ended: Callable[[str], dict[str, Any]]
) -> None:
    sagemaker, config = server.client("sagemaker"), select("B", source=source)
    arn = sagemaker.start_pipeline_execution(PipelineName=name, SelectiveExecutionConfig=config)[
        "PipelineExecutionArn"
    ]
    steps = steps_of(server, arn)
    assert steps["A"]["StepStatus"] == "Succeeded"
    assert steps["A"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert steps["A"]["Metadata"]["Callback"]["OutputParameters"] == [{"Name": "o", "Value": "kept"}]
    assert "SelectiveExecutionResult" not in steps["B"]
    token = steps["B"]["Metadata"]["Callback"]["CallbackToken"]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    described = ended(arn)
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["SelectiveExecutionConfig"] == config
    assert set(steps_of(server, arn)) == {"A", "B"}


def test_a_selection_without_what_it_needs_is_refused(server: Server, name: str, source: str) -> None:
    start = server.client("sagemaker").start_pipeline_execution
    elsewhere = source.replace(name, f"{name}-other")
    for config, sentence in (
        (select("B"), "Invalid SourcePipelineExecutionArn: null. The selected steps [B] have dependencies"),
        (select("C", source=source), "Steps [B] have not succeeded"),
        (select("A", "C", source=source), "[B] lie between"),
        (select("X", source=source), "no steps [X]"),
        (select("A", source=elsewhere), "is no execution of"),
    ):
        code, message = refusal(start, PipelineName=name, SelectiveExecutionConfig=config)
        assert (code, sentence in message) == ("ValidationException", True), message


def test_a_source_must_be_over(server: Server, name: str, source: str) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=source)
    start, config = sagemaker.start_pipeline_execution, select("A", source=source)
    code, message = refusal(start, PipelineName=name, SelectiveExecutionConfig=config)
    assert (code, "is Executing, not Succeeded or Failed" in message) == ("ValidationException", True)
