"""Executions that ended long ago go whole; what runs, and what a running one was started from, stays."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.history.conftest import House, definition

from passrole import history
from passrole.engine.facts import EffectFailed, ExecutionRetried, LambdaReturned, StopRequested
from passrole.history import retention
from passrole.store import Tx

Run = Callable[[Callable[[House], Awaitable[None]]], None]

TABLES = ("executions", "journal", "tokens", "tasks", "definitions")


async def begun(h: House, name: str, at: float = 1.0, steps: str = "l1", **given: Any) -> None:
    await h.start(name, steps, at=at, **given)


async def over(h: House, name: str, at: float, steps: str = "l1") -> None:
    """An execution that began at 1 and failed at `at`."""
    await begun(h, name, steps=steps)
    await h.advance(name, EffectFailed(at=at, step="l1", attempt=1, reason="no"), finished="l1/1")


async def left(h: House) -> str:
    rows = await h.store.read(lambda tx: tx.all("SELECT execution FROM executions ORDER BY execution"))
    return "".join(arn[-1] for (arn,) in rows)


async def count(h: House, table: str) -> int:
    rows = await h.store.read(lambda tx: tx.all(f"SELECT 1 FROM {table}"))
    return len(rows)


def test_the_moment_that_counts_is_the_end(house: Run) -> None:
    async def scenario(h: House) -> None:
        await over(h, "a", at=9.0)
        await over(h, "b", at=11.0)
        await begun(h, "c")
        assert len(await retention.sweep(h.store, before=10.0)) == 1
        assert await left(h) == "bc"
        assert len(await retention.sweep(h.store, before=10.0)) == 0

    house(scenario)


def test_everything_of_an_execution_goes_with_it(house: Run) -> None:
    async def scenario(h: House) -> None:
        await begun(h, "a", steps="l1 c1")
        await h.advance("a", StopRequested(at=2.0))
        for key, fact in (("l1/1", LambdaReturned(at=3.0, step="l1", attempt=1, payload="{}")),):
            await h.advance("a", fact, finished=key)
        await h.advance("a", EffectFailed(at=4.0, step="c1", attempt=1, reason="no"))
        assert (await h.row("a")).status in ("Stopped", "Failed")
        assert await count(h, "tokens") == 1
        assert len(await retention.sweep(h.store, before=10.0)) == 1
        assert {table: await count(h, table) for table in TABLES} == dict.fromkeys(TABLES, 0)
        with pytest.raises(history.UnknownExecution):
            await h.load("a")

    house(scenario)


def test_an_execution_whose_name_begins_alike_keeps_what_it_has(house: Run) -> None:
    async def scenario(h: House) -> None:
        await over(h, "a", at=2.0)
        await begun(h, "ab", steps="l1 c1")
        before = [await count(h, table) for table in ("tokens", "tasks")]
        assert len(await retention.sweep(h.store, before=10.0)) == 1
        assert [await count(h, table) for table in ("tokens", "tasks")] == before

    house(scenario)


def test_a_closed_token_of_a_running_execution_stays(house: Run) -> None:
    async def scenario(h: House) -> None:
        await begun(h, "a", steps="l1 c1 l2<c1>")
        await h.advance("a", EffectFailed(at=2.0, step="c1", attempt=1, reason="no"))
        assert await h.store.read(lambda tx: tx.one("SELECT closed FROM tokens")) == (2.0,)
        assert len(await retention.sweep(h.store, before=10.0)) == 0
        assert await count(h, "tokens") == 1

    house(scenario)


def test_a_definition_stays_while_an_execution_or_a_pipeline_has_it(house: Run) -> None:
    async def scenario(h: House) -> None:
        await over(h, "a", at=2.0)
        await begun(h, "b")
        await over(h, "c", at=2.0, steps="l1 f1<l1>")
        await h.store.write(lambda tx: history.definitions.keep(tx, definition("l1 f1<l1>"), owner="arn:p"))
        await over(h, "d", at=2.0, steps="l1 f2<l1>")
        assert await count(h, "definitions") == 3
        assert len(await retention.sweep(h.store, before=10.0)) == 3
        assert await count(h, "definitions") == 2
        assert (await h.load("b")).state.status == "Executing"

    house(scenario)


def test_the_source_of_a_running_execution_stays_until_that_ends(house: Run) -> None:
    async def scenario(h: House) -> None:
        await over(h, "a", at=2.0, steps="l1 l2")
        await h.advance("a", LambdaReturned(at=3.0, step="l2", attempt=1, payload="{}"), finished="l2/1")
        await begun(h, "b", steps="l1 l2", selected=("l1",), source=h.arn("a"))
        assert len(await retention.sweep(h.store, before=10.0)) == 0
        await h.advance("b", EffectFailed(at=11.0, step="l1", attempt=1, reason="no"), finished="l1/1")
        assert len(await retention.sweep(h.store, before=10.0)) == 1
        assert await left(h) == "b"

    house(scenario)


def test_one_that_is_retried_between_reading_and_deleting_stays(
    house: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(h: House) -> None:
        await over(h, "a", at=2.0)
        write = h.store.write

        async def retried_first(fn: Callable[[Tx], Any]) -> Any:
            fact = ExecutionRetried(at=20.0)
            await write(lambda tx: history.advance(tx, h.arn("a"), fact))
            return await write(fn)

        monkeypatch.setattr(h.store, "write", retried_first)
        assert len(await retention.sweep(h.store, before=10.0)) == 0
        assert await left(h) == "a"

    house(scenario)


def test_batches_are_bounded_and_a_crash_between_them_is_harmless(
    house: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE_MAX", 2)

    async def crashed(h: House) -> None:
        for name in "abcde":
            await over(h, name, at=2.0)
        write, sizes = h.store.write, list[Any]()

        async def once(fn: Callable[[Tx], Any]) -> Any:
            if sizes:
                raise ConnectionAbortedError
            sizes.append(await write(fn))
            return sizes[-1]

        with monkeypatch.context() as patch:
            patch.setattr(h.store, "write", once)
            with pytest.raises(ConnectionAbortedError):
                await retention.sweep(h.store, before=10.0)
        assert [len(each) for each in sizes] == [2]
        assert await left(h) == "cde"

    async def went_on(h: House) -> None:
        assert len(await retention.sweep(h.store, before=10.0)) == 3
        assert {table: await count(h, table) for table in TABLES} == dict.fromkeys(TABLES, 0)

    house(crashed)
    house(went_on)
