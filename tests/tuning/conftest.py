"""Tuning jobs as they are asked for, and what came of their trials."""

from collections.abc import Callable
from typing import Any

import pytest

from passrole.tuning import Trial, Tuning, read_request

LR = {"Name": "lr", "MinValue": "0.1", "MaxValue": "0.9"}
Build = Callable[..., Tuning]


def request_of(**config: Any) -> dict[str, Any]:
    """A request of CreateHyperParameterTuningJob, as far as it is read."""
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [LR]},
            **config,
        },
        "TrainingJobDefinition": {"RoleArn": "r"},
    }


@pytest.fixture
def tuning() -> Build:
    """A tuning job by the members of its configuration that differ."""
    return lambda **config: read_request(request_of(**config), "seed")


def ended(number: int, objective: float | None, status: str = "Completed", **members: Any) -> Trial:
    """A trial that has ended, in the order of the numbers."""
    return Trial(number, 0, {"lr": f"0.{number}"}, status, objective, ended=float(number), **members)
