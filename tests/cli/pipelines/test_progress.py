"""What is said of a step and of its outputs."""

import pytest

from passrole.cli.pipelines.progress import detail, outputs
from passrole.client.progress import Step

A = Step("A", "Executing")


@pytest.mark.parametrize(
    "step, told",
    [
        (A, ""),
        (Step("C", "Executing", token="abc"), "waits for an answer to abc"),
        (Step("C", "Succeeded", token="abc"), ""),
        (Step("C", "Failed", reason="too small"), "too small"),
        (Step("C", "Succeeded", outcome="False"), "the condition is false"),
    ],
)
def test_what_is_said_of_a_step(step: Step, told: str) -> None:
    assert detail(step) == told


def test_outputs_name_their_step() -> None:
    assert outputs([A, Step("B", "Succeeded", outputs=(("n", "1"), ("m", "x")))]) == ["B.n = 1", "B.m = x"]
