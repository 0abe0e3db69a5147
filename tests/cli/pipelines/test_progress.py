"""What is said of a step, of its job and of its outputs."""

import pytest

from passrole.cli.pipelines.progress import detail, ends_of_logs, last_line, outputs
from passrole.client.jobs import JobState
from passrole.client.progress import Counts, Iteration, Step

A = Step("A", "Executing")
EXECUTION = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/abcdefghijkl"
LOSS = JobState("j", "Training", (("loss\n", 0.25), ("rmse", 1e-9)), ("first", "\x1b[2Jlast" + "x" * 999))
FAILED = JobState("j", "Failed", lines=("one", "two\x1b\rthree"), reason="no\nmemory", exit_message="m\n")


@pytest.mark.parametrize(
    "step, told",
    [
        (A, ""),
        (Step("C", "Executing", token="abc"), "waits for an answer to abc"),
        (Step("C", "Succeeded", token="abc"), ""),
        (Step("C", "Failed", reason="too small"), "too small"),
        (Step("C", "Succeeded", outcome="False"), "the condition is false"),
        (Step("T", "Executing", job=LOSS), r"Training  loss\n=0.25  rmse=1e-09"),
        (Step("T", "Stopping", job=LOSS, attempt=2), r"attempt 2, Training  loss\n=0.25  rmse=1e-09"),
        (Step("T", "Executing", job=FAILED, attempt=2), r"attempt 2 after no\nmemory"),
        (Step("T", "Executing", job=FAILED), ""),  # its step is about to fail, and tells it then
        (Step("T", "Failed", job=FAILED, attempt=2, reason="r"), "attempt 2, r"),
        (Step("T", "Succeeded", taken_from=EXECUTION, is_cached=True), "cached from abcdefghijkl"),
        (Step("T", "Succeeded", taken_from=EXECUTION), "taken from abcdefghijkl"),
        (Step("F", "Executing", counts=Counts(9, 4, 0, 1)), "5 of 9 steps"),
        (Step("F", "Failed", counts=Counts(9, 8, 1, 0), reason="r"), "9 of 9 steps, 1 failed, r"),
    ],
)
def test_what_is_said_of_a_step(step: Step, told: str) -> None:
    assert detail(step) == told


def test_outputs_name_their_step() -> None:
    assert outputs([A, Step("B", "Succeeded", outputs=(("n", "1"), ("m", "x")))]) == ["B.n = 1", "B.m = x"]


def test_of_many_outputs_of_iterations_some_are_shown_after_the_others() -> None:
    inside = [
        Step(f"B-{i}", "Succeeded", outputs=(("n", "1"),), iteration=Iteration("F", i, "x"))
        for i in range(25)
    ]
    lines = outputs([*inside, Step("Z", "Succeeded", outputs=(("n", "2"),))])
    assert (lines[:2], lines[20]) == (["Z.n = 2", "B-0.n = 1"], "B-19.n = 1")
    assert lines[21:] == ["and 5 more outputs of iterations; `show --format json` has all"]


def test_the_last_line_is_of_a_job_that_runs_and_short() -> None:
    told = last_line(Step("T", "Executing", job=LOSS))
    assert told.startswith(r"\x1b[2Jlastxxx") and len(told) == 300
    assert last_line(Step("T", "Failed", job=FAILED)) == last_line(A) == ""


def test_the_ends_of_logs_are_of_failed_jobs() -> None:
    steps = [A, Step("S", "Succeeded", job=LOSS), Step("T", "Failed", job=FAILED)]
    assert list(ends_of_logs(steps)) == [
        r"T left the message: m\n",
        "T printed last (j):",
        "  one",
        r"  two\x1b\rthree",
    ]
