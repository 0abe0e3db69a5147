"""From what the API lists to what is shown."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from passrole.client.jobs import JobState
from passrole.client.progress import Counts, Iteration, Step, changes, poll_seconds, steps_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FROM = {"SourcePipelineExecutionArn": "arn:e"}
LOOP = {"TotalStepCount": 9, "SucceededStepCount": 4, "FailedStepCount": 2, "StoppedStepCount": 1}
NOW = BEGAN.timestamp() + 5


def listed(status: str = "Executing", **members: Any) -> dict[str, Any]:
    return {"StepName": "S", "StepStatus": status, "StartTime": BEGAN, **members}


@pytest.mark.parametrize(
    "given, expected",
    [
        (listed(), Step("S", "Executing", 5.0)),
        ({"StepName": "S", "StepStatus": "Starting"}, Step("S", "Starting", 0.0)),
        (
            listed("Failed", EndTime=BEGAN.replace(second=2), FailureReason="ClientError: no", Metadata={}),
            Step("S", "Failed", 2.0, reason="ClientError: no"),
        ),
        (
            listed(Metadata={"Callback": {"CallbackToken": "abc", "SqsQueueUrl": "u"}}),
            Step("S", "Executing", 5.0, token="abc"),
        ),
        (
            listed(Metadata={"ForEach": LOOP}),
            Step("S", "Executing", 5.0, counts=Counts(9, succeeded=4, failed=2, stopped=1)),
        ),
        (
            listed(IterationContext={"ParentStepName": "F", "Index": 3, "Item": "x"}),
            Step("S", "Executing", 5.0, iteration=Iteration("F", 3, "x")),
        ),
        (
            listed("Succeeded", Metadata={"Condition": {"Outcome": "True"}}),
            Step("S", "Succeeded", 5.0, outcome="True"),
        ),
        (
            listed("Succeeded", Metadata={"Lambda": {"OutputParameters": [{"Name": "n", "Value": "1"}]}}),
            Step("S", "Succeeded", 5.0, outputs=(("n", "1"),), has_logs=True),
        ),
        (
            listed(Metadata={"TrainingJob": {"Arn": "arn:job"}}, AttemptCount=2),
            Step("S", "Executing", 5.0, attempt=2, job_arn="arn:job", has_logs=True),
        ),
        (
            listed("Succeeded", Metadata={"ProcessingJob": {"Arn": "arn:job"}}, CacheHitResult=FROM),
            Step("S", "Succeeded", 5.0, taken_from="arn:e", is_cached=True),  # its job is not this one's
        ),
        (
            listed("Succeeded", Metadata={"ProcessingJob": {"Arn": "j"}}, SelectiveExecutionResult=FROM),
            Step("S", "Succeeded", 5.0, taken_from="arn:e"),
        ),
    ],
)
def test_a_listed_step_is_read(given: dict[str, Any], expected: Step) -> None:
    assert steps_of([given], NOW) == [expected]


TRAINING, UPLOADING = JobState("j", "Training", lines=("a",)), JobState("j", "Uploading")
A, B = Step("A", "Executing"), Step("B", "Executing")


@pytest.mark.parametrize(
    "before, after, changed",
    [
        ([], [], []),
        ([], [A], [A]),
        ([A], [A], []),
        ([A], [Step("A", "Executing", seconds=3.0)], []),  # time alone is no change
        ([A], [Step("A", "Succeeded"), B], [Step("A", "Succeeded"), B]),
        ([A], [Step("A", "Executing", token="t")], [Step("A", "Executing", token="t")]),
        ([A], [replace(A, attempt=2)], [replace(A, attempt=2)]),
        ([A], [replace(A, job=TRAINING)], [replace(A, job=TRAINING)]),
        ([replace(A, job=TRAINING)], [replace(A, job=replace(TRAINING, lines=("a", "b")))], []),
        ([replace(A, job=TRAINING)], [replace(A, job=UPLOADING)], [replace(A, job=UPLOADING)]),
    ],
)
def test_a_change_is_a_new_step_status_token_attempt_or_phase(
    before: list[Step], after: list[Step], changed: list[Step]
) -> None:
    assert changes(before, after) == changed


@pytest.mark.parametrize("elapsed, seconds", [(0.0, 0.1), (2.0, 0.1), (10.0, 0.5), (3600.0, 2.0)])
def test_polls_become_rarer(elapsed: float, seconds: float) -> None:
    assert poll_seconds(elapsed) == seconds
