"""Follows a program that runs: at intervals, and once more at its end, what it leaves is brought elsewhere.

Each follower has an interval of its own, and none waits for another: a large checkpoint holds up no log.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NoReturn, Protocol, TypeVar

T = TypeVar("T")


class Follower(Protocol):
    """Brings something of a running program elsewhere. `seconds` is how long it waits in between."""

    seconds: float

    async def bring(self, *, is_last: bool = False) -> None:
        """What has come since the last time; `is_last` where the program has ended."""


async def followed(running: "asyncio.Future[int]", followers: Sequence[Follower]) -> int:
    """The result of a running program, when it has ended and every follower has come to its end.

    Raises what the program raises, or the first error of a follower.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for each in followers:
                group.create_task(_follow(running, each))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return await running


async def beside(work: Awaitable[T], followers: Sequence[Follower]) -> T:
    """The result of the work, when it has ended and every follower has come to its end.

    Raises what the work raises. Cancelled: all of them are, and have ended.
    """
    if not followers:
        return await work
    async with asyncio.TaskGroup() as group:
        settled = group.create_task(_settled(work))
        for each in followers:
            group.create_task(_follow(settled, each))
    return settled.result()()


async def _settled(work: Awaitable[T]) -> Callable[[], T]:
    """What returns the result, or raises the error: in a group an error would end the others."""
    try:
        result = await work
    except Exception as error:
        return partial(_raise, error)
    return lambda: result


def _raise(error: Exception) -> NoReturn:
    raise error


async def _follow(running: "asyncio.Future[Any]", follower: Follower) -> None:
    while not running.done():
        await asyncio.wait([running], timeout=follower.seconds)
        await follower.bring()
    await follower.bring(is_last=True)
