"""Why a step took an earlier result over, or did not."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from tests.history.conftest import House
from tests.history.test_job_results import ran

from passrole.engine.cache_key import Difference
from passrole.engine.facts import JobEnded, JobSubmitted
from passrole.history import cache_explanation, executions
from passrole.history.cache_explanation import CacheExplanation, Earlier, Search

Run = Callable[[Callable[[House], Awaitable[None]]], None]


async def search(h: House, name: str, step: str = "p1") -> Search:
    found = await h.store.read(lambda tx: cache_explanation.search_of(tx, h.arn(name), step))
    assert found is not None
    return found


async def explained(h: House, name: str, step: str = "p1") -> CacheExplanation:
    """As the operation does it."""
    sought, found = await search(h, name, step), list[Earlier]()
    if sought.reason is not None:
        return CacheExplanation(sought.reason)
    for arn in await h.store.read(lambda tx: cache_explanation.executions_before(tx, sought)):
        found += await h.store.read(partial(cache_explanation.steps_before, search=sought, execution=arn))
    return cache_explanation.explained(sought, found)


async def failed(h: House, name: str, at: float) -> None:
    handle = {"ProcessingJob": {"Arn": "arn:j"}}
    await h.advance(name, JobSubmitted(at=at, step="p1", attempt=1, handle=handle))
    await h.advance(name, JobEnded(at=at, step="p1", attempt=1, succeeded=False, reason="r"))


def test_a_hit_has_the_step_that_really_ran(house: Run) -> None:
    async def scenario(h: House) -> None:
        first = await h.start("a", "p1=x")
        await ran(h, "a", "p1", at=10.0)
        await h.start("b", "p2=x", at=20.0)
        found = await search(h, "b", "p2")
        assert (found.reason, found.source, found.expire_seconds) == ("hit", first, 60)
        source = await h.store.read(lambda tx: cache_explanation.source_of(tx, found))
        assert source is not None and (source.step, source.ended) == ("p1", 10.0)
        await h.store.write(lambda tx: executions.delete(tx, [first]))
        assert await h.store.read(lambda tx: cache_explanation.source_of(tx, found)) is None

    house(scenario)


def test_what_differs_is_told_against_the_last_result_of_the_same_step(house: Run) -> None:
    async def scenario(h: House) -> None:
        for number, name in enumerate("abc"):
            await h.start(name, f"p1=image-{name} p2=image-d{name}", at=number * 10.0)
            await ran(h, name, "p1", at=number * 10.0 + 5)
            await ran(h, name, "p2", at=number * 10.0 + 6)
        await h.start("d", "p1=image-d", at=40.0)
        found = await explained(h, "d")
        assert found.reason == "differs" and found.about is not None
        assert (found.about.execution, found.about.step) == (h.arn("c"), "p1")
        path = "AppSpecification.ImageUri"
        assert list(found.differences) == [Difference(path, "image-d", "image-c")]

    house(scenario)


def test_a_step_that_was_called_something_else_is_compared_too(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "p2=x")
        await ran(h, "a", "p2", at=10.0)
        await h.start("b", "p1=y", at=20.0)
        found = await explained(h, "b")
        assert found.reason == "differs" and found.about is not None and found.about.step == "p2"

    house(scenario)


def test_a_result_that_was_too_old_is_told_and_a_later_one_does_not_count(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "p1")
        await ran(h, "a", "p1", at=10.0)
        await h.start("b", "p1", at=71.0)
        await ran(h, "b", "p1", at=72.0)
        await h.start("c", "p1", at=73.0)
        found = await explained(h, "b")
        assert found.reason == "too old" and found.about is not None
        assert (found.about.execution, found.about.ended) == (h.arn("a"), 10.0)
        assert (await search(h, "c")).source == h.arn("b")

    house(scenario)


def test_runs_that_failed_are_no_results(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "p1")
        await failed(h, "a", at=2.0)
        assert (await explained(h, "a")).reason == "no earlier run"
        await h.start("b", "p1", at=4.0)
        found = await explained(h, "b")
        assert found.reason == "did not succeed" and found.about is not None
        assert found.about.execution == h.arn("a")

    house(scenario)


def test_deleted_executions_do_not_count(house: Run) -> None:
    async def scenario(h: House) -> None:
        first = await h.start("a", "p1")
        await ran(h, "a", "p1", at=10.0)
        await h.store.write(lambda tx: executions.delete(tx, [first]))
        await h.start("b", "p1", at=11.0)
        assert (await explained(h, "b")).reason == "no earlier run"
        found = await search(h, "b")
        assert await h.store.read(lambda tx: cache_explanation.steps_before(tx, found, first)) == []

    house(scenario)


@pytest.mark.parametrize(("step", "reason"), [("l1", "never cached"), ("c1", "never cached"), ("e1", "off")])
def test_the_step_itself_has_the_answer(house: Run, step: str, reason: str) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", step)
        assert (await search(h, "a", step)).reason == reason

    house(scenario)


def test_a_step_that_has_not_begun_has_none(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "p1 p2<p1")
        assert await h.store.read(lambda tx: cache_explanation.search_of(tx, h.arn("a"), "p2")) is None

    house(scenario)
