"""Steps that run on another's failure, as the Trigger of SDK v3's StepDependency asks for."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server

BREAKS = "def handler(event, context):\n    raise ValueError('no data today')\n"
WORKS = "def handler(event, context):\n    return {'told': True}\n"


def function(name: str, arn: str, *needed: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Lambda", "FunctionArn": arn, "Arguments": {}, "DependsOn": list(needed)}


@pytest.fixture(scope="module")
def functions(server: Server) -> tuple[str, str]:
    """One that fails and one that does not."""
    breaks, works = (
        server.function(f"sagemaker-trigger-{n}", code) for n, code in enumerate((BREAKS, WORKS))
    )
    return breaks, works


def test_a_failure_that_a_step_waits_for_is_told_and_does_not_fail_the_execution(
    server: Server, start: Callable[..., str], functions: tuple[str, str]
) -> None:
    breaks, works = functions
    execution = start(
        [
            function("Train", breaks),
            function("Deploy", works, "Train"),
            function("Notify", works, {"Step": "Train", "Trigger": "Failed"}),
            function("Tidy", works, {"Step": "Train", "Trigger": "Any"}, "Notify"),
        ]
    )
    ended = server.finished(execution)
    assert ended["PipelineExecutionStatus"] == "CompletedWithFailures"
    assert ended["FailureReason"] == "Step failure: One or multiple steps failed."
    statuses = {name: step["StepStatus"] for name, step in server.steps(execution).items()}
    assert statuses == {"Train": "Failed", "Notify": "Succeeded", "Tidy": "Succeeded"}
    assert "no data today" in server.steps(execution)["Train"]["FailureReason"]
    name = execution.split("/")[1]
    (listed,) = server.client("sagemaker").list_pipeline_executions(PipelineName=name)[
        "PipelineExecutionSummaries"
    ]
    assert listed["PipelineExecutionStatus"] == "CompletedWithFailures"


def test_where_nothing_fails_nobody_is_told(
    server: Server, start: Callable[..., str], functions: tuple[str, str]
) -> None:
    _, works = functions
    execution = start(
        [function("Train", works), function("Notify", works, {"Step": "Train", "Trigger": "Failed"})]
    )
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert list(server.steps(execution)) == ["Train"]
