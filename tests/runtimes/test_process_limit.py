"""A program with too many processes is ended, whatever confines it, and the machine goes on."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.eventually import eventually, processes_with

from passrole.runtimes import jobs, processes
from passrole.runtimes.jobs import Jobs, JobSpec
from passrole.runtimes.sandbox import OUTSIDE, Sandbox, SandboxMissing, World, chosen
from passrole.runtimes.sandbox.plain import Plain
from passrole.runtimes.sandbox.serial import Serial

MOST = 40
FORKS = """
import os, time
for _ in range(11):
    os.fork()
time.sleep(60)
"""
THREADS = """
import threading, time
for _ in range(500):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep(60)
"""
DAEMONS = """
import os, time
for _ in range(500):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    os.wait()
time.sleep(60)
"""


def _ended(tmp_path: Path, kind: str, program: str, mark: str) -> tuple[int, str | None]:
    """The exit code of a job that runs this Python, and what is told of it."""
    try:
        sandbox = chosen(kind)
    except SandboxMissing as error:
        pytest.skip(str(error))
    world = World(work=tmp_path, writable={tmp_path: tmp_path}, readable={Path(sys.prefix): Path(sys.prefix)})
    code = _ran(tmp_path, sandbox, world, program, mark)
    return code, jobs.limit_exceeded(tmp_path / "run")


def _ran(place: Path, sandbox: Sandbox, world: World, program: str, mark: str) -> int:
    command = sandbox.command(world, [sys.executable, "-c", program, mark], tied=True)
    spec = JobSpec(place / "run", place, command, OUTSIDE, sandbox.confines)
    return asyncio.run(asyncio.wait_for(Jobs(processes_max=MOST).run(spec), 40))


@pytest.mark.parametrize("kind", ["bubblewrap", "unshare", "container"])
@pytest.mark.parametrize("program", [FORKS, THREADS, DAEMONS])
def test_a_bomb_is_ended_with_all_its_processes(tmp_path: Path, kind: str, program: str) -> None:
    mark = f"bomb-{tmp_path.name}"
    code, told = _ended(tmp_path, kind, program, mark)
    assert code == 137
    assert told == "the program had more than 40 processes and threads (setting `processes_max`)"
    eventually(lambda: not processes_with(mark))


@pytest.mark.parametrize("kind", ["bubblewrap", "unshare", "container"])
def test_a_bomb_that_takes_long_to_die_leaves_its_exit_code(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes are counted again while they die, and its sandbox is not found any more."""
    kill_sandbox, number, killed = processes.kill_sandbox, processes.number, list[bool]()

    def kill(pid: int) -> bool:
        killed.append(kill_sandbox(pid))
        os.kill(pid, signal.SIGCONT if killed.count(False) > 1 else signal.SIGSTOP)
        return killed[-1]

    monkeypatch.setattr(processes, "kill_sandbox", kill)
    monkeypatch.setattr(processes, "number", lambda pid, most: most + 1 if killed else number(pid, most))
    code, told = _ended(tmp_path, kind, FORKS, f"bomb-{tmp_path.name}")
    assert (code, killed[0], killed.count(False) > 1) == (137, True, True)
    assert told


def test_what_is_not_confined_is_ended_with_its_groups(tmp_path: Path) -> None:
    kinds: list[Sandbox] = [Plain(), Serial(tmp_path / "ml")]
    for number, sandbox in enumerate(kinds):
        mark, place = f"bomb-{number}-{tmp_path.name}", tmp_path / str(number)
        place.mkdir()
        world = World(work=place, writable={tmp_path / "ml": place})
        with pytest.raises(jobs.JobLost):  # the shell over it is in one of them
            _ran(place, sandbox, world, FORKS, mark)
        assert jobs.limit_exceeded(place / "run")
        eventually(lambda mark=mark: not processes_with(mark))  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["bubblewrap", "unshare", "container"])
def test_a_program_within_the_limit_goes_on(tmp_path: Path, kind: str) -> None:
    few = FORKS.replace("11", "4").replace("60", "0.5")
    assert _ended(tmp_path, kind, few, "few") == (0, None)
