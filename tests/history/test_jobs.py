"""Which jobs are waited for: from their submission to their step's end, whatever ends it."""

from collections.abc import Awaitable, Callable

import pytest
from tests.history.conftest import House

from passrole import history
from passrole.engine.facts import (
    CallbackSent,
    InputFact,
    JobEnded,
    JobSubmitted,
    LambdaReturned,
    StopRequested,
)
from passrole.history import jobs

Run = Callable[[Callable[[House], Awaitable[None]]], None]


def submitted(step: str) -> JobSubmitted:
    handle = {"ClusterId": "j-1", "StepId": f"s-{step}", "StepName": step}
    return JobSubmitted(at=2.0, step=step, attempt=1, handle={"EMR": handle})


async def waited_for(h: House) -> set[str]:
    return {str(job.handle["StepId"]) for job in await h.store.read(jobs.under_way)}


@pytest.mark.parametrize(
    "ending",
    [
        JobEnded(at=3.0, step="e1", attempt=1, succeeded=True),
        JobEnded(at=3.0, step="e1", attempt=1, succeeded=False, reason="ClientError: no"),
    ],
)
def test_a_step_that_is_over_is_forgotten_and_no_other(house: Run, ending: InputFact) -> None:
    async def scenario(h: House) -> None:
        for name in ("a", "b"):
            await h.start(name, "e1 e2")
            await h.advance(name, submitted("e1"))
        await h.advance("a", submitted("e2"))
        assert len(await h.store.read(jobs.under_way)) == 3
        assert await h.advance("a", ending)
        left = await h.store.read(jobs.under_way)
        assert {(job.execution, job.step) for job in left} == {(h.arn("a"), "e2"), (h.arn("b"), "e1")}

    house(scenario)


def test_a_step_that_stopped_is_forgotten(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "e1")
        await h.advance("a", submitted("e1"))
        await h.advance("a", StopRequested(at=3.0))
        assert await waited_for(h) == {"s-e1"}, "EMR is asked to end it, and has not yet"
        await h.advance("a", JobEnded(at=4.0, step="e1", attempt=1, succeeded=False))
        assert await waited_for(h) == set()

    house(scenario)


def test_the_end_of_another_kind_of_step_forgets_nothing(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "e1 l1 c1")
        await h.advance("a", submitted("e1"))
        await h.advance("a", LambdaReturned(at=3.0, step="l1", attempt=1, payload='{"x": 1}'))
        await h.advance("a", CallbackSent(at=3.0, step="c1", attempt=1))
        assert await waited_for(h) == {"s-e1"}
        await h.store.write(lambda tx: history.jobs.forget_all(tx, h.pipeline))
        assert await waited_for(h) == set()

    house(scenario)
