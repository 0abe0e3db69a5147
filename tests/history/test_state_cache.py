"""States are remembered within so many bytes: while their execution goes on, and when they are read."""

from collections.abc import Awaitable, Callable

import pytest
from tests.history.conftest import House

from passrole.engine.facts import EffectFailed, ExecutionRetried, InputFact, LambdaReturned, StopRequested
from passrole.history import journal
from passrole.history.state_cache import Folded, StateCache, _objects_size
from passrole.store import Tx

Run = Callable[[Callable[[House], Awaitable[None]]], None]


def returned(step: str, payload: str = '{"x": 1}') -> InputFact:
    return LambdaReturned(at=2.0, step=step, attempt=1, payload=payload)


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], StateCache]:
    """Has the journal use a cache of this size."""

    def use(objects: int, packed: int) -> StateCache:
        cache = StateCache(objects, packed, admitted_every=1)
        monkeypatch.setattr(journal, "_states", cache)
        return cache

    return use


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The executions whose journal was folded from its start."""
    folded: list[str] = []
    from_the_start = journal._from_the_start

    def noted(tx: Tx, execution: str) -> Folded:
        folded.append(execution)
        return from_the_start(tx, execution)

    monkeypatch.setattr(journal, "_from_the_start", noted)
    return folded


def test_a_state_that_had_to_make_room_is_packed_and_not_folded_anew(
    house: Run, states: Callable[[int, int], StateCache], folds: list[str]
) -> None:
    async def scenario(h: House) -> None:
        states(1, 1_000_000)  # the newest alone is an object
        for name in "abc":
            await h.start(name, "l1 c1 l2<l1>")
        for name in "abc":
            assert await h.advance(name, returned("l1"))
        for name in "abc":
            assert list((await h.load(name)).state.steps) == ["l1", "c1", "l2"]
        assert folds == []

    house(scenario)


def test_what_neither_form_has_room_for_is_folded_from_its_journal(
    house: Run, states: Callable[[int, int], StateCache], folds: list[str]
) -> None:
    async def scenario(h: House) -> None:
        states(1, 1)
        for name in "abc":
            await h.start(name, "l1 l2<l1>")
        for name in "abc":
            assert await h.advance(name, returned("l1"))
            assert list((await h.load(name)).state.steps) == ["l1", "l2"]
        assert set(folds) == {h.arn(name) for name in "abc"}

    house(scenario)


def test_what_is_remembered_stays_within_its_bytes(
    house: Run, states: Callable[[int, int], StateCache]
) -> None:
    async def scenario(h: House) -> None:
        cache = states(60_000, 30_000)
        for number in range(60):
            await h.start(f"e{number}", "l1 l2<l1>")
            await h.advance(f"e{number}", returned("l1", '{"x": "' + "long" * 250 * (number % 7) + '"}'))
            assert cache.bytes < 100_000
        assert cache.bytes > 50_000

    house(scenario)


def test_an_execution_that_is_over_is_remembered_once_it_is_read(
    house: Run, states: Callable[[int, int], StateCache], folds: list[str]
) -> None:
    async def scenario(h: House) -> None:
        cache = states(1_000_000, 1_000_000)
        await h.start("a", "l1")
        assert cache.bytes > 0
        await h.advance("a", returned("l1"))
        assert cache.bytes == 0
        for _ in range(5):
            assert (await h.load("a")).state.is_over
        assert folds == [h.arn("a")]
        assert cache.bytes > 0


def test_of_what_was_read_no_more_is_kept_than_there_is_room_for(
    house: Run, states: Callable[[int, int], StateCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passrole.history.state_cache.READ_BYTES_MAX", 30_000)

    async def scenario(h: House) -> None:
        cache = states(1_000_000, 1_000_000)
        for name, length in (("small", 10), ("large", 50_000), ("other", 10), ("another", 4_000)):
            await h.start(name, "l1")
            await h.advance(name, returned("l1", '{"x": "' + "x" * length + '"}'))
            assert (await h.load(name)).state.is_over
            assert cache.bytes <= 30_000

    house(scenario)


def test_a_read_execution_that_is_retried_is_not_what_was_remembered(
    house: Run, states: Callable[[int, int], StateCache]
) -> None:
    async def scenario(h: House) -> None:
        states(1_000_000, 1_000_000)
        await h.start("a", "l1")
        await h.advance("a", EffectFailed(at=2.0, step="l1", attempt=1, reason="no"))
        assert (await h.load("a")).state.is_over
        await h.advance("a", ExecutionRetried(at=3.0))
        assert not (await h.load("a")).state.is_over

    house(scenario)


def test_a_value_that_cannot_be_packed_is_folded_anew(
    house: Run,
    states: Callable[[int, int], StateCache],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_state: object) -> bytes:
        raise ValueError("object too deeply nested to marshal")

    async def scenario(h: House) -> None:
        states(1, 1_000_000)
        monkeypatch.setattr("passrole.history.state_cache.pack", refuse)
        for name in "ab":
            await h.start(name, "l1 l2<l1>")
        for name in "ab":
            assert await h.advance(name, StopRequested(at=2.0))
            assert (await h.load(name)).state.status == "Stopping"

    house(scenario)


def test_executions_that_take_turns_do_not_push_out_one_another(house: Run) -> None:
    async def scenario(h: House) -> None:
        names = "abcdefgh"
        for name in names:
            await h.start(name, "l1 c1 l2<l1>")
        folded = [await h.load(name) for name in names]
        cache = StateCache(4 * _objects_size(folded[0]) + folded[0].definition.size * 8, 1_000_000)
        kept = []
        for _ in range(4):
            kept.append([name for name in names if cache._objects.get(name)])
            for name, each in zip(names, folded, strict=True):
                cache.put(name, each)
        assert all(len(each) >= 3 for each in kept[1:])
        assert len(set(kept[1]) & set(kept[2]) & set(kept[3])) >= 2

    house(scenario)
