"""Containers of jobs: made, started by the shell over a job, signalled and removed."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests import container_image
from tests.container_image import IMAGE
from tests.eventually import eventually, eventually_async, process_ended

from passrole.runtimes import containers, jobs, processes
from passrole.runtimes.containers import Container, ContainerRefused, Engine, EngineMissing, Record
from passrole.runtimes.jobs import Jobs, JobSpec

STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "some-job/algo-1"
    folder.mkdir(parents=True)
    yield folder
    asyncio.run(containers.remove(folder))


def _container(home: Path, script: str) -> Container:
    return Container(IMAGE, ["/bin/sh", "-c"], [script], {"A": "b"}, "algo-1", {Path("/opt/ml"): home})


def _spec(home: Path) -> JobSpec:
    return JobSpec(home / "run", home, containers.command(home), containers.environment())


def test_a_container_ends_by_the_signal_that_it_cannot_ignore(home: Path) -> None:
    engine = container_image.engine()

    async def scenario() -> int:
        assert await containers.signal(home, "TERM") is None
        await containers.create(engine, _container(home, STUBBORN), home)
        assert await containers.signal(home, "TERM") is False  # it has not begun
        task = asyncio.ensure_future(Jobs().run(_spec(home)))
        await eventually_async(lambda: jobs.read_output(home / "run", jobs.STDOUT, 0, 9) == b"up\n")
        assert await containers.signal(home, "TERM") is True
        assert await containers.signal(home, "KILL") is True
        return await task

    assert asyncio.run(scenario()) == 137
    assert container_image.running("some-job") == []


def test_it_has_limits(home: Path) -> None:
    engine = container_image.engine()
    if not engine.limits_processes:
        pytest.skip(f"{engine.name} cannot limit processes here")
    script = (
        "cd /sys/fs/cgroup; cat pids/pids.max pids.max memory/memory.limit_in_bytes memory.max 2> /dev/null"
    )
    made = replace(_container(home, script), processes_max=40, memory_mb=64)

    async def scenario() -> None:
        await containers.create(engine, made, home)
        await Jobs().run(_spec(home))

    asyncio.run(scenario())
    assert jobs.read_output(home / "run", jobs.STDOUT, 0, 99).split() == [b"40", b"67108864"]


def test_what_is_removed_is_not_asked_first(home: Path) -> None:
    """Whoever removes it has asked, and waited: a removal that waits again may be cut off."""
    engine = container_image.engine()
    asks = "trap 'echo > /opt/ml/asked' TERM; echo up; while :; do sleep 0.05; done"

    async def scenario() -> None:
        await containers.create(engine, _container(home, asks), home)
        task = asyncio.ensure_future(Jobs().run(_spec(home)))
        await eventually_async(lambda: jobs.read_output(home / "run", jobs.STDOUT, 0, 9) == b"up\n")
        await containers.remove(home)
        assert await task != 0

    asyncio.run(scenario())
    assert container_image.running("some-job") == [] and not (home / "asked").exists()


def test_what_was_left_is_replaced_when_it_is_made_again(home: Path) -> None:
    engine = container_image.engine()

    async def scenario() -> int:
        await containers.create(engine, _container(home, "exit 1"), home)
        (home / containers.RECORD).unlink()
        await containers.create(engine, _container(home, "exit 3"), home)
        assert len(container_image.running("some-job")) == 1
        assert not (home / containers.ENVIRONMENT).exists()
        return await Jobs().run(_spec(home))

    assert asyncio.run(scenario()) == 3


def test_the_exit_code_is_the_containers_where_the_engines_client_is_gone(home: Path) -> None:
    engine = container_image.engine()

    async def scenario() -> int:
        script = "echo up; while [ ! -e /opt/ml/go ]; do sleep 0.05; done; exit 5"
        await containers.create(engine, _container(home, script), home)
        task = asyncio.ensure_future(Jobs().run(_spec(home)))
        await eventually_async(lambda: jobs.read_output(home / "run", jobs.STDOUT, 0, 9) == b"up\n")
        _shell, _follow, client, *_ = processes.family(int((home / "run/pid").read_text()))
        os.kill(client, signal.SIGKILL)
        (home / "go").touch()
        return await task

    assert asyncio.run(scenario()) == 5
    assert container_image.running("some-job") == []


def test_an_image_that_is_nowhere_is_refused_in_the_engines_words(home: Path) -> None:
    engine = container_image.engine()
    made = replace(_container(home, "true"), image="127.0.0.1:1/nothing:1")
    with pytest.raises(
        ContainerRefused, match=r"did not make a container of 127.0.0.1:1/nothing:1: .*refused"
    ):
        asyncio.run(containers.create(engine, made, home))


def test_an_image_that_nobody_waits_for_any_more_is_not_fetched_further(home: Path, tmp_path: Path) -> None:
    slow = tmp_path / "engine"
    slow.write_text(f'#!/bin/sh\n[ "$1" != create ] || {{ echo $$ > {tmp_path}/pid; exec sleep 60; }}\n')
    slow.chmod(0o755)

    async def scenario() -> int:
        making = asyncio.ensure_future(
            containers.create(Engine("podman", str(slow)), _container(home, "true"), home)
        )
        pid = int(await eventually_async(lambda: _read(tmp_path / "pid")))
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        return pid

    pid = asyncio.run(scenario())
    gc.collect()  # a pipe that was left open is a warning, and so an error
    eventually(lambda: process_ended(pid))


def test_an_engine_that_does_not_answer_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    hangs = tmp_path / "engine"
    hangs.write_text(f"#!/bin/sh\nsleep 60 & echo $! > {tmp_path}/pid\nwait\n")
    hangs.chmod(0o755)

    async def scenario() -> int:
        asked = asyncio.ensure_future(containers._run(Record(str(hangs), "name"), "inspect", seconds=1.0))
        pid = int(await eventually_async(lambda: _read(tmp_path / "pid")))
        with pytest.raises(TimeoutError):
            await asked
        return pid

    pid = asyncio.run(scenario())
    eventually(lambda: process_ended(pid))


@pytest.mark.parametrize("environment", [{"A": "a\nb"}, {"A B": ""}, {"#A": ""}, {"": ""}, {"A": "\0"}])
def test_a_variable_that_no_line_can_hold_is_refused(home: Path, environment: dict[str, str]) -> None:
    made = replace(_container(home, "true"), environment=environment)
    with pytest.raises(ContainerRefused, match="cannot be given to a container"):
        asyncio.run(containers.create(Engine("podman", "/bin/true"), made, home))


def test_an_engine_that_does_not_work_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho some text >&2; echo cannot reach it >&2; exit 1\n")
    broken.chmod(0o755)
    with pytest.raises(
        EngineMissing, match=r"docker: it is not installed; podman: cannot reach it; finch: it"
    ):
        containers.found(containers.AUTO)
    with pytest.raises(EngineMissing, match="setting `containers` is `none`"):
        containers.found(containers.NONE)
    broken.write_text("#!/bin/sh\necho '  - pids'\n")
    assert containers.found(containers.AUTO) == Engine("podman", str(broken))
    with pytest.raises(EngineMissing, match="docker: it is not installed"):
        containers.found("docker")


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""
