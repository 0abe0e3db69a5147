"""Jobs without a sandbox, one at a time: `sandbox` is `serial`. The server sees a test's folder as /opt."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually, processes_with
from tests.services.sagemaker.jobs.workshop import Workshop

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can show the server another /opt")

_IN_OTHER_OPT = """
import ctypes, os, runpy, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x20000) == 0 and libc.mount(b"none", b"/", None, 0x44000, None) == 0
assert libc.mount(os.fsencode(sys.argv.pop(1)), b"/opt", None, 0x1000, None) == 0
runpy.run_module("passrole", run_name="__main__")
"""


class Unconfined(Server):
    """A server whose /opt is the folder `opt`."""

    def __init__(self, place: Path) -> None:
        self.opt = place / "opt"
        self.opt.mkdir()
        self.program = ("-c", _IN_OTHER_OPT, str(self.opt))
        super().__init__(place / "data", sandbox="serial", processes_max="64")

    @property
    def link(self) -> Path:
        return self.opt / "ml"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Unconfined]:
    running = Unconfined(tmp_path)
    yield running
    running.stop()


def _begun(workshop: Workshop, script: str) -> str:
    request = workshop.training(script, {"train": "data/"})
    workshop.sagemaker.create_training_job(**request)
    name: str = request["TrainingJobName"]
    return name


def _first_begins(workshop: Workshop, server: Unconfined) -> str:
    name = _begun(workshop, "echo begin; until [ -e /opt/ml/model/go ]; do sleep 0.05; done; echo end")
    eventually(lambda: server.link.is_symlink() and name in str(server.link.readlink()))
    return name


def test_jobs_take_turns_and_each_finds_its_own_files(server: Unconfined) -> None:
    workshop = Workshop(server)
    workshop.put(data__a="content")
    first = _first_begins(workshop, server)
    second = _begun(workshop, "cat /opt/ml/input/data/train/a > /opt/ml/model/m; ls /opt/ml/model")

    def message() -> str:
        described = workshop.sagemaker.describe_training_job(TrainingJobName=second)
        return str(described["SecondaryStatusTransitions"][-1]["StatusMessage"])

    eventually(lambda: message() == "Waiting for another job, which has /opt/ml")
    assert first in str(server.link.readlink())
    (server.link / "model/go").touch()
    assert [workshop.trained(name)["TrainingJobStatus"] for name in (first, second)] == ["Completed"] * 2
    assert workshop.log("Training", second) == ["m"]
    assert workshop.keys(f"models/{second}/output/model.tar.gz")
    assert not server.link.is_symlink()


def test_a_waiting_job_can_be_stopped(server: Unconfined) -> None:
    workshop = Workshop(server)
    workshop.put(data__a="content")
    first, second = _first_begins(workshop, server), _begun(workshop, "echo never")
    workshop.sagemaker.stop_training_job(TrainingJobName=second)
    assert workshop.trained(second)["TrainingJobStatus"] == "Stopped"
    (server.link / "model/go").touch()
    assert workshop.trained(first)["TrainingJobStatus"] == "Completed"
    assert workshop.train("echo next")["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
            "has room for one instance, and the job asks for 2",
        ),
        ({"EnableNetworkIsolation": True}, "cannot cut off the network: EnableNetworkIsolation is true"),
    ],
)
def test_what_needs_a_sandbox_is_refused(server: Unconfined, changes: dict[str, Any], says: str) -> None:
    job = Workshop(server).train("echo never", **changes)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"ClientError: the setting `sandbox` is `serial`, which {says}"


def test_what_a_job_changes_of_its_input_stays_with_the_job(server: Unconfined) -> None:
    workshop = Workshop(server)
    content = "x" * 2_000_000
    workshop.put(data__a=content)
    channel = {**workshop.channel("train", "data/"), "InputMode": "FastFile"}
    job = workshop.train("echo changed > /opt/ml/input/data/train/a", InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Completed"
    assert workshop.read("data/a").decode() == content


def test_a_daemon_ends_with_its_job(server: Unconfined) -> None:
    workshop = Workshop(server)
    assert workshop.train("setsid sh -c 'exec sleep 307' & echo up")["TrainingJobStatus"] == "Completed"
    assert not processes_with("sleep\x00307")


def test_a_bomb_fails_with_its_reason_and_the_next_job_runs(server: Unconfined) -> None:
    workshop, mark = Workshop(server), new_name("bomb")
    bomb = f"python3 -c 'import os, time; [os.fork() for _ in range(10)]; time.sleep(50)' {mark}"
    told = "the program had more than 64 processes and threads (setting `processes_max`)"
    assert workshop.train(bomb)["FailureReason"] == f"AlgorithmError: {told}, exit code: 137"
    eventually(lambda: not processes_with(mark))
    assert workshop.train("echo next")["TrainingJobStatus"] == "Completed"


def test_a_killed_server_finds_the_job_again_and_leaves_no_link(server: Unconfined) -> None:
    workshop = Workshop(server)
    workshop.put(data__a="content")
    first = _first_begins(workshop, server)
    second = _begun(workshop, "echo second")
    server.kill()
    server.start()
    (server.link / "model/go").touch()
    assert [workshop.trained(name)["TrainingJobStatus"] for name in (first, second)] == ["Completed"] * 2
    assert set(workshop.log("Training", first)) == {"begin", "end"}
    assert workshop.log("Training", second)[-1] == "second"
    assert not server.link.is_symlink()


def test_a_killed_job_leaves_no_link(server: Unconfined) -> None:
    workshop = Workshop(server)
    workshop.put(data__a="content")
    name = _first_begins(workshop, server)
    (supervised,) = server.data.glob(f"jobs/training-job/*/*/{name}/algo-1/run/pid")
    os.killpg(int(supervised.read_text()), 9)
    assert workshop.trained(name)["TrainingJobStatus"] == "Failed"
    eventually(lambda: not server.link.is_symlink())
    assert workshop.train("echo next")["TrainingJobStatus"] == "Completed"


def test_functions_run_as_without_a_sandbox(server: Unconfined) -> None:
    server.function("sagemaker-plain", "def handler(event, context): return 1")
    assert server.client("lambda").invoke(FunctionName="sagemaker-plain")["Payload"].read() == b"1"
