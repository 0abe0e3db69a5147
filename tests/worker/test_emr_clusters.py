"""The EMR controller over a real store and real programs: what a failed write or a lost task changes."""

import asyncio
import errno
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.failing_writes import FullDisk, make_quick

from passrole.arns import Account, Region
from passrole.config import Config, Paths
from passrole.faults import Outage
from passrole.policy.request import Principal
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.spark import TEMPORARY
from passrole.services.emr import leftovers, lifecycle
from passrole.services.emr.records import (
    CLUSTERS,
    STEPS,
    Cluster,
    EmrStep,
    active_steps,
    find_step,
    put_step,
    steps_of,
)
from passrole.store import SqliteStore, Tx, claims
from passrole.store.share import Share
from passrole.worker.emr_clusters import ClusterController
from passrole.worker.emr_step_logs import CONTROLLER
from passrole.worker.supervisor import Supervisor

ROLE = "arn:aws:iam::111122223333:role/r"
CLUSTER = Cluster(
    account=Account("111122223333"),
    region=Region("us-east-1"),
    id="j-1",
    name="c",
    created=0.0,
    service_role=ROLE,
    instance_role=ROLE,
    instance="i-1",
    request="",
    keep_alive=True,
)


class Scene:
    """A cluster, its controller, and a file to which its steps write."""

    def __init__(self, store: SqliteStore, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.store, self.folder = store, folder
        self.disk = FullDisk(store, patch)
        shared = folder.with_name("shared")
        shared.mkdir(exist_ok=True)
        self.notes = shared / "notes"
        self.gate = shared / "gate"
        self.supervisor = Supervisor()
        config = Config(data=folder, shared_paths=Paths(str(shared)))
        self.calls, self.away = 0, range(0)
        """How many calls were made, and the numbers of those that find no database."""
        self.jobs = Jobs(processes_max=config.processes_max)
        self.controller = ClusterController(store, self._door, time.time, config, self.jobs)

    async def begin(self, script: str) -> None:
        """A cluster that comes up, with a step of the shell; then the controller is started."""
        await self.add(script)
        self.controller.start(self.supervisor)

    async def add(self, script: str, cluster: Cluster = CLUSTER) -> None:
        """The rows alone."""
        step = EmrStep(
            CLUSTER.key, "s-1", 1, "s", "CONTINUE", 0.0, "command-runner.jar", ["bash", "-c", script]
        )

        def write(tx: Tx) -> None:
            CLUSTERS.put(tx, cluster.key, cluster)
            put_step(tx, step)

        await self.store.write(write)

    async def step(self) -> EmrStep:
        return (await self.store.read(lambda tx: steps_of(tx, CLUSTER.key)))[0]

    async def until_step(self, state: str) -> None:
        async def reached() -> bool:
            return (await self.step()).state == state

        await eventually_async(reached)

    async def until_cluster(self, state: str) -> None:
        async def reached() -> bool:
            cluster = await self.store.read(lambda tx: CLUSTERS.get(tx, CLUSTER.key))
            return cluster is not None and cluster.state == state

        await eventually_async(reached)

    async def _door(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """Every role is assumed, and nothing else is called."""
        assert operation == "AssumeRole"
        self.calls += 1
        if self.calls in self.away:
            raise Outage
        credentials = {"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": 2e9}
        return {"AssumedRoleUser": {"Arn": "arn:s", "AssumedRoleId": "AROA:s"}, "Credentials": credentials}

    def waiting_script(self, code: int = 0) -> str:
        """Notes that it began, and ends once the gate is there."""
        return f"echo ran >> {self.notes}; until [ -e {self.gate} ]; do sleep 0.02; done; exit {code}"


def run(folder: Path, patch: pytest.MonkeyPatch, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    make_quick(patch)

    async def opened() -> None:
        store = chosen.opened(folder)
        scene = Scene(store, folder, patch)
        try:
            await scenario(scene)
        finally:
            scene.gate.touch()
            await scene.supervisor.close()
            await store.close()

    asyncio.run(opened())


def test_a_full_disk_strands_no_step_and_blocks_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begin(scene.waiting_script())
        await scene.until_step("RUNNING")
        scene.disk.is_full = True
        scene.gate.touch()
        await eventually_async(lambda: scene.disk.refused > 3)
        scene.disk.is_full = False
        await scene.until_step("COMPLETED")
        await scene.until_cluster("WAITING")
        assert scene.notes.read_text() == "ran\n"

    run(tmp_path / "data", monkeypatch, scenario)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_step_whose_calls_find_no_database_waits_for_it(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first calls are the cluster's, which assumes its roles, and the next the step's."""

    async def scenario(scene: Scene) -> None:
        scene.away = range(first, first + 3)
        await scene.begin(f"echo ran >> {scene.notes}")
        await scene.until_cluster("WAITING")
        assert (await scene.step()).state == "COMPLETED"
        assert scene.calls in range(first + 3, 20) and scene.notes.read_text() == "ran\n"

    run(tmp_path / "data", monkeypatch, scenario)


def test_a_cluster_comes_up_once_the_disk_takes_writes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begin("true")
        scene.disk.is_full = True
        await eventually_async(lambda: scene.disk.refused > 3)
        scene.disk.is_full = False
        await scene.until_step("COMPLETED")

    run(tmp_path / "data", monkeypatch, scenario)


def test_a_cluster_that_fails_to_come_up_is_tried_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(lifecycle, "move", _no_room)
            await scene.begin("true")
            await eventually_async(lambda: scene.controller._due._failures.get(CLUSTER.key, 0) > 3)
        await scene.until_step("COMPLETED")
        await eventually_async(lambda: not scene.controller._due._failures)

    run(tmp_path / "data", monkeypatch, scenario)


def _no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_step_whose_task_was_lost_is_reattached_and_not_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begin(scene.waiting_script())
        await eventually_async(scene.notes.exists)
        for task in asyncio.all_tasks():
            if "_carry_out" in repr(task.get_coro()):
                task.cancel()
        await asyncio.sleep(0.1)
        scene.gate.touch()
        await scene.until_step("COMPLETED")
        assert scene.notes.read_text() == "ran\n"

    run(tmp_path / "data", monkeypatch, scenario)


@pytest.fixture
def one_of_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a scenario on a server that shares its database with another one."""
    monkeypatch.setattr(Share, "is_whole", False)

    def run_it(scenario: Callable[[Scene], Awaitable[None]]) -> None:
        async def entered(scene: Scene) -> None:
            scene.store.share.node = await scene.store.write(lambda tx: claims.enter(tx, "this"))
            await scenario(scene)

        run(tmp_path / "data", monkeypatch, entered)

    return run_it


async def taken_over(scene: Scene) -> None:
    """The cluster, by the other server, while this one is away; then this one enters again."""

    def take(tx: Tx) -> int:
        other = claims.enter(tx, "other")
        assert claims.mark_gone(tx, scene.store.share.node)
        assert claims.take_over(tx, "emr-cluster", other, 10) == [CLUSTER.key]
        lifecycle.lose(tx, CLUSTER.key, time.time())
        return claims.enter(tx, "this")

    scene.store.share.node = await scene.store.write(take)


def test_a_step_that_another_server_has_lost_runs_here_no_longer(one_of_several: Callable[..., None]) -> None:
    """The next step, or the next attempt, may write to the same place."""

    async def scenario(scene: Scene) -> None:
        await scene.begin(f"{scene.waiting_script()}; echo ended >> {scene.notes}")
        await eventually_async(scene.notes.exists)
        await taken_over(scene)
        await eventually_async(lambda: not scene.jobs.running)
        assert (await scene.step()).state == "FAILED"
        assert scene.notes.read_text() == "ran\n"

    one_of_several(scenario)


def test_a_bootstrap_action_of_a_server_that_was_away_ends_nothing_of_the_next_one(
    one_of_several: Callable[..., None],
) -> None:
    async def scenario(scene: Scene) -> None:
        action = scene.gate.with_name("action")
        action.write_text(scene.waiting_script(1))
        script = {"Name": "a", "ScriptBootstrapAction": {"Path": str(action)}}
        await scene.add("true", replace(CLUSTER, bootstrap=[script]))
        scene.controller.start(scene.supervisor)
        await eventually_async(scene.notes.exists)
        await taken_over(scene)
        await scene.store.write(lambda tx: lifecycle.move(tx, CLUSTER.key, "RUNNING", time.time()))
        scene.gate.touch()
        await eventually_async(lambda: not scene.controller._starting)
        await scene.supervisor.close()
        cluster = await scene.store.read(lambda tx: CLUSTERS.get(tx, CLUSTER.key))
        assert cluster is not None and cluster.state == "RUNNING"

    one_of_several(scenario)


def with_action(scene: Scene, script: str, **changes: Any) -> Cluster:
    """A cluster with a bootstrap action of the shell."""
    action = scene.gate.with_name("action")
    action.write_text(script)
    given = {"Name": "a", "ScriptBootstrapAction": {"Path": str(action)}}
    return replace(CLUSTER, bootstrap=[given], **changes)


async def of_one_that_is_gone(scene: Scene, state: str = "RUNNING") -> None:
    """The cluster is another server's, which was marked as gone; its first step ran there."""

    def write(tx: Tx) -> None:
        other = claims.enter(tx, "other")
        assert claims.claim(tx, "emr-cluster", CLUSTER.key, other) and claims.mark_gone(tx, other)
        (step,) = steps_of(tx, CLUSTER.key)
        put_step(tx, replace(step, state=state))
        put_step(tx, replace(step, number=2, id="s-2"))

    await scene.store.write(write)


async def states_of_steps(scene: Scene) -> list[str]:
    return [step.state for step in await scene.store.read(lambda tx: steps_of(tx, CLUSTER.key))]


@pytest.mark.parametrize(("state", "step"), [("RUNNING", "RUNNING"), ("WAITING", "COMPLETED")])
def test_a_cluster_that_is_taken_over_runs_its_bootstrap_actions_before_the_next_step(
    one_of_several: Callable[..., None], state: str, step: str
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add(
            f"echo step >> {scene.notes}", with_action(scene, scene.waiting_script(), state=state, ready=1.0)
        )
        await of_one_that_is_gone(scene, step)
        scene.controller.start(scene.supervisor)
        await eventually_async(scene.notes.exists)
        await scene.until_cluster("BOOTSTRAPPING")
        assert await states_of_steps(scene) == ["FAILED" if step == "RUNNING" else step, "PENDING"]
        scene.gate.touch()
        await scene.until_cluster("WAITING")
        assert (await states_of_steps(scene))[1] == "COMPLETED"
        assert scene.notes.read_text() == "ran\nstep\n"

    one_of_several(scenario)


def test_a_bootstrap_action_that_fails_where_the_cluster_is_taken_over_ends_it(
    one_of_several: Callable[..., None],
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add(
            f"echo step >> {scene.notes}", with_action(scene, "exit 1", state="WAITING", ready=1.0)
        )
        await of_one_that_is_gone(scene)
        scene.controller.start(scene.supervisor)
        await scene.until_cluster("TERMINATED_WITH_ERRORS")
        assert await states_of_steps(scene) == ["FAILED", "CANCELLED"]
        cluster = await scene.store.read(lambda tx: CLUSTERS.get(tx, CLUSTER.key))
        assert cluster is not None and cluster.reason == "BOOTSTRAP_FAILURE"
        assert not scene.notes.exists()

    one_of_several(scenario)


def test_a_cluster_without_bootstrap_actions_that_is_taken_over_goes_on(
    one_of_several: Callable[..., None],
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add(scene.waiting_script(), replace(CLUSTER, state="RUNNING", ready=1.0))
        await of_one_that_is_gone(scene)
        scene.controller.start(scene.supervisor)
        await eventually_async(scene.notes.exists)
        await scene.until_cluster("RUNNING")
        assert await states_of_steps(scene) == ["FAILED", "RUNNING"]
        scene.gate.touch()
        await scene.until_cluster("WAITING")

    one_of_several(scenario)


def test_a_start_keeps_the_files_of_actions_that_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        files = tmp_path / "data" / "emr" / CLUSTER.id / "bootstrap-1" / TEMPORARY
        files.mkdir(parents=True)
        for state, are_kept in (("BOOTSTRAPPING", True), ("WAITING", False)):
            await scene.add("true", replace(CLUSTER, state=state, ready=1.0))
            await leftovers.sweep(scene.store, Config(data=tmp_path / "data"))
            assert files.exists() == are_kept

    run(tmp_path / "data", monkeypatch, scenario)


def test_how_a_program_ended_stays_though_its_log_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        (tmp_path / "data" / "emr" / CLUSTER.id / "s-1" / CONTROLLER).mkdir(
            parents=True
        )  # no file can be there
        await scene.begin(f"echo ran >> {scene.notes}")
        await scene.until_step("COMPLETED")
        assert scene.notes.read_text() == "ran\n"

    run(tmp_path / "data", monkeypatch, scenario)


def test_what_a_settle_reads_does_not_grow_with_the_steps_that_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = EmrStep(CLUSTER.key, "s", 1, "s", "CONTINUE", 0.0, "command-runner.jar", state="COMPLETED")

    class Counting:
        """A transaction that counts the rows which it reads."""

        def __init__(self, tx: Tx) -> None:
            self.tx, self.rows = tx, 0

        def all(self, sql: str, *parameters: Any) -> list[Any]:
            found = self.tx.all(sql, *parameters)
            self.rows += len(found)
            return found

        def one(self, sql: str, *parameters: Any) -> Any:
            self.rows += 1
            return self.tx.one(sql, *parameters)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.tx, name)

    async def scenario(scene: Scene) -> None:
        def fill(tx: Tx) -> None:
            CLUSTERS.put(tx, CLUSTER.key, replace(CLUSTER, state="RUNNING"))
            for number in range(1, 1_001):
                put_step(tx, replace(over, number=number))
            put_step(tx, replace(over, number=1_001, id="s-new", state="PENDING"))

        def settle(tx: Tx) -> tuple[int, lifecycle.Todo | None]:
            counting: Any = Counting(tx)
            todo = lifecycle.settle(counting, CLUSTER.key, 1.0)
            return counting.rows, todo

        await scene.store.write(fill)
        rows, todo = await scene.store.write(settle)
        assert todo is not None and [step.id for step in todo.start] == ["s-new"]
        assert rows < 10
        assert [step.id for step in await scene.store.read(lambda tx: active_steps(tx, CLUSTER.key))] == [
            "s-new"
        ]
        assert len(await scene.store.read(STEPS.all)) == 1_001
        for wanted, number in (("s-new", 1_001), ("s", 1_000), ("s-none", None)):
            found = await scene.store.read(partial(find_step, cluster=CLUSTER.key, step_id=wanted))
            assert (found.number if found else None) == number

    run(tmp_path / "data", monkeypatch, scenario)
