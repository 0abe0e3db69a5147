"""Which modules each asyncio task runs through: its own calls, those of its transactions, of its threads
and of the tasks that it makes."""

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from passrole.store import SqliteStore

ROOT = Path(__file__).parents[2]
SOURCE = str(ROOT / "src" / "passrole") + "/"

_ancestry: contextvars.ContextVar[tuple[list[str], ...]] = contextvars.ContextVar("ancestry", default=())
"""The lists that a call is written to: the task's, its maker's, and so on, but for the main task's."""


class Trace:
    """The modules of each task in the order in which their functions are called."""

    def __init__(self) -> None:
        self.tasks: list[list[str]] = []

    def clear(self) -> None:
        """Forget what was called until now; tasks that run stay followed."""
        for calls in self.tasks:
            calls.clear()

    def missed(self, way: Sequence[str]) -> str | None:
        """None if one task passes the modules in this order, or else the first that no task comes to."""
        reached = max((_reached(way, calls) for calls in self.tasks), default=0)
        return None if reached == len(way) else way[reached]

    def make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, /, **settings: Any
    ) -> "asyncio.Task[Any]":
        """A task factory: a followed task in a context that says so."""
        context = settings.pop("context", None) or contextvars.copy_context()
        calls: list[str] = []
        self.tasks.append(calls)
        context.run(_ancestry.set, (*context.run(_ancestry.get), calls))
        return asyncio.Task(coroutine, loop=loop, context=context, **settings)


def _reached(way: Sequence[str], calls: Sequence[str]) -> int:
    """How many modules of the way the calls pass, in its order."""
    rest = iter(calls)
    return next((number for number, module in enumerate(way) if module not in rest), len(way))


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trace]:
    """Follow all tasks that the running loop makes from now on."""
    monkeypatch.setattr(SqliteStore, "write", _carrying(SqliteStore.write))
    trace = Trace()
    asyncio.get_running_loop().set_task_factory(trace.make_task)
    threading.setprofile(_note)  # for threads that start from now on: the store's writer among them
    sys.setprofile(_note)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _note(frame: FrameType, event: str, _argument: object) -> None:
    if event == "call" and frame.f_code.co_filename.startswith(SOURCE):
        module = frame.f_code.co_filename.removeprefix(SOURCE).removesuffix(".py")
        for calls in _ancestry.get():
            calls.append(module)


def _carrying(write: Callable[..., Any]) -> Callable[..., Any]:
    """`Store.write`, whose function runs in the writer's thread and belongs to the task that asked."""

    async def carried(store: SqliteStore, fn: Callable[[Any], Any]) -> Any:
        context = contextvars.copy_context()
        return await write(store, lambda tx: context.run(fn, tx))

    return carried
