"""A program with too many processes is ended, whatever confines it, and the machine goes on."""

import asyncio
import sys
from pathlib import Path

import pytest
from tests.eventually import eventually, processes_with

from passrole.runtimes import jobs
from passrole.runtimes.jobs import Jobs, JobSpec
from passrole.runtimes.sandbox import OUTSIDE, SandboxMissing, World, chosen

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
    words = [sys.executable, "-c", program, mark]
    command = sandbox.command(world, words, tied=True)
    spec = JobSpec(tmp_path / "run", tmp_path, command, OUTSIDE, sandbox.confines)
    code = asyncio.run(asyncio.wait_for(Jobs(processes_max=MOST).run(spec), 40))
    return code, jobs.limit_exceeded(tmp_path / "run")


@pytest.mark.parametrize("kind", ["bubblewrap", "unshare", "container"])
@pytest.mark.parametrize("program", [FORKS, THREADS, DAEMONS])
def test_a_bomb_is_ended_with_all_its_processes(tmp_path: Path, kind: str, program: str) -> None:
    mark = f"bomb-{tmp_path.name}"
    code, told = _ended(tmp_path, kind, program, mark)
    assert code == 137
    assert told == "the program had more than 40 processes and threads (setting `processes_max`)"
    eventually(lambda: not processes_with(mark))


def test_what_is_not_confined_is_ended_with_its_group(tmp_path: Path) -> None:
    mark = f"bomb-{tmp_path.name}"
    with pytest.raises(jobs.JobLost):
        raise jobs.JobLost if _ended(tmp_path, "none", FORKS, mark)[0] == 137 else AssertionError
    eventually(lambda: not processes_with(mark))


@pytest.mark.parametrize("kind", ["bubblewrap", "unshare", "container"])
def test_a_program_within_the_limit_goes_on(tmp_path: Path, kind: str) -> None:
    few = FORKS.replace("11", "4").replace("60", "0.5")
    assert _ended(tmp_path, kind, few, "few") == (0, None)
