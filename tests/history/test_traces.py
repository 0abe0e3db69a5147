"""Spans are what the journal says, with the same ids whenever it is asked."""

from collections.abc import Awaitable, Callable

from tests.history.conftest import House

from passrole import history
from passrole.engine.facts import CallbackAnswered, ExecutionRetried, LambdaReturned
from passrole.history import traces
from passrole.history.traces import Followed, News, Span

Run = Callable[[Callable[[House], Awaitable[None]]], None]
STEPS = "l1 c1<l1> l2<c1>"


async def follow(house: House) -> None:
    await house.store.write(lambda tx: traces.follow(tx, house.arn("e")))


async def news(house: House, known: Followed | None = None) -> News:
    found = await house.store.read(lambda tx: traces.news(tx, house.arn("e"), known))
    assert found is not None
    return found


async def until_it_fails(house: House) -> None:
    await house.start("e", STEPS, at=1.0)
    await house.advance("e", LambdaReturned(at=2.0, step="l1", attempt=1, payload="{}"))
    await house.advance("e", CallbackAnswered(at=3.0, step="c1", attempt=1, outcome="failure", reason="no"))


def shown(spans: list[Span]) -> list[tuple[str | None, str | None, int, float, float, str]]:
    return [(each.step, each.type_, each.run, each.began, each.ended, each.status) for each in spans]


FIRST = [
    ("l1", "Lambda", 1, 1.0, 2.0, "Succeeded"),
    ("c1", "Callback", 1, 2.0, 3.0, "Failed"),
    (None, None, 1, 1.0, 3.0, "Failed"),
]
SECOND = [
    ("c1", "Callback", 2, 9.0, 10.0, "Succeeded"),
    ("l2", "Lambda", 2, 10.0, 11.0, "Succeeded"),
    (None, None, 2, 9.0, 11.0, "Succeeded"),
]


def test_each_end_is_a_span_below_that_of_the_run(house: Run) -> None:
    async def scenario(h: House) -> None:
        await follow(h)
        await until_it_fails(h)
        spans = (await news(h)).spans
        assert shown(spans) == FIRST
        *steps, root = spans
        assert {each.parent_id for each in steps} == {root.span_id} and root.parent_id is None
        assert len({each.span_id for each in spans}) == 3 and len({each.trace_id for each in spans}) == 1
        assert steps[1].reason == "no"

    house(scenario)


def test_what_was_sent_is_not_news_and_what_was_not_has_the_same_ids(house: Run) -> None:
    async def scenario(h: House) -> None:
        await follow(h)
        await h.start("e", STEPS, at=1.0)
        begun = await news(h)
        assert begun.spans == []
        await h.advance("e", LambdaReturned(at=2.0, step="l1", attempt=1, payload="{}"))
        found = await news(h, begun.followed)
        assert found.spans == (await news(h)).spans  # as after a restart, which knows nothing
        await h.store.write(lambda tx: traces.note_sent(tx, h.arn("e"), found.followed))
        assert await h.store.read(lambda tx: traces.news(tx, h.arn("e"), found.followed)) is None
        failed = CallbackAnswered(at=3.0, step="c1", attempt=1, outcome="failure", reason="no")
        await h.advance("e", failed)
        for known in (found.followed, None):
            assert shown((await news(h, known)).spans) == FIRST[1:]

    house(scenario)


def test_a_retry_is_a_run_of_its_own_in_the_same_trace(house: Run) -> None:
    async def scenario(h: House) -> None:
        await follow(h)
        await until_it_fails(h)
        first = await news(h)
        await h.store.write(lambda tx: traces.note_sent(tx, h.arn("e"), first.followed))
        assert await h.store.read(lambda tx: traces.followed(tx, "", 10)) == []
        await follow(h)
        await h.advance("e", ExecutionRetried(at=9.0))
        await h.advance("e", CallbackAnswered(at=10.0, step="c1", attempt=2, outcome="success"))
        await h.advance("e", LambdaReturned(at=11.0, step="l2", attempt=1, payload="{}"))
        second = (await news(h)).spans
        assert shown(second) == SECOND
        assert {each.trace_id for each in second} == {first.spans[0].trace_id}
        assert not {each.span_id for each in second} & {each.span_id for each in first.spans}

    house(scenario)


def test_a_retry_before_the_end_was_sent_leaves_nothing_out(house: Run) -> None:
    async def scenario(h: House) -> None:
        await follow(h)
        await until_it_fails(h)
        found = await news(h)
        await follow(h)
        await h.advance("e", ExecutionRetried(at=9.0))
        await h.store.write(lambda tx: traces.note_sent(tx, h.arn("e"), found.followed))
        assert await h.store.read(lambda tx: traces.followed(tx, "", 10)) == [h.arn("e")]
        await h.advance("e", CallbackAnswered(at=10.0, step="c1", attempt=2, outcome="success"))
        await h.advance("e", LambdaReturned(at=11.0, step="l2", attempt=1, payload="{}"))
        assert shown((await news(h)).spans) == SECOND

    house(scenario)


def test_nobody_is_told_of_an_execution_that_is_not_followed_or_was_deleted(house: Run) -> None:
    async def scenario(h: House) -> None:
        await until_it_fails(h)
        assert await h.store.read(lambda tx: traces.news(tx, h.arn("e"), None)) is None
        await h.store.write(lambda tx: traces.follow(tx, h.arn("e")))
        await h.store.write(lambda tx: history.executions.delete(tx, [h.arn("e")]))
        assert await h.store.read(lambda tx: traces.followed(tx, "", 10)) == []

    house(scenario)
