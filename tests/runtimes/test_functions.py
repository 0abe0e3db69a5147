"""The pool: who is warm, who waits, who makes room."""

import asyncio
import json
import os
import signal
from functools import partial
from typing import Any

import pytest
from tests.eventually import eventually, eventually_async, process_ended, processes_with
from tests.runtimes.conftest import WHO, Bench

from passrole.runtimes import Functions
from passrole.runtimes import functions as functions_module
from passrole.runtimes.interface import CodeRemoved, Invocation, InvocationResult, TooManyInvocations


def test_a_warm_function_keeps_its_process_and_assumes_its_role_once(bench: Bench) -> None:
    spec = bench.function(WHO)

    async def scenario(functions: Functions) -> set[str]:
        return {await bench.call(functions, spec) for _ in range(5)}

    assert len(bench.run(scenario)) == 1
    assert bench.assumed == 1


def test_a_new_revision_runs_in_a_new_process_with_the_new_code(own_bench: Bench) -> None:
    old = own_bench.function("return 'old'", revision="1")
    new = own_bench.function("return 'new'", revision="2")

    async def scenario(functions: Functions) -> list[str]:
        return [await own_bench.call(functions, spec) for spec in (old, new, old)]

    assert own_bench.run(scenario) == ["old", "new", "old"]


def test_credentials_that_expire_soon_retire_their_worker(own_bench: Bench) -> None:
    own_bench.lifetime = 299
    spec = own_bench.function("import os; return os.environ['AWS_SESSION_TOKEN']")

    async def scenario(functions: Functions) -> list[str]:
        return [await own_bench.call(functions, spec) for _ in range(3)]

    assert own_bench.run(scenario) == ["token-1", "token-2", "token-3"]


def test_invocations_at_once_get_a_process_each(own_bench: Bench) -> None:
    spec = own_bench.gated()

    async def scenario(functions: Functions) -> list[str]:
        calls = asyncio.gather(*(own_bench.call(functions, spec) for _ in range(3)))
        await own_bench.until_begun(3)
        own_bench.open_gate()
        return await calls

    assert len(set(own_bench.run(scenario))) == 3


def test_more_than_the_maximum_wait_for_their_turn(own_bench: Bench) -> None:
    spec = own_bench.gated()

    async def scenario(functions: Functions) -> list[str]:
        calls = asyncio.gather(*(own_bench.call(functions, spec) for _ in range(6)))
        await own_bench.until_begun(2)
        own_bench.open_gate()
        return await calls

    answers = own_bench.run(scenario, lambda_workers_max=2)
    assert len(answers) == 6
    assert len(set(answers)) == 2


def test_the_longest_idle_worker_makes_room(own_bench: Bench) -> None:
    first, second, third = (own_bench.function(WHO, name=name) for name in ("a", "b", "c"))

    async def scenario(functions: Functions) -> list[str]:
        return [
            await own_bench.call(functions, spec) for spec in (first, second, first, third, first, second)
        ]

    a, b, a_warm, _, a_still, b_again = own_bench.run(scenario, lambda_workers_max=2)
    assert a == a_warm == a_still
    assert b != b_again
    assert own_bench.assumed == 4


def test_waiting_too_long_is_refused(own_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions_module, "SLOT_WAIT_SECONDS", 0.05)
    spec = own_bench.gated(then="return")

    async def scenario(functions: Functions) -> InvocationResult:
        first = asyncio.ensure_future(own_bench.invoke(functions, spec))
        await own_bench.until_begun(1)
        with pytest.raises(TooManyInvocations):
            await own_bench.invoke(functions, spec)
        own_bench.open_gate()
        return await first

    assert own_bench.run(scenario, lambda_workers_max=1).payload == b"null"


def test_one_more_than_may_run_at_once_is_refused_at_once_and_a_steps_waits(own_bench: Bench) -> None:
    spec = own_bench.gated(then="return")

    async def scenario(functions: Functions) -> list[InvocationResult]:
        running = [asyncio.ensure_future(own_bench.invoke(functions, spec)) for _ in range(2)]
        await own_bench.until_begun(2)
        with pytest.raises(TooManyInvocations):
            await asyncio.wait_for(own_bench.invoke(functions, spec), 10)  # a worker would take 30 s
        with functions.expecting("step", "execution") as begun:
            step = asyncio.ensure_future(own_bench.invoke(functions, spec, request_id="step"))
            await asyncio.sleep(0)
            assert not begun.done()
            own_bench.open_gate()
            return [*await asyncio.gather(*running), await step, await own_bench.invoke(functions, spec)]

    answers = own_bench.run(scenario, lambda_invocations_max=2)
    assert [answer.payload for answer in answers] == [b"null"] * 4


def test_what_is_due_no_more_when_a_worker_is_ready_is_cancelled_and_leaves_the_worker(
    own_bench: Bench,
) -> None:
    spec, asked = own_bench.gated(then="return"), list[bool]()

    async def is_due() -> bool:
        asked.append(len(asked) > 0)
        return asked[-1]

    async def scenario(functions: Functions) -> InvocationResult:
        own_bench.open_gate()
        with functions.expecting("step", "execution", is_due):
            late = asyncio.ensure_future(own_bench.invoke(functions, spec, request_id="step"))
            await asyncio.wait({late})
            assert late.cancelled()
            (idle,) = functions._idle
            result = await own_bench.invoke(functions, spec, request_id="step")
            assert functions._idle == [idle]
        return result

    assert own_bench.run(scenario).payload == b"null"
    assert asked == [False, True]


