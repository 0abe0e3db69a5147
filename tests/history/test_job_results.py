"""Results that are taken over, in the transaction that asks for them, and jobs that are tried again."""

from collections.abc import Awaitable, Callable
from itertools import pairwise
from types import SimpleNamespace

import pytest
from tests.history.conftest import House

from passrole import history
from passrole.engine.facts import JobEnded, JobSubmitted, RetryDue
from passrole.history import cached_results, executions, job_retries, journal
from passrole.history.state_cache import Folded
from passrole.store import Tx, tasks

Run = Callable[[Callable[[House], Awaitable[None]]], None]
DESCRIBED = {"ProcessingJobName": "j"}


async def ran(h: House, name: str, step: str, at: float) -> None:
    """The step's job was submitted, and succeeded at this moment."""
    handle = {"ProcessingJob": {"Arn": f"arn:{name}-{step}"}}
    submitted = JobSubmitted(at=at, step=step, attempt=1, handle=handle)
    await h.advance(name, submitted, finished=f"{step}/1")
    await h.advance(name, JobEnded(at=at, step=step, attempt=1, succeeded=True, properties=DESCRIBED))


async def taken(h: House, name: str) -> dict[str, str | None]:
    """From which execution each step was taken over."""
    return {step: each.cached_from for step, each in (await h.load(name)).state.steps.items()}


def test_a_result_is_taken_over_at_the_start_while_it_is_young(house: Run) -> None:
    async def scenario(h: House) -> None:
        first = await h.start("a", "p1")
        await ran(h, "a", "p1", at=10.0)
        await h.start("b", "p1", at=70.0)
        assert await taken(h, "b") == {"p1": first}
        state = (await h.load("b")).state
        assert (state.status, dict(state.steps["p1"].properties)) == ("Succeeded", DESCRIBED)
        assert state.steps["p1"].metadata == {"ProcessingJob": {"Arn": "arn:a-p1"}}
        assert (await h.row("b")).status == "Succeeded"
        await h.start("c", "p1", at=70.5)
        assert await taken(h, "c") == {"p1": None}, "a hit does not make a result younger"
        assert await h.pending() == ["p1/1"]

    house(scenario)


def test_a_hit_names_the_execution_that_really_ran_it(house: Run) -> None:
    async def scenario(h: House) -> None:
        first = await h.start("a", "p1")
        await ran(h, "a", "p1", at=10.0)
        for name in ("b", "c"):
            await h.start(name, "p1", at=20.0)
            assert await taken(h, name) == {"p1": first}
        await h.start("d", "p1", at=100.0)
        await ran(h, "d", "p1", at=101.0)
        await h.start("e", "p1", at=102.0)
        assert await taken(h, "e") == {"p1": h.arn("d")}, "the last one that ran"

    house(scenario)


def test_a_chain_of_hits_is_one_transaction(house: Run) -> None:
    names = [f"p{number}" for number in range(1, 301)]
    steps = " ".join([names[0], *(f"{name}<{before}>" for before, name in pairwise(names))])

    async def scenario(h: House) -> None:
        first = await h.start("a", steps)
        for name in names:
            await ran(h, "a", name, at=10.0)
        await h.start("b", steps, at=11.0)
        assert await taken(h, "b") == dict.fromkeys(names, first)
        assert (await h.load("b")).state.status == "Succeeded"

    house(scenario)


def test_the_result_of_a_deleted_execution_is_none(house: Run) -> None:
    async def scenario(h: House) -> None:
        first = await h.start("a", "p1")
        await ran(h, "a", "p1", at=10.0)
        await h.store.write(lambda tx: executions.delete(tx, [first]))
        rows = "SELECT count(*) FROM documents WHERE kind = 'cached-result'"
        assert await h.store.read(lambda tx: tx.one(rows)) == (0,)
        await h.start("b", "p1", at=11.0)
        assert await taken(h, "b") == {"p1": None}

    house(scenario)


def test_a_failed_job_leaves_no_result(house: Run) -> None:
    async def scenario(h: House) -> None:
        await h.start("a", "p1")
        handle = {"ProcessingJob": {"Arn": "arn:j"}}
        await h.advance("a", JobSubmitted(at=2.0, step="p1", attempt=1, handle=handle))
        await h.advance("a", JobEnded(at=3.0, step="p1", attempt=1, succeeded=False, reason="r"))
        await h.start("b", "p1", at=4.0)
        assert await taken(h, "b") == {"p1": None}

    house(scenario)


def test_another_attempt_is_a_task_that_is_due(house: Run) -> None:
    async def scenario(h: House) -> None:
        execution = await h.start("a", "p1")
        handle = {"ProcessingJob": {"Arn": "arn:j"}}
        await h.advance("a", JobSubmitted(at=2.0, step="p1", attempt=1, handle=handle), finished="p1/1")
        error = "SageMaker.JOB_INTERNAL_ERROR"
        await h.advance("a", JobEnded(at=3.0, step="p1", attempt=1, succeeded=False, error=error))
        assert await h.store.read(history.jobs.under_way) == []
        (task,) = await h.store.read(lambda tx: tasks.take(tx, job_retries.KIND, now=8.0, limit=9))
        assert (job_retries.waiting(task), task.due) == ((execution, "p1", 2), 8.0)
        assert await h.pending() == []
        assert await h.advance("a", RetryDue(at=8.0, step="p1", attempt=2))
        assert await h.pending() == ["p1/2"]
        await h.store.write(lambda tx: executions.delete(tx, [execution]))
        assert await h.store.read(lambda tx: tasks.take(tx, job_retries.KIND, now=9.0, limit=9)) == []

    house(scenario)


def test_an_earlier_execution_is_read_once_for_all_its_results(
    house: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def load(tx: Tx, execution: str) -> Folded:
        read.append(execution)
        return journal.load(tx, execution)

    async def scenario(h: House) -> None:
        steps = [f"p{number}" for number in range(5)]
        first = await h.start("a", " ".join(steps))
        for each in steps:
            await ran(h, "a", each, at=10.0)
        monkeypatch.setattr(cached_results, "journal", SimpleNamespace(load=load))
        await h.start("b", " ".join(steps), at=20.0)
        assert await taken(h, "b") == dict.fromkeys(steps, first)
        assert read == [first]

    house(scenario)
