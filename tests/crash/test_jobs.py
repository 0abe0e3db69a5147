"""kill -9 while jobs run: programs go on and are found again, and none runs twice."""

import random
import time
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.crash.mortal import Mortal
from tests.eventually import eventually, process_ended
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes import processes

pytestmark = pytest.mark.usefixtures("sandboxed")

JOBS, KILLS = 6, 5
END = "worker.jobs.runner.JobRunner._ended"
WORK = "echo begin; sleep 1.5; cat /opt/ml/input/data/train/a > /opt/ml/model/m"


@pytest.mark.slow
def test_jobs_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    server, chance = Server(tmp_path / "data"), random.Random(7)
    try:
        workshop = Workshop(server)
        workshop.put(data__a="content")
        names = []
        for _ in range(JOBS):
            request = workshop.training(WORK, {"train": "data/"})
            workshop.sagemaker.create_training_job(**request)
            names.append(request["TrainingJobName"])
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.8))
            server.kill()
            server.start()
        for name in names:
            assert workshop.trained(name)["TrainingJobStatus"] == "Completed"
            assert workshop.keys(f"models/{name}/output/model.tar.gz")
            assert _text(server.data, name, "stdout") == "begin"
            assert set(workshop.log("Training", name)) == {"begin"}  # twice if killed between line and mark
    finally:
        server.stop()


def test_a_server_that_a_service_manager_stops_leaves_its_jobs_to_the_next_one(tmp_path: Path) -> None:
    server, gate = Server(tmp_path / "data"), tmp_path / "gate"
    try:
        script = f"echo begin; while [ ! -e {gate} ]; do sleep 0.05; done; echo end; exit 3"
        workshop, name, pid = _begun(server, script)
        for _ in range(2):  # the second server has only found it
            assert server.leave() == 0
            assert not process_ended(pid)
            server.start()
        gate.touch()
        assert workshop.trained(name)["FailureReason"] == "AlgorithmError: , exit code: 3"
        assert set(workshop.log("Training", name)) == {"begin", "end"}
        assert _text(server.data, name, "stdout") == "begin\nend"
    finally:
        server.stop()


def test_ctrl_c_ends_jobs(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        workshop, name, pid = _begun(server, "echo up; while :; do sleep 0.05; done")
        assert server.stop() == 0
        assert process_ended(pid)
        server.start()
        assert workshop.trained(name)["FailureReason"] == "AlgorithmError: , exit code: 143"
    finally:
        server.stop()


def test_a_job_that_was_stopped_while_no_server_ran_ends_stopped(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        workshop, name, pid = _begun(server, "trap '' TERM; echo up; while :; do sleep 0.05; done")
        workshop.sagemaker.stop_training_job(TrainingJobName=name)
        server.kill()
        assert not process_ended(pid)
        _end(pid)
        server.start()
        job = workshop.trained(name)
        assert job["TrainingJobStatus"] == "Stopped"
    finally:
        server.stop()


def test_an_end_that_was_not_written_is_the_same_after_the_next_start(tmp_path: Path) -> None:
    server = Mortal(tmp_path / "data")
    try:
        workshop = Workshop(server)
        server.dies_at(END, "before")
        request = workshop.processing("echo done > /opt/ml/processing/out/file", {}, {"out": "out"})
        workshop.sagemaker.create_processing_job(**request)
        eventually(server.has_died)
        job = workshop.processed(request["ProcessingJobName"])
        assert job["ProcessingJobStatus"] == "Completed", job
        server.dies_at(END, "before")
        request = workshop.training("echo > /opt/ml/model/m; echo why > /opt/ml/output/failure; exit 7")
        workshop.sagemaker.create_training_job(**request)
        eventually(server.has_died)
        job = workshop.trained(request["TrainingJobName"])
        assert job["FailureReason"] == "AlgorithmError: why\n, exit code: 7"
        assert workshop.keys(f"models/{request['TrainingJobName']}/output/model.tar.gz")
        eventually(lambda: not [*server.data.glob("jobs/*/*/*/*/algo-1/ml")])
    finally:
        server.stop()


def test_a_job_that_ended_in_its_time_is_not_late_because_no_server_ran(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        workshop = Workshop(server)
        request = workshop.training("sleep 1", StoppingCondition={"MaxRuntimeInSeconds": 3})
        name = request["TrainingJobName"]
        workshop.sagemaker.create_training_job(**request)
        eventually(lambda: _text(server.data, name, "pid"))
        server.kill()
        eventually(lambda: _text(server.data, name, "exit"))
        time.sleep(3)
        server.start()
        assert workshop.trained(name)["TrainingJobStatus"] == "Completed"
    finally:
        server.stop()


def _begun(server: Server, script: str) -> tuple[Workshop, str, int]:
    """The name of a training job that has printed something, and the process over its program."""
    workshop = Workshop(server)
    request = workshop.training(script)
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    pid = int(eventually(lambda: _text(server.data, name, "pid")))
    eventually(lambda: _text(server.data, name, "stdout"))
    return workshop, name, pid


def _text(data: Path, name: str, file: str) -> str:
    found = list(data.glob(f"jobs/training-job/*/*/{name}/algo-1/run/{file}"))
    return found[0].read_text().strip() if found else ""


def _end(pid: int) -> None:
    processes.kill_family(pid)
    eventually(lambda: process_ended(pid))