def test_who_is_expected_waits_as_long_as_it_takes_and_is_told_when_it_begins(
    own_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions_module, "SLOT_WAIT_SECONDS", 0.05)
    spec = own_bench.gated(then="return")

    async def scenario(functions: Functions) -> InvocationResult:
        first = asyncio.ensure_future(own_bench.invoke(functions, spec))
        await own_bench.until_begun(1)
        with functions.expecting("patient") as begun:
            second = asyncio.ensure_future(own_bench.invoke(functions, spec, request_id="patient"))
            with pytest.raises(TooManyInvocations):  # who came later has waited too long by now
                await own_bench.invoke(functions, spec, request_id="impatient")
            assert not begun.done()
            own_bench.open_gate()
            await first
            await asyncio.wait_for(begun, 10)
            return await second

    assert own_bench.run(scenario, lambda_workers_max=1).payload == b"null"


def test_parties_that_wait_for_slots_take_turns(own_bench: Bench) -> None:
    spec = own_bench.gated(then="return")
    order: list[str] = []

    async def invoke(functions: Functions, party: str, name: str) -> None:
        with functions.expecting(name, party) as begun:
            begun.add_done_callback(lambda _: order.append(name))
            await own_bench.invoke(functions, spec, request_id=name)

    async def scenario(functions: Functions) -> None:
        large = [asyncio.create_task(invoke(functions, "large", f"large-{n}")) for n in range(4)]
        await own_bench.until_begun(1)
        small = asyncio.create_task(invoke(functions, "small", "small"))
        given_up = asyncio.create_task(invoke(functions, "given up", "given up"))
        await asyncio.sleep(0)
        given_up.cancel()
        own_bench.open_gate()
        await asyncio.gather(*large, small)

    own_bench.run(scenario, lambda_workers_max=1)
    assert [name for name in order if name != "given up"] == [
        "large-0",
        "large-1",
        "small",
        "large-2",
        "large-3",
    ]


def test_a_worker_that_was_idle_too_long_is_ended(own_bench: Bench) -> None:
    async def scenario(functions: Functions) -> None:
        await _gone(await own_bench.call(functions, own_bench.function(WHO)))

    own_bench.run(scenario, lambda_idle_seconds=0)


def test_retiring_ends_the_idle_and_lets_the_busy_finish(own_bench: Bench) -> None:
    spec = own_bench.gated()

    async def scenario(functions: Functions) -> None:
        busy = asyncio.create_task(own_bench.call(functions, spec))
        await own_bench.until_begun(1)
        idle = await own_bench.call(functions, spec, False)
        await functions.retire(spec.arn)
        await _gone(idle)
        assert not busy.done()
        own_bench.open_gate()
        await _gone(await busy)

    own_bench.run(scenario)


def test_discarded_code_is_removed_once_nobody_runs_it(own_bench: Bench) -> None:
    spec = own_bench.gated(then="import late; return late.VALUE", files={"late.py": "VALUE = 1"})

    async def scenario(functions: Functions) -> None:
        busy = asyncio.create_task(own_bench.call(functions, spec))
        await own_bench.until_begun(1)
        await functions.retire(spec.arn)
        await functions.discard(spec.code)
        with pytest.raises(CodeRemoved):
            await own_bench.call(functions, spec)
        assert spec.code.exists()
        own_bench.open_gate()
        assert await busy == 1

    own_bench.run(scenario)
    assert not spec.code.exists()


def test_a_worker_that_dies_while_idle_costs_nobody_an_invocation(own_bench: Bench) -> None:
    spec = own_bench.function(WHO)

    async def scenario(functions: Functions) -> list[str]:
        answers = []
        for _ in range(3):
            answers.append(await own_bench.call(functions, spec))
            (pid,) = processes_with(answers[-1])
            os.kill(pid, signal.SIGKILL)
            eventually(partial(process_ended, pid))  # the loop does not run, and has heard of nothing
        return answers

    assert len(set(own_bench.run(scenario))) == 3


def test_a_role_that_cannot_be_assumed_starts_nothing(own_bench: Bench) -> None:
    spec = own_bench.function("pass")

    async def refused() -> Any:
        raise PermissionError

    async def scenario(functions: Functions) -> None:
        for _ in range(3):  # more often than there are slots: each is given back
            with pytest.raises(PermissionError):
                await functions.invoke(spec, refused, Invocation("r", b"{}"))

    own_bench.run(scenario, lambda_workers_max=1)


@pytest.mark.parametrize("sandbox", ["auto", "none"])
def test_closing_leaves_no_process_and_no_scratch(own_bench: Bench, sandbox: str) -> None:
    spec = own_bench.function("import os; open(os.environ['TMPDIR'] + '/x', 'w').close(); " + WHO)
    who = json.loads(own_bench.once(spec, sandbox=sandbox).payload)
    assert not processes_with(who)
    assert not list(own_bench.config.data.glob("scratch/*"))


async def _gone(who: str) -> None:
    await eventually_async(lambda: not processes_with(who))
