"""What becomes of steps and bootstrap actions when the server is stopped or killed."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server
from tests.eventually import eventually, processes_with
from tests.services.emr.conftest import Fleet, shell


def test_a_killed_server_waits_for_what_still_runs_and_fails_what_is_gone(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    fleet = Fleet(server)
    log = tmp_path / "log"
    cluster = fleet.run(StepConcurrencyLevel=3)
    lasting, gone, queued = fleet.add(
        cluster,
        shell(f"echo begun >> {log}; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo ended >> {log}"),
        shell("sleep 60"),
        shell("sleep 60"),
    )
    for each in (lasting, gone, queued):
        fleet.step_until(cluster, each, "RUNNING")
    eventually(log.exists)
    pid = server.data / "emr" / cluster / gone / "pid"
    eventually(lambda: pid.exists() and pid.read_text())  # a step is RUNNING before its program's shell is
    server.kill()
    os.killpg(int(pid.read_text()), signal.SIGKILL)
    server.start()
    assert fleet.status(cluster, lasting)["State"] == "RUNNING"
    status = fleet.step_until(cluster, gone)
    assert status["State"] == "FAILED"
    assert "The server was stopped while the step ran" in status["FailureDetails"]["Reason"]
    fleet.client.cancel_steps(ClusterId=cluster, StepIds=[queued])
    assert fleet.step_until(cluster, queued)["State"] == "CANCELLED"
    (tmp_path / "go").touch()
    assert fleet.step_until(cluster, lasting)["State"] == "COMPLETED"
    assert log.read_text().splitlines() == ["begun", "ended"]


def test_a_server_that_is_stopped_leaves_no_program_behind(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, beat = start_server(), tmp_path / "beat"
    fleet = Fleet(server)
    cluster = fleet.run()
    program = f": > {beat}; while true; do sleep 0.05; done"
    (made,) = fleet.add(cluster, shell(program))
    fleet.step_until(cluster, made, "RUNNING")
    eventually(beat.exists)
    assert processes_with(str(beat))
    assert server.stop() == 0
    eventually(lambda: not processes_with(str(beat)))  # of itself it would go on for ever
    server.start()
    assert fleet.step_until(cluster, made)["State"] == "FAILED"


def test_a_server_that_a_service_manager_stops_leaves_its_steps_to_the_next_one(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, log, gate = start_server(), tmp_path / "log", tmp_path / "gate"
    fleet = Fleet(server)
    cluster = fleet.run()
    program = f"echo begun >> {log}; while [ ! -e {gate} ]; do sleep 0.05; done; echo ended >> {log}"
    (made,) = fleet.add(cluster, shell(program))
    eventually(log.exists)
    for _ in range(2):  # the second server has only found it
        assert server.leave() == 0
        assert processes_with(str(gate))
        server.start()
        assert fleet.step_until(cluster, made, "RUNNING")
    gate.touch()
    assert fleet.step_until(cluster, made)["State"] == "COMPLETED"
    assert log.read_text().splitlines() == ["begun", "ended"]


def killed_with_its_steps(server: Server, cluster: str, *steps: str) -> list[Path]:
    """The folders of the steps, whose programs are ended with the server."""
    folders = [server.data / "emr" / cluster / step for step in steps]
    server.kill()
    for folder in folders:
        os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
    return folders


def test_a_step_that_never_began_begins_after_a_kill(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, log = start_server(), tmp_path / "log"
    fleet = Fleet(server)
    cluster = fleet.run(StepConcurrencyLevel=4)
    made = fleet.add(
        cluster,
        shell(f"echo one >> {log}; sleep 1"),
        shell(f"echo two >> {log}; sleep 1"),
        shell(f"trap '' TERM; echo ended >> {log}; sleep 60"),
    )
    for each in made:
        fleet.step_until(cluster, each, "RUNNING")
    eventually(lambda: log.exists() and len(log.read_text().split()) == 3)
    fleet.client.cancel_steps(ClusterId=cluster, StepIds=[made[2]])
    fleet.step_until(cluster, made[2], "CANCEL_PENDING")
    one, two, ended = killed_with_its_steps(server, cluster, *made)
    log.unlink()
    shutil.rmtree(one)  # as a kill leaves it before anything was made ready
    for folder in (two, ended):  # and before the program's shell had log its number
        for name in ("pid", "stdout", "stderr"):
            (folder / name).unlink()
    server.start()
    assert [fleet.step_until(cluster, each)["State"] for each in made] == [
        "COMPLETED",
        "COMPLETED",
        "CANCELLED",
    ]
    assert sorted(log.read_text().split()) == ["one", "two"]


def test_a_bootstrap_action_that_runs_is_waited_for_after_a_kill(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, log, go = start_server(), tmp_path / "log", tmp_path / "go"
    fleet = Fleet(server)
    script = tmp_path / "action.sh"
    script.write_text(f"echo begun >> {log}; while [ ! -e {go} ]; do sleep 0.05; done; echo ended >> {log}")
    action = {"Name": "a", "ScriptBootstrapAction": {"Path": f"file://{script}"}}
    cluster = fleet.run(BootstrapActions=[action])
    eventually(log.exists)
    server.kill()
    server.start()
    go.touch()
    (made,) = fleet.add(cluster, shell("true"))
    assert fleet.step_until(cluster, made)["State"] == "COMPLETED"
    assert log.read_text().split() == ["begun", "ended"]
