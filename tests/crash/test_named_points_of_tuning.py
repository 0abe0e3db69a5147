"""Killed around each commit by which a tuning job goes on, and started again.

No training job is made twice or left out, and what is tried is what would have been tried without a kill.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.crash.mortal import Mortal
from tests.services.sagemaker.jobs.workshop import Workshop

JOBS = 4
ROUNDS = "tasks.hyper-parameter-tuning-job"

# A transaction, and which one of its kind. Three rounds are the fewest there can be: two training jobs that
# end together are answered by one.
POINTS = [
    ("sagemaker.jobs.creation.store", 1),
    (ROUNDS, 1),
    (ROUNDS, 2),
    (ROUNDS, 3),
    ("tasks.training-job", 1),
    ("worker.jobs.runner.JobRunner._ended", 2),
]
CONFIG: dict[str, Any] = {
    "RandomSeed": 11,
    "ResourceLimits": {"MaxNumberOfTrainingJobs": JOBS, "MaxParallelTrainingJobs": 2},
}


class Work:
    """A tuning job on a server that dies at a point."""

    def __init__(self, server: Mortal) -> None:
        self.server = server
        self.workshop = Workshop(server)

    def done(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A tuning job from its creation to its end, and its training jobs."""
        request = self.workshop.tuning('echo "loss=$2;"', CONFIG)
        name = request["HyperParameterTuningJobName"]
        self.server.until(lambda: self._is_created(request))
        described = self.server.until(lambda: self._ended(name))
        return described, self.server.until(lambda: self._client().children(name))

    def _client(self) -> Workshop:
        self.workshop.sagemaker = self.server.client("sagemaker")
        return self.workshop

    def _is_created(self, request: dict[str, Any]) -> bool:
        sagemaker = self._client().sagemaker
        try:
            sagemaker.create_hyper_parameter_tuning_job(**request)
        except sagemaker.exceptions.ResourceInUse:
            return True  # it was created before the server could say so
        return True

    def _ended(self, name: str) -> dict[str, Any] | None:
        described = self._client().sagemaker.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
        return dict(described) if described["HyperParameterTuningJobStatus"] != "InProgress" else None


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, sandboxed: None) -> Iterator[Work]:
    server = Mortal(tmp_path_factory.mktemp("mortal") / "data")
    yield Work(server)
    if not server.is_dead():
        server.stop()


@pytest.fixture(scope="module")
def undisturbed(work: Work) -> list[dict[str, str]]:
    """What is tried where nothing is killed."""
    _, children = work.done()
    return [each["TunedHyperParameters"] for each in children]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name, count", POINTS)
def test_a_kill_at_the_point_makes_no_training_job_twice(
    work: Work, undisturbed: list[dict[str, str]], name: str, count: int, moment: str
) -> None:
    work.server.dies_at(name, moment, count)
    described, children = work.done()
    died = work.server.has_died()
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    assert described["TrainingJobStatusCounters"]["Completed"] == JOBS
    assert [each["TrainingJobName"].split("-")[-2] for each in children] == ["001", "002", "003", "004"]
    assert [each["TunedHyperParameters"] for each in children] == undisturbed
    assert died, f"{name} was committed fewer than {count} times"
