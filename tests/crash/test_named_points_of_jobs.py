"""Killed around each commit that a pipeline of jobs makes in the background, and started again.

Each program runs once, each step succeeds, and what was prepared is there.
"""

from collections.abc import Iterator

import pytest
from tests.crash.job_pipeline import Pipeline
from tests.crash.mortal import Mortal

JOBS = ("Prepare", "Train", "Again")

# A transaction, and which one of its kind.
POINTS = [
    ("worker.loop.Worker._advance", 1),
    ("worker.loop.Worker._advance", 3),
    ("worker.job_monitor.JobMonitor._record", 1),
    ("worker.job_monitor.JobMonitor._record", 3),
    ("worker.jobs.run.JobRun._tell", 1),
    ("worker.jobs.run.JobRun._tell", 3),
    ("worker.jobs.run.JobRun._tell", 5),
    ("worker.jobs.run.JobRun._credentials", 1),
    ("worker.jobs.runner.JobRunner._ended", 1),
    ("worker.jobs.runner.JobRunner._ended", 3),
    ("sagemaker.jobs.creation.store", 1),
    ("sagemaker.jobs.creation.store", 3),
    ("s3.objects.put", 1),
    ("s3.objects.put", 3),
    ("tasks.processing-job", 1),
    ("tasks.training-job", 1),
]
CALLERS_OWN = {
    "app._onboard",
    "sagemaker.start_pipeline_execution.start_pipeline_execution",
    "sqs.retention.correct_future_times",
    "worker.schedules._plan_all",
}
LOGS = {
    "logs.groups.create_log_group",
    "logs.streams.create_log_stream",
    "logs.put_log_events.put_log_events",
}
FOR_OTHERS = {"worker.shared_output._put", "worker.shared_output._forget"}
"""What is written where there may be other servers, to be shown by them: nothing depends on it."""


class Work:
    """The pipeline on a server that dies at a point."""

    def __init__(self, server: Mortal) -> None:
        self.server = server
        self.pipeline = Pipeline(server, server.data.with_name("notes"))

    def done(self) -> tuple[str, str]:
        """An execution from its start to its end: its id, and its status."""
        self.server.until(self._is_started)
        execution = self.pipeline.started[-1]
        self.server.until(lambda: self.pipeline.is_over(execution))
        described = self.server.until(lambda: self._described(execution))
        return execution.rpartition("/")[2], str(described["PipelineExecutionStatus"])

    def ran(self, execution: str) -> dict[str, list[str]]:
        """What the programs of its steps noted."""
        noted = self.pipeline.noted()
        steps = {step for of, step, _ in noted if of == execution}
        return {name: [what for of, step, what in noted if (of, step) == (execution, name)] for name in steps}

    def _is_started(self) -> bool:
        self.pipeline.start()
        return True

    def _described(self, execution: str) -> dict[str, object]:
        sagemaker = self.server.client("sagemaker")
        return dict(sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, sandboxed: None) -> Iterator[Work]:
    server = Mortal(tmp_path_factory.mktemp("mortal") / "data")
    yield Work(server)
    if not server.is_dead():
        server.stop()


@pytest.mark.slow
def test_every_write_in_the_background_is_a_point(work: Work) -> None:
    work.server.dies_at()
    work.done()
    wrote = {name for commit in work.server.commits() for name in commit}
    assert wrote - CALLERS_OWN - LOGS - FOR_OTHERS == {name for name, _ in POINTS}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name, count", POINTS)
def test_a_kill_at_the_point_breaks_no_promise(work: Work, name: str, count: int, moment: str) -> None:
    work.server.dies_at(name, moment, count)
    execution, status = work.done()
    died = work.server.has_died()
    ran, steps = work.ran(execution), work.server.steps(work.pipeline.started[-1])
    assert status == "Succeeded", {step: each.get("FailureReason") for step, each in steps.items()}
    assert {step: ran[step] for step in JOBS} == {step: ["begin", "end"] for step in JOBS}
    assert {steps[step]["AttemptCount"] for step in JOBS} == {1}
    assert ran["Note"].count("end") >= 1
    assert work.pipeline.workshop.read(f"prepared/{execution}/numbers") == b"1\n2\n3\n"
    assert died, f"{name} was committed fewer than {count} times"
