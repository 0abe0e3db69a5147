"""One transaction a fact: everything that follows is written down, or nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.history.conftest import House

from passrole import history
from passrole.engine.facts import (
    CallbackAnswered,
    CallbackSent,
    EffectFailed,
    ExecutionRetried,
    LambdaReturned,
    StopRequested,
)
from passrole.history import journal
from passrole.store import Tx, tasks

Run = Callable[[Callable[[House], Awaitable[None]]], None]


def returned(step: str, at: float = 2.0) -> LambdaReturned:
    return LambdaReturned(at=at, step=step, attempt=1, payload='{"x": 7}')


def test_a_start_leaves_commands_in_the_outbox_and_announces_them_with_their_role(house: Run) -> None:
    async def scenario(h: House) -> None:
        heard: list[str] = []
        for kind in history.outbox.KINDS:
            h.store.listen(tasks.channel(kind), lambda _, kind=kind: heard.append(kind))  # type: ignore[misc]
        arn = await h.start("a", "l1 c1 l2<l1>")
        assert await h.pending() == ["c1/1", "l1/1"]
        assert heard == ["engine/InvokeFunction", "engine/SendCallback"]
        assert [
            (task.execution, task.role, task.key, type(task.command).__name__)
            for task in await h.store.read(history.pending)
        ] == [
            (arn, h.role, "c1/1", "SendCallback"),
            (arn, h.role, "l1/1", "InvokeFunction"),
        ]

    house(scenario)


def test_a_finished_command_makes_room_for_its_successors(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1 l2<l1>")
        assert await h.advance("a", returned("l1"), finished="l1/1")
        assert await h.pending() == ["l2/1"]
        assert await h.advance("a", returned("l2"), finished="l2/1")
        assert await h.pending() == []
        assert (await h.row("a")).status == "Succeeded"

    house(scenario)


def test_a_retry_is_in_the_list_in_the_outbox_and_in_the_journal(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "c1 l1<c1>")
        failed = CallbackAnswered(at=2.0, step="c1", attempt=1, outcome="failure", reason="no")
        await h.advance("a", failed, finished="c1/1")
        assert ((await h.row("a")).status, (await h.row("a")).reason is None) == ("Failed", False)
        assert await h.advance("a", ExecutionRetried(at=3.0))
        assert ((await h.row("a")).status, (await h.row("a")).reason) == ("Executing", None)
        assert await h.pending() == ["c1/2"]
        callbacks = await h.store.read(history.waiting)
        assert [(each.step, each.attempt, each.issued) for each in callbacks] == [("c1", 2, 3.0)]
        remembered = (await h.load("a")).state
        journal._states.drop(h.arn("a"))
        assert (await h.load("a")).state == remembered

    house(scenario)


def test_old_news_changes_nothing_but_its_command_leaves(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1 l2<l1>")
        await h.advance("a", returned("l1"))
        before = await h.load("a")
        assert await h.pending() == ["l1/1", "l2/1"]
        assert not await h.advance("a", returned("l1"), finished="l1/1")
        assert await h.pending() == ["l2/1"]
        assert await h.load("a") == before

    house(scenario)


def test_an_execution_that_does_not_exist_is_told_so(house: Run) -> None:
    async def scenario(h: House) -> None:
        with pytest.raises(history.UnknownExecution):
            await h.advance("nobody", StopRequested(at=1.0))

    house(scenario)


def test_a_failed_step_shows_in_the_lists_when_the_execution_ends(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1 l2")
        await h.advance("a", EffectFailed(at=2.0, step="l1", attempt=1, reason="ClientError: no"))
        assert ((await h.row("a")).status, (await h.row("a")).reason) == ("Executing", None)
        await h.advance("a", returned("l2"))
        assert (await h.row("a")).status == "Failed"
        assert (await h.row("a")).reason == "Step failure: One or multiple steps failed."

    house(scenario)


def test_a_stop_shows_in_the_lists_at_once(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1")
        assert await h.advance("a", StopRequested(at=2.0))
        assert (await h.row("a")).status == "Stopping"
        await h.advance("a", returned("l1"))
        assert (await h.row("a")).status == "Stopped"

    house(scenario)


ENDINGS: dict[str, list[Any]] = {
    "answered": [
        CallbackSent(at=2.0, step="c1", attempt=1),
        CallbackAnswered(at=3.0, step="c1", attempt=1, outcome="success"),
    ],
    "never sent": [EffectFailed(at=3.0, step="c1", attempt=1, reason="ClientError: no queue")],
    "stopped": [
        CallbackSent(at=2.0, step="c1", attempt=1),
        StopRequested(at=2.5),
        CallbackAnswered(at=3.0, step="c1", attempt=1, outcome="failure"),
    ],
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_token_waits_from_its_message_until_its_step_ends(house: Run, ending: str) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "c1", at=1.5)
        for fact in ENDINGS[ending]:
            (callback,) = await h.store.read(history.waiting)
            assert (callback.execution, callback.step, callback.issued) == (arn, "c1", 1.5)
            assert (callback.queue_url, callback.arguments) == ("https://q", {"n": 1})
            await h.advance("a", fact)
        assert await h.store.read(history.waiting) == []
        kept = await h.store.read(lambda tx: history.callbacks.find(tx, callback.token))
        assert kept is not None
        assert kept.closed == 3.0

    house(scenario)


def test_a_failing_transaction_leaves_no_trace(house: Run) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "l1 l2<l1>")
        before = await h.load("a")

        def fails(tx: Tx) -> None:
            history.advance(tx, arn, returned("l1"), finished="l1/1")
            raise RuntimeError("the power is gone")

        heard: list[object] = []
        h.store.listen(tasks.channel("engine/InvokeFunction"), heard.append)
        with pytest.raises(RuntimeError):
            await h.store.write(fails)
        assert await h.load("a") == before
        assert await h.pending() == ["l1/1"]
        assert heard == []
        assert await h.advance("a", returned("l1"), finished="l1/1")
        assert (await h.load("a")).seq == before.seq + 1

    house(scenario)


def test_what_another_process_appended_is_folded_before_deciding(house: Run) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "l1 l2<l1> l3<l2>")
        early = await h.load("a")
        await h.advance("a", returned("l1"))
        journal._states.put(arn, early)  # as if the other process had done it
        assert await h.advance("a", returned("l2", at=3.0))
        assert (await h.load("a")).seq == 3
        assert list((await h.load("a")).state.steps) == ["l1", "l2", "l3"]

    house(scenario)


def test_who_loses_the_race_for_a_row_decides_again(house: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1 l2")
        early = await h.load("a")
        await h.advance("a", returned("l1"))
        loads = iter([early])
        load = journal.load
        monkeypatch.setattr(journal, "load", lambda tx, arn: next(loads, None) or load(tx, arn))
        assert await h.advance("a", returned("l2", at=3.0))
        assert (await h.row("a")).status == "Succeeded"

    house(scenario)
