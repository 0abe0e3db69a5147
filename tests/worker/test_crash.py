"""The process dies before or after any commit, comes back, and ends where it would have ended."""

import asyncio
import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.store import chosen
from tests.worker.conftest import Workshop

from passrole import history
from passrole.engine.facts import CallbackAnswered, LambdaReturned, from_json
from passrole.history import journal
from passrole.history.state_cache import StateCache
from passrole.store import SqliteStore, Tx

Moment = Literal["before", "after"]
STEPS = "l1 l2<l1> c1<l1> l3<l2,c1> c2<l3> l4<c2>"
NAMES = ("l1", "l2", "c1", "l3", "c2", "l4")


class Mortal:
    """A store that lets `lives` commits pass; the next one never comes, or nobody hears that it did."""

    def __init__(self, store: SqliteStore, lives: int, moment: Moment) -> None:
        self.share = store.share
        self.store, self.lives, self.moment, self.is_dead = store, lives, moment, False

    async def write(self, fn: Callable[[Tx], Any]) -> Any:
        if self.is_dead:
            await asyncio.Event().wait()
        self.lives -= 1
        if self.lives >= 0:
            return await self.store.write(fn)
        self.is_dead = True
        if self.moment == "after":
            await self.store.write(fn)
        return await asyncio.Event().wait()

    async def read(self, fn: Callable[[Tx], Any]) -> Any:
        return await self.store.read(fn)

    def listen(self, channel: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        return self.store.listen(channel, lambda payload: None if self.is_dead else listener(payload))


@pytest.fixture
def live(
    tmp_path: Path, make_shop: Callable[[Any], Workshop], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, Moment], dict[str, Any]]:
    """Two lives of one folder; what the first finished, what the second called, and how it ended."""
    folders = itertools.count()

    def run(lives: int, moment: Moment) -> dict[str, Any]:
        folder = tmp_path / str(next(folders))
        monkeypatch.setattr(journal, "_states", StateCache())
        finished: set[str] = asyncio.run(first(folder, lives, moment))
        monkeypatch.setattr(journal, "_states", StateCache())  # a new process remembers nothing
        return {"finished": finished, **asyncio.run(second(folder))}

    async def first(folder: Path, lives: int, moment: Moment) -> set[str]:
        store = chosen.opened(folder)
        mortal = Mortal(store, lives, moment)
        shop = make_shop(mortal)
        work = asyncio.ensure_future(lead(shop))
        while not mortal.is_dead and not work.done():  # noqa: ASYNC110 (the dead announce nothing)
            await asyncio.sleep(0.001)
        work.cancel()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await store.close()  # also a commit that nobody waits for any more is on the disk now
        return await read_anew(folder)

    async def read_anew(folder: Path) -> set[str]:
        store = chosen.opened(folder)
        try:
            return await store.read(returned)
        finally:
            await store.close()

    async def second(folder: Path) -> dict[str, Any]:
        store = chosen.opened(folder)
        shop = make_shop(store)
        if await store.read(lambda tx: history.executions.find(tx, shop.arn())) is None:
            await store.close()
            return {"called": [], "status": "never acknowledged", "steps": {}}
        await go_on(shop)
        called = [each["FunctionName"].rpartition(":")[2] for each in shop.door.called("lambda:Invoke")]
        ended = {"called": called, "status": await shop.status(), "steps": await shop.steps()}
        await shop.worker.close()
        await store.close()
        return ended

    return run


async def lead(shop: Workshop) -> None:
    await shop.start(STEPS)
    await go_on(shop)


async def go_on(shop: Workshop) -> None:
    """Work until the end, and answer whoever waits."""
    await shop.worker.start()
    while await shop.status() == "Executing":
        for callback in await shop.store.read(history.waiting):
            answer = CallbackAnswered(at=shop.now, step=callback.step, attempt=1, outcome="success")
            await shop.store.write(partial(history.advance, execution=callback.execution, fact=answer))
        await asyncio.sleep(0.001)


def returned(tx: Tx) -> set[str]:
    """Lambda steps whose end is in the journal."""
    rows = tx.all("SELECT facts FROM journal")
    happened = [from_json(document) for (row,) in rows for document in json.loads(row)]
    return {fact.step for fact in happened if isinstance(fact, LambdaReturned)}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whatever_commit_is_the_last_the_execution_ends_the_same_and_nothing_finished_runs_again(
    live: Callable[[int, Moment], dict[str, Any]], moment: Moment
) -> None:
    deaths = 0
    for lives in range(1, 12):
        ended = live(lives, moment)
        deaths += ended["finished"] != {"l1", "l2", "l3", "l4"}
        assert ended["status"] == "Succeeded", lives
        assert {name: step["StepStatus"] for name, step in ended["steps"].items()} == dict.fromkeys(
            NAMES, "Succeeded"
        )
        assert ended["finished"].isdisjoint(ended["called"]), lives
        assert ended["finished"].union(ended["called"]) == {"l1", "l2", "l3", "l4"}
    assert deaths > 4


def test_a_start_that_was_not_committed_was_not_acknowledged(
    live: Callable[[int, Moment], dict[str, Any]],
) -> None:
    assert live(0, "before")["status"] == "never acknowledged"
    assert live(0, "after")["status"] == "Succeeded"
