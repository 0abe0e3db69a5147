"""A state is what its journal folds to, remembered or not."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.history.conftest import House

from passrole import history
from passrole.engine.facts import (
    CallbackAnswered,
    CallbackSent,
    EffectFailed,
    ExecutionRetried,
    InputFact,
    LambdaReturned,
    ParallelismChanged,
    StopRequested,
)
from passrole.history import journal
from passrole.history.state_cache import StateCache
from passrole.store import Tx

Run = Callable[[Callable[[House], Awaitable[None]]], None]
STEPS = "l1 c1<l1> l2 f1<c1,l2> l3<l1>"
names = iter(range(1_000_000))


def facts_about(step: str) -> list[InputFact]:
    if step.startswith("l"):
        return [
            LambdaReturned(at=2.0, step=step, attempt=1, payload='{"x": 1}'),
            EffectFailed(at=2.0, step=step, attempt=1, reason="ClientError: no"),
        ]
    return [
        CallbackSent(at=2.0, step=step, attempt=1),
        CallbackAnswered(at=2.0, step=step, attempt=1, outcome="success"),
    ]


HAPPENINGS = [
    *(fact for step in ("l1", "l2", "l3", "c1") for fact in facts_about(step)),
    StopRequested(at=2.0),
]


@pytest.mark.parametrize("objects_bytes_max", [1, 1_000_000])  # one object at a time; all
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=st.lists(st.sampled_from(HAPPENINGS), max_size=12))
def test_the_remembered_state_is_the_one_the_journal_folds_to(
    house: Run, objects_bytes_max: int, monkeypatch: pytest.MonkeyPatch, happened: list[InputFact]
) -> None:
    monkeypatch.setattr(journal, "_states", StateCache(objects_bytes_max))

    async def scenario(h: House) -> None:
        name = f"e{next(names)}"
        arn = await h.start(name, STEPS)
        await h.start(f"beside-{name}", STEPS)
        for fact in happened:
            await h.advance(name, fact)
            await h.advance(f"beside-{name}", fact)
        remembered = await h.load(name)
        journal._states.drop(arn)
        assert await h.load(name) == remembered

    house(scenario)


def test_a_journal_outlives_its_process(house: Run) -> None:
    kept: list[history.Folded] = []

    async def before(h: House) -> None:
        await h.start("outlives", "l1 l2<l1>")
        await h.advance("outlives", HAPPENINGS[0])
        kept.append(await h.load("outlives"))

    async def after(h: House) -> None:
        journal._states.drop(h.arn("outlives"))
        assert await h.load("outlives") == kept[0]

    house(before)
    house(after)


def test_a_remembered_state_that_is_ahead_of_the_journal_is_not_used(house: Run) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "l1 l2<l1>")
        before = await h.load("a")
        await h.advance("a", HAPPENINGS[0])
        await h.store.write(lambda tx: tx.run("DELETE FROM journal WHERE execution = ? AND seq = 2", arn))
        assert await h.load("a") == before

    house(scenario)


@pytest.mark.parametrize("further", [0, 1])
def test_a_remembered_state_of_another_row_is_not_used(house: Run, further: int) -> None:
    """As after a database that was put back, in which another decision was written then."""

    async def scenario(h: House) -> None:
        arn, other = await h.start("a", "l1 l2<l1> l3"), await h.start("b", "l1 l2<l1> l3")
        returned, failed = facts_about("l1")
        await h.advance("a", returned)
        await h.advance("b", failed)
        for fact in facts_about("l3")[:further]:
            await h.advance("b", fact)
        sql = "INSERT INTO journal SELECT ?, seq, facts FROM journal WHERE execution = ? AND seq > 1"

        def put_back(tx: Tx) -> None:
            tx.run("DELETE FROM journal WHERE execution = ? AND seq > 1", arn)
            tx.run(sql, arn, other)

        await h.store.write(put_back)
        read = await h.load("a")
        assert read.state.steps["l1"].status == "Failed"
        journal._states.drop(arn)
        assert await h.load("a") == read

    house(scenario)


def test_a_row_is_written_once(house: Run) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "l1")
        folded = await h.load("a")
        first = await h.store.write(
            lambda tx: journal.append(tx, arn, folded, [StopRequested(at=2.0)], folded.state)
        )
        second = await h.store.write(
            lambda tx: journal.append(tx, arn, folded, [StopRequested(at=3.0)], folded.state)
        )
        assert first is not None
        assert second is None

    house(scenario)


def test_an_execution_without_a_journal_is_unknown(house: Run) -> None:
    async def scenario(h: House) -> None:
        with pytest.raises(history.UnknownExecution):
            await h.load("nobody")

    house(scenario)


def test_an_outline_describes_an_execution_as_its_whole_journal_does(
    house: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1 c1<l1> l2<c1>", parameters={"P": "x"}, max_parallel_steps=3)
        happened: list[InputFact] = [
            LambdaReturned(at=2.0, step="l1", attempt=1, payload="{}"),
            ParallelismChanged(at=2.5, max_parallel_steps=2),
            CallbackAnswered(at=3.0, step="c1", attempt=1, outcome="failure", reason="no"),
            ExecutionRetried(at=4.0, max_parallel_steps=None),
            StopRequested(at=5.0),
            CallbackAnswered(at=6.0, step="c1", attempt=2, outcome="success"),
        ]
        for fact in [None, *happened]:
            if fact is not None:
                await h.advance("a", fact)
            monkeypatch.setattr(journal, "_states", StateCache())
            outlined = await h.store.read(lambda tx: history.outline(tx, h.arn("a")))
            monkeypatch.setattr(journal, "_states", StateCache())
            whole, row = await h.load("a"), await h.row("a")
            assert history.projection.describe(row, outlined) == history.projection.describe(row, whole)
            parameters = [history.projection.parameters(each.state) for each in (outlined, whole)]
            assert parameters[0] == parameters[1] != []
            assert (outlined.seq, outlined.row, outlined.modified) == (whole.seq, whole.row, whole.modified)
        with pytest.raises(history.UnknownExecution):
            await h.store.read(lambda tx: history.outline(tx, h.arn("none")))

    house(scenario)
