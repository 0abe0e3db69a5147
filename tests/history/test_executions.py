"""The lists: pages in every order, and what goes when a pipeline goes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
from tests.history.conftest import House

from passrole import history
from passrole.engine.facts import EffectFailed, LambdaReturned
from passrole.history import executions, projection
from passrole.history.executions import Page
from passrole.store import Tx

Run = Callable[[Callable[[House], Awaitable[None]]], None]


def rows_of(table: str) -> Callable[[Tx], list[tuple[object, ...]]]:
    return lambda tx: tx.all(f"SELECT * FROM {table}")


async def three(h: House) -> None:
    """b began at 1, c and a together at 2."""
    await h.start("b", "l1", at=1.0)
    await h.start("c", "l1", at=2.0)
    await h.start("a", "l1", at=2.0)


async def names(h: House, page: Page) -> str:
    found = await h.store.read(lambda tx: executions.page(tx, h.pipeline, page))
    return "".join(each.arn[-1] for each in found)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (Page(limit=9), "cab"),
        (Page(limit=9, descending=False), "bac"),
        (Page(limit=9, sort_by="PipelineExecutionArn"), "cba"),
        (Page(limit=9, sort_by="PipelineExecutionArn", descending=False), "abc"),
        (Page(limit=2), "ca"),
        (Page(limit=9, created_after=1.5), "ca"),
        (Page(limit=9, created_before=1.5), "b"),
    ],
    ids=str,
)
def test_a_page_is_in_the_order_that_was_asked_for(house: Run, page: Page, expected: str) -> None:
    async def scenario(h: House) -> None:
        await three(h)
        assert await names(h, page) == expected

    house(scenario)


@pytest.mark.parametrize("sort_by", ["CreationTime", "PipelineExecutionArn"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_of_one_add_up_to_the_whole(house: Run, sort_by: executions.SortBy, descending: bool) -> None:
    async def scenario(h: House) -> None:
        await three(h)
        whole = await h.store.read(lambda tx: executions.page(tx, h.pipeline, Page(9, sort_by, descending)))
        pieces: list[history.Execution] = []
        while len(pieces) < 5:
            after = (pieces[-1].started, pieces[-1].arn) if pieces else None
            page = Page(1, sort_by, descending, after=after)
            found = await h.store.read(partial(executions.page, pipeline=h.pipeline, wanted=page))
            if not found:
                break
            pieces += found
        assert pieces == whole

    house(scenario)


def test_a_pipeline_knows_whether_an_execution_runs_and_when_the_last_began(house: Run) -> None:
    async def scenario(h: House) -> None:
        assert await h.store.read(lambda tx: executions.last_started(tx, h.pipeline)) is None
        await three(h)
        assert await h.store.read(lambda tx: executions.last_started(tx, h.pipeline)) == 2.0
        for name in "abc":
            assert await h.store.read(lambda tx: executions.any_running(tx, h.pipeline))
            await h.advance(name, EffectFailed(at=3.0, step="l1", attempt=1, reason="no"))
        assert not await h.store.read(lambda tx: executions.any_running(tx, h.pipeline))

    house(scenario)


def test_a_pipeline_takes_everything_of_its_executions_with_it(house: Run) -> None:
    async def scenario(h: House) -> None:
        arn = await h.start("a", "l1 c1")
        await h.store.write(lambda tx: executions.delete_all(tx, h.pipeline))
        for table in ("journal", "tasks", "tokens", "executions"):
            assert await h.store.read(rows_of(table)) == []
        with pytest.raises(history.UnknownExecution):
            await h.advance("a", LambdaReturned(at=2.0, step="l1", attempt=1, payload="{}"), finished="l1/1")
        assert await h.store.read(lambda tx: executions.find(tx, arn)) is None

    house(scenario)


def test_what_an_execution_is_called_and_who_changed_it_last_can_change(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "l1")
        row = await h.row("a")
        metadata = replace(row.metadata, modified_by={"IamIdentity": {"Arn": "u"}}, modified=9.5)
        await h.store.write(lambda tx: executions.note_metadata(tx, row, metadata))
        assert (await h.row("a")).metadata == metadata
        assert projection.describe(await h.row("a"), await h.load("a"))["LastModifiedTime"] == 9.5

    house(scenario)
