"""One thread that puts every waiting transaction into one commit, for a store that says how one is made.

The price of a commit is shared: while one is under way the next transactions queue up and form the next one.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from passrole.store.interface import Notice
from passrole.store.listeners import Listeners

T = TypeVar("T")

COMMIT_SIZE_MAX = 256
FURTHER_SECONDS = 1.0
WRITES_MAX = 4_096
"""Transactions that wait for the writer or are in its commit; who asks for more waits until there is room."""


class Write(NamedTuple):
    """A transaction that waits, and who waits for it."""

    fn: Callable[[Any], Any]
    future: "asyncio.Future[Any]"


class Outcome(NamedTuple):
    """What a transaction returned or raised; its notices are told if it is committed."""

    future: "asyncio.Future[Any]"
    result: Any
    error: BaseException | None
    notices: list[Notice]


class MustBeUndone(Exception):
    """A transaction failed after it had changed something, so that the whole commit is to be undone."""


Commit = Callable[[list[Write]], list[Outcome]]
"""Runs the transactions, makes what they wrote durable, and has an outcome for each. It raises nothing."""


class GroupCommit:
    """The queue of a store's transactions. Make it inside the event loop that will use it."""

    def __init__(self, commit: Commit, listeners: Listeners) -> None:
        self._commit = commit
        self._listeners = listeners
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(WRITES_MAX)
        self._writes: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="passrole-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def write(self, fn: Callable[[Any], T]) -> T:
        """Durable when it returns."""
        await self._room.acquire()
        if self._closed:
            self._room.release()
            raise RuntimeError("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._writes.put(Write(fn, future))
        return await future

    async def close(
        self, patience_seconds: float | None = None, hang_up: Callable[[], None] = lambda: None
    ) -> None:
        """Commit what waits, then end the thread; a commit that takes longer is ended by `hang_up`, and those
        that waited behind it after FURTHER_SECONDS each.
        """
        if not self._closed:
            self._closed = True
            self._writes.put(None)
            while self._thread.is_alive():
                await self._loop.run_in_executor(None, self._thread.join, patience_seconds)
                if self._thread.is_alive():
                    hang_up()
                    patience_seconds = FURTHER_SECONDS

    def _run(self) -> None:
        last = False
        while not last:
            writes = _next_batch(self._writes)
            last = writes[-1] is None
            outcomes = self._commit([write for write in writes if write is not None])
            self._loop.call_soon_threadsafe(self._announce, outcomes)

    def _announce(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self._room.release()
            if outcome.future.cancelled():
                pass  # the caller went away; what it wrote stands
            elif outcome.error is not None:
                outcome.future.set_exception(outcome.error)
            else:
                outcome.future.set_result(outcome.result)
            for notice in outcome.notices:
                self._listeners.tell(notice)


def all_failed(writes: Iterable[Write], error: BaseException) -> list[Outcome]:
    """Nobody's transaction stands."""
    return [Outcome(write.future, None, error, []) for write in writes]


def for_a_future(error: BaseException) -> BaseException:
    """The error as a future takes it: no StopIteration, and nothing that would end the loop's thread."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    raised = RuntimeError(f"a transaction raised {type(error).__name__}")
    raised.__cause__ = error
    return raised


def _next_batch(writes: "queue.SimpleQueue[Write | None]") -> list[Write | None]:
    batch = [writes.get()]
    while batch[-1] is not None and len(batch) < COMMIT_SIZE_MAX:
        try:
            batch.append(writes.get_nowait())
        except queue.Empty:
            break
    return batch
