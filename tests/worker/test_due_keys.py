"""Keys with due times, with a moved clock."""

import asyncio

import pytest

from passrole import disk
from passrole.faults import Outage, Unwritable
from passrole.worker import due_keys, supervisor
from passrole.worker.due_keys import DueKeys

FAILED = ValueError("no")


def test_a_key_is_taken_once_it_is_due_and_the_earlier_time_counts() -> None:
    now = [10.0]
    keys = DueKeys(lambda: now[0])
    keys.add("later", 20.0)
    keys.add("now")
    keys.add("sooner", 20.0)
    keys.add("sooner", 12.0)
    assert keys.take(9) == ["now"]
    assert keys.take(9) == []
    now[0] = 12.0
    assert keys.take(9) == ["sooner"]
    now[0] = 20.0
    assert keys.take(9) == ["later"]


def test_held_keys_and_those_beyond_the_limit_stay() -> None:
    keys = DueKeys(lambda: 1.0)
    for key in "abc":
        keys.add(key)
    assert keys.take(1, held={"a"}) == ["b"]
    assert keys.take(9) == ["a", "c"]


def test_failures_of_a_key_postpone_it_longer_each_time_and_no_other() -> None:
    now = [0.0]
    keys = DueKeys(lambda: now[0])
    waits = []
    for _ in range(9):
        keys.retry("bad", FAILED)
        keys.add("good")
        assert keys.take(9) == ["good"]
        began = now[0]
        while not keys.take(9):
            now[0] += 1.0
        waits.append(now[0] - began)
    assert (
        waits == [1, 2, 4, 8, 16, 32, supervisor.RESTART_SECONDS_MAX] + [supervisor.RESTART_SECONDS_MAX] * 2
    )
    keys.succeeded("bad")
    keys.retry("bad", FAILED)
    now[0] += 1.0
    assert keys.take(9) == ["bad"]


@pytest.mark.parametrize("error", [disk.StoreUnreachable("away"), Outage(), Unwritable()])
def test_what_failed_for_an_outage_is_looked_at_soon_after_it(error: Exception) -> None:
    now = [0.0]
    keys = DueKeys(lambda: now[0])
    for _ in range(9):
        now[0] += 60.0
        keys.take(9)
        keys.retry("a", error)
    now[0] += supervisor.PASSING_SECONDS_MAX
    assert keys.take(9) == ["a"]


def test_a_look_finds_what_failed_though_nobody_says_that_it_succeeded() -> None:
    now = [0.0]
    keys = DueKeys(lambda: now[0])

    async def rows() -> list[str]:
        return ["a"]

    asyncio.run(keys.look(rows))
    assert keys.take(9) == ["a"]
    keys.retry("a", FAILED)
    now[0] += 1.0
    assert keys.take(9) == ["a"]
    keys.add("a", 1e9)  # it is well, and due much later for another reason
    now[0] += due_keys.LOOK_SECONDS
    asyncio.run(keys.look(rows))
    now[0] += supervisor.RESTART_SECONDS_MAX
    assert keys.take(9) == ["a"]


def test_a_look_while_a_key_fails_again_takes_nothing_of_its_back_off() -> None:
    now = [0.0]
    keys = DueKeys(lambda: now[0])

    async def rows() -> list[str]:
        return ["bad"]

    for _ in range(3):
        keys.retry("bad", FAILED)
    now[0] += 4.0
    assert keys.take(9) == ["bad"]
    asyncio.run(keys.look(rows))  # while it is being tried
    keys.retry("bad", FAILED)
    now[0] += 7.0
    assert keys.take(9) == []
    now[0] += 1.0
    assert keys.take(9) == ["bad"]


def test_a_wait_ends_when_a_key_is_due_or_added_and_lets_others_run_meanwhile() -> None:
    async def scenario() -> None:
        keys = DueKeys(asyncio.get_running_loop().time)
        waiting = asyncio.create_task(keys.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        keys.add("a")
        await waiting
        await keys.wait()  # "a" is due
        full = asyncio.create_task(keys.wait(is_full=True))
        await asyncio.sleep(0.01)
        assert not full.done()
        keys.wake()
        await full

    asyncio.run(scenario())


def test_a_look_that_is_asked_for_while_another_reads_is_not_lost() -> None:
    async def scenario() -> None:
        keys, rows = DueKeys(lambda: 100.0), [["a"], ["a", "b"], ["c"]]

        async def read_while_more_comes() -> list[str]:
            found = rows.pop(0)
            keys.look_again()
            return found

        async def read() -> list[str]:
            return rows.pop(0)

        await keys.look(read_while_more_comes)
        assert keys.take(9) == ["a"]
        await keys.look(read)
        assert keys.take(9) == ["a", "b"]
        await keys.look(read)
        assert keys.take(9) == []

    asyncio.run(scenario())


def test_a_look_that_fails_is_made_again_at_once() -> None:
    async def scenario() -> None:
        keys = DueKeys(lambda: 100.0)

        async def unreadable() -> list[str]:
            raise OSError("no such disk")

        async def read() -> list[str]:
            return ["a"]

        with pytest.raises(OSError, match="no such disk"):
            await keys.look(unreadable)
        await keys.look(read)
        assert keys.take(9) == ["a"]

    asyncio.run(scenario())
