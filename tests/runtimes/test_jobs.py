"""Programs that outlive their server: each begins once, whoever starts it."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from tests.eventually import eventually_async

from passrole.runtimes import jobs
from passrole.runtimes.jobs import FilesNotWritten, JobLost, Jobs, JobSpec

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def spec(folder: Path, script: str) -> JobSpec:
    return JobSpec(folder, folder / "work", ("sh", "-c", script), PATH)


async def there(path: Path) -> None:
    await eventually_async(lambda: os.path.lexists(path))


def test_of_two_servers_shells_one_runs_the_program(tmp_path: Path) -> None:
    """One that a killed server left, and one of the next server's."""
    told = tmp_path / "told"
    job = spec(tmp_path / "job", f"echo x >> {told}; sleep 0.3; exit 7")

    async def both() -> list[int]:
        return await asyncio.gather(*(Jobs().run(job) for _ in range(4)))

    assert asyncio.run(both()) == [7, 7, 7, 7]
    assert told.read_text() == "x\n"


@pytest.mark.parametrize("file", ["pid", "exit.new"])
def test_a_program_whose_own_files_cannot_be_written_does_not_begin(tmp_path: Path, file: str) -> None:
    told = tmp_path / "told"
    job = spec(tmp_path / "job", f"touch {told}")
    job.folder.mkdir()
    (job.folder / file).symlink_to(tmp_path / "nowhere" / file)  # as on a full disk, no such file can be made
    with pytest.raises(FilesNotWritten, match="could not be written"):
        asyncio.run(Jobs().run(job))
    assert not told.exists()


def test_a_job_that_is_asked_to_end_before_it_begins_does_not_begin(tmp_path: Path) -> None:
    folder, told = tmp_path / "job", tmp_path / "told"
    folder.mkdir()
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "sync").write_text(f"#!/bin/sh\n: > {slow}/called\nwhile :; do sleep 0.05; done\n")
    (slow / "sync").chmod(0o700)
    job = JobSpec(folder, folder, ("touch", str(told)), {"PATH": f"{slow}:{PATH['PATH']}"})

    async def scenario() -> int:
        running = Jobs()
        task = asyncio.ensure_future(running.run(job))
        await there(slow / "called")
        running.interrupt(folder)
        return await task

    assert asyncio.run(scenario()) == 128 + signal.SIGTERM
    assert not told.exists()


def test_a_job_that_is_gone_without_a_code_is_lost_and_has_begun(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    assert not jobs.may_have_begun(folder)

    async def scenario() -> None:
        running = Jobs()
        task = asyncio.ensure_future(running.run(spec(folder, "sleep 60")))
        await there(folder / "stdout")
        os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
        with pytest.raises(JobLost):
            await task

    asyncio.run(scenario())
    assert jobs.may_have_begun(folder)
    jobs.reset(folder)
    assert not jobs.may_have_begun(folder)


def test_the_shell_over_a_program_that_is_killed_tells_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "job"

    async def scenario() -> int:
        running = Jobs()
        job = spec(folder, "trap '' TERM; echo up; sleep 60 & while :; do sleep 0.05; done")
        task = asyncio.ensure_future(running.run(job))
        await eventually_async(lambda: jobs.read_output(folder, jobs.STDOUT, 0, 9) == b"up\n")
        running.interrupt(folder)
        running.kill_program(folder)
        return await task

    assert asyncio.run(scenario()) == 128 + signal.SIGKILL


def test_a_sandbox_that_is_only_being_made_is_not_asked_to_end(tmp_path: Path) -> None:
    """Bubblewrap ends of TERM at any time; before its inside hears of its end, that goes on without it."""
    folder = tmp_path / "job"

    async def scenario() -> int:
        running = Jobs()
        job = replace(spec(folder, "echo up; sleep 0.5; exit 3"), is_confined=True)
        task = asyncio.ensure_future(running.run(job))
        await eventually_async(lambda: jobs.read_output(folder, jobs.STDOUT, 0, 9) == b"up\n")
        assert not running.interrupt(folder)
        return await task

    assert asyncio.run(scenario()) == 3
