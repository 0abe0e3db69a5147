"""A model server whose end fails: it is ended again, and nothing forgets it before."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from signal import SIGTERM

import pytest
from tests.eventually import eventually_async
from tests.worker.failing_writes import make_quick
from tests.worker.hosting.conftest import ENDPOINT, Node, Scenario

from passrole.runtimes import containers
from passrole.runtimes.containers import Record
from passrole.runtimes.jobs import is_running
from passrole.services.sagemaker.hosting import states
from passrole.services.sagemaker.hosting.records import DELETING
from passrole.worker import supervisor

SLEEPS = ["sleep", "600"]


class Engine:
    """Stands for a container engine that does not answer one of its commands in time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.hangs_at: str | None = None
        self.hung = 0
        self._run: Path | None = None
        patch.setattr(containers, "_run", self._asked)

    async def leave(self, node: Node) -> Path:
        """A container that an earlier server has started; the folder that tells of it."""
        self._run = await node.leave(SLEEPS)
        (node.home() / containers.RECORD).write_text(json.dumps({"program": "engine", "name": "c"}))
        return self._run

    async def _asked(self, _record: Record, word: str, *_: str, seconds: float | None = 0) -> tuple[int, str]:
        if word == self.hangs_at:
            self.hung += 1
            raise TimeoutError
        if word == "kill":
            assert self._run is not None
            os.killpg(int((self._run / "pid").read_text()), SIGTERM)
        return 0, ""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


async def _deleted(node: Node) -> None:
    """Have the endpoint deleted once its server is found."""
    await node.put(ENDPOINT)
    node.start()
    await eventually_async(node.followed)
    await node.store.write(lambda tx: states.deleting(tx, ENDPOINT, 1001.0))


@pytest.mark.parametrize("command", ["kill", "rm"])
def test_its_endpoint_is_gone_when_nothing_of_it_is_left(
    command: str,
    engine: Engine,
    run_node: Callable[[Scenario], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_quick(monkeypatch)

    async def scenario(node: Node) -> None:
        run = await engine.leave(node)
        engine.hangs_at = command

        async def is_tried_again() -> bool:
            return engine.hung > 2 or await node.is_gone()

        await _deleted(node)
        await eventually_async(is_tried_again)
        row = await node.row()
        assert row is not None and row.status == DELETING
        assert (node.home() / containers.RECORD).exists()
        engine.hangs_at = None
        await eventually_async(node.is_gone)
        assert not is_running(run)
        assert not node.home().exists()
        assert node.followed() == []

    run_node(scenario)
    assert caplog.text.count("Traceback") == 1


def test_a_stop_does_not_wait_for_it_and_the_next_start_ends_it(
    engine: Engine, run_node: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 3600.0)
    monkeypatch.setattr(supervisor, "RESTART_SECONDS_MAX", 3600.0)

    async def scenario(node: Node) -> None:
        run = await engine.leave(node)
        engine.hangs_at = "kill"
        await _deleted(node)
        await eventually_async(lambda: engine.hung)
        await node.loops.close()
        assert is_running(run)
        assert not await node.is_gone()
        engine.hangs_at = None
        node.start()
        await eventually_async(node.is_gone)
        assert not is_running(run)

    run_node(scenario)
