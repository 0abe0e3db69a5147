"""kill -9 at random moments over pipelines of jobs and functions: nothing is lost, and nothing runs twice.

At the end no process, mount or file is left. `PASSROLE_KILLS=200` kills more often, `PASSROLE_SEED=1` at
other moments.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.crash.job_pipeline import Pipeline
from tests.eventually import eventually

KILLS = int(os.environ.get("PASSROLE_KILLS", "8"))
SEED = int(os.environ.get("PASSROLE_SEED", "7"))
AT_ONCE = 5
LOST_JOBS = 0.3  # in so many of the rounds the shell over one program is killed too
KEPT = {"hosts", "run"}  # of an instance's folder, once its job is over


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_random_kills_lose_no_job_and_run_none_twice(tmp_path: Path, sandboxed: None) -> None:
    server, chance = Server(tmp_path / "data"), random.Random(SEED)
    try:
        pipeline = Pipeline(server, tmp_path / "notes")
        busy = 0
        for _ in range(KILLS):
            for _ in range(AT_ONCE - len(pipeline.running())):
                pipeline.start()
            time.sleep(chance.uniform(0.0, 0.8))
            if chance.random() < LOST_JOBS:
                pipeline.lose_a_job(chance)
            busy += bool(pipeline.running())
            server.kill()
            server.start()
        ends = {arn: server.finished(arn, 300)["PipelineExecutionStatus"] for arn in pipeline.started}
        assert set(ends.values()) == {"Succeeded"}, [
            failures(server, arn) for arn in ends if ends[arn] != "Succeeded"
        ]
        for arn in pipeline.started:
            check(pipeline, arn)
        eventually(lambda: {name for home in homes(server.data) for name in names(home)} == KEPT)
    finally:
        server.stop()
    print(f"{KILLS} kills, {len(pipeline.started)} executions, {sum(pipeline.lost.values())} jobs lost")
    assert busy >= KILLS / 2, "the kills came too early or too late to tell anything"
    assert len(list(homes(server.data))) >= 3 * len(pipeline.started)
    eventually(lambda: not inside(tmp_path), seen=lambda: inside(tmp_path))
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def check(pipeline: Pipeline, execution: str) -> None:
    """What the programs of one execution noted, and what they left."""
    mine = execution.rpartition("/")[2]
    noted = [(step, what) for of, step, what in pipeline.noted() if of == mine]
    for name, step in pipeline.server.steps(execution).items():
        ran = [what for of, what in noted if of == name]
        attempts = step.get("AttemptCount") or 1
        if name == "Note":  # a function that was running when the server died is invoked again
            assert ran.count("begin") >= 1, (execution, name, ran)
        elif name == "Again":  # a shell may die before its program begins, or after it has ended
            assert attempts - pipeline.lost[mine] <= ran.count("begin") <= attempts, (
                execution,
                attempts,
                ran,
            )
            assert attempts <= 1 + pipeline.lost[mine] and ran.count("end") >= 1
        else:
            assert attempts == 1 and ran == ["begin", "end"], (execution, name, ran)
    assert pipeline.workshop.read(f"prepared/{mine}/numbers") == b"1\n2\n3\n"


def failures(server: Server, execution: str) -> dict[str, str]:
    """Why steps failed, by their names."""
    steps = server.steps(execution)
    return {name: step["FailureReason"] for name, step in steps.items() if "FailureReason" in step}


def homes(data: Path) -> Iterator[Path]:
    """The folders of all instances of all jobs."""
    return data.glob("jobs/*/*/*/*/algo-*")


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def inside(folder: Path) -> list[tuple[str, str]]:
    """Processes that a job or a function has left: they name the folder, or have something of it mounted."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with suppress(OSError):
                command = (process / "cmdline").read_text(errors="replace")
                if str(folder) in command or str(folder) in (process / "mountinfo").read_text():
                    found.append((process.name, command))
    return found
