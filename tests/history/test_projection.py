"""How AWS shows an execution: members that have no value are absent, the newest step comes first."""

from collections.abc import Awaitable, Callable

from tests.history.conftest import House

from passrole.engine.facts import CallbackAnswered, LambdaReturned, Output
from passrole.history import projection

Run = Callable[[Callable[[House], Awaitable[None]]], None]


def test_an_execution_is_described_from_its_row_and_its_journal(house: Run) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "l1 l2<l1>", at=5.0, max_parallel_steps=3)
        await h.advance("a", LambdaReturned(at=6.0, step="l1", attempt=1, payload='{"x": 1}'))
        assert projection.describe(await h.row("a"), await h.load("a")) == {
            "PipelineArn": h.pipeline,
            "PipelineExecutionArn": arn,
            "PipelineExecutionDisplayName": "display-a",
            "PipelineExecutionStatus": "Executing",
            "PipelineExperimentConfig": {"ExperimentName": "p", "TrialName": "a"},
            "CreationTime": 5.0,
            "LastModifiedTime": 6.0,
            "CreatedBy": {},
            "LastModifiedBy": {},
            "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
        }
        assert projection.summary(await h.row("a")) == {
            "PipelineExecutionArn": arn,
            "StartTime": 5.0,
            "PipelineExecutionStatus": "Executing",
            "PipelineExecutionDisplayName": "display-a",
        }

    house(scenario)


def test_steps_are_listed_newest_first_with_what_they_came_to(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1 c1<l1> f1<c1>")
        await h.advance("a", LambdaReturned(at=2.0, step="l1", attempt=1, payload='{"x": 1}'))
        await h.advance(
            "a",
            CallbackAnswered(at=3.0, step="c1", attempt=1, outcome="success", outputs=(Output("o", "v"),)),
        )
        fail, callback, lambda_ = projection.steps((await h.load("a")).state)
        assert fail == {
            "StepName": "f1",
            "StartTime": 3.0,
            "EndTime": 3.0,
            "StepStatus": "Failed",
            "FailureReason": "bad",
            "Metadata": {"Fail": {"ErrorMessage": "bad"}},
            "AttemptCount": 1,
        }
        assert callback["Metadata"]["Callback"]["OutputParameters"] == [{"Name": "o", "Value": "v"}]
        assert lambda_["Metadata"] == {
            "Lambda": {"Arn": "arn:f", "OutputParameters": [{"Name": "x", "Value": "1"}]}
        }
        oldest_first = projection.steps((await h.load("a")).state, newest_first=False)
        assert [step["StepName"] for step in oldest_first] == ["l1", "c1", "f1"]

    house(scenario)


def test_a_step_that_runs_has_no_end(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1")
        (step,) = projection.steps((await h.load("a")).state)
        assert step["StepStatus"] == "Executing"
        assert "EndTime" not in step
        assert "FailureReason" not in step

    house(scenario)


def test_parameters_are_strings_as_json_writes_them(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1", parameters={"s": "x", "i": 3, "f": 1.5, "b": True})
        assert projection.parameters((await h.load("a")).state) == [
            {"Name": "s", "Value": "x"},
            {"Name": "i", "Value": "3"},
            {"Name": "f", "Value": "1.5"},
            {"Name": "b", "Value": "true"},
        ]

    house(scenario)
