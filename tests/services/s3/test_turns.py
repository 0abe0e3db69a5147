"""Turns in a bucket's tree: keys beside each other, one at a time under each, and who is alone."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from passrole.services.s3.turns import changed, turn, turn_alone

Turn = Callable[[], AbstractAsyncContextManager[None]]


async def _together(first: Turn, second: Turn) -> bool:
    """Whether the second gets its turn while the first has its own; both get one in the end."""
    inside, over = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with first():
            inside.set()
            await over.wait()

    async def join() -> None:
        async with second():
            pass

    holding = asyncio.create_task(hold())
    await inside.wait()
    joining = asyncio.create_task(join())
    for _ in range(20):  # many more passes of the loop than a free turn takes
        await asyncio.sleep(0)
    joined = joining.done()
    over.set()
    await asyncio.wait_for(asyncio.gather(holding, joining), 10)
    return joined


def _run(work: Coroutine[Any, Any, bool]) -> bool:
    return asyncio.run(work)


def test_two_keys_are_changed_together_and_one_key_is_not(tmp_path: Path) -> None:
    def of(key: str, root: str = "bucket") -> Turn:
        return lambda: turn(tmp_path / root, key)

    assert _run(_together(of("a"), of("b")))
    assert not _run(_together(of("a"), of("a")))
    assert _run(_together(of("a"), of("a", "other")))


def test_who_takes_folders_away_is_alone(tmp_path: Path) -> None:
    def put() -> AbstractAsyncContextManager[None]:
        return turn(tmp_path, "a")

    def alone() -> AbstractAsyncContextManager[None]:
        return turn_alone(tmp_path)

    assert not _run(_together(put, alone))
    assert not _run(_together(alone, put))
    assert not _run(_together(alone, alone))


def test_who_is_cancelled_keeps_the_turn_until_the_files_are_changed(tmp_path: Path) -> None:
    begun, goes_on, seen = threading.Event(), threading.Event(), []

    def change() -> None:
        begun.set()
        assert goes_on.wait(10)
        seen.append("changed")

    async def put() -> None:
        async with turn(tmp_path, "a"):
            await changed(change)

    async def follow() -> None:
        async with turn(tmp_path, "a"):
            seen.append("followed")

    async def both() -> bool:
        first = asyncio.create_task(put())
        await asyncio.to_thread(begun.wait, 10)
        first.cancel()
        second = asyncio.create_task(follow())
        await asyncio.sleep(0)
        goes_on.set()
        await asyncio.wait([first, second], timeout=10)
        return first.cancelled()

    assert _run(both())
    assert seen == ["changed", "followed"]
