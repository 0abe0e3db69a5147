"""Who changes a bucket's tree, and none does inside a transaction.

Files are changed before the rows that tell of them are committed, by whoever has the turn: what was checked
under it is still so when the rows are written. A transaction may run again, and a rename may not. Objects are
put beside each other, one at a time under each key, so that their rows share commits; who takes folders away
is alone. An upload is completed in a turn too, that of its id in the folder of temporary files: its bytes are
put together once, and nobody waits for that but who completes it as well.

The folders of a data folder belong to one process, so the turns do too.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


@asynccontextmanager
async def turn(root: Path, key: str) -> AsyncIterator[None]:
    """Wait for the turn of a key in the bucket whose folder is `root`, and have it within the block."""
    tree = _tree(root)
    async with tree.keys.setdefault(key, asyncio.Lock()):
        async with tree.door:
            tree.enter()
        try:
            yield
        finally:
            tree.leave()


@asynccontextmanager
async def turn_alone(root: Path) -> AsyncIterator[None]:
    """Wait until nobody has a turn in the bucket, and be the only one within the block."""
    tree = _tree(root)
    async with tree.door:
        await tree.empty.wait()
        yield


async def changed(change: Callable[[], T]) -> T:
    """The result of a change of files, made in a thread. Who is cancelled keeps the turn until it is made."""
    work = asyncio.get_running_loop().run_in_executor(None, change)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


class _Tree:
    """A bucket's tree: who has turns in it. Whoever holds the door lets nobody in."""

    def __init__(self) -> None:
        self.keys: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.door, self.empty = asyncio.Lock(), asyncio.Event()
        self.empty.set()
        self._inside = 0

    def enter(self) -> None:
        self._inside += 1
        self.empty.clear()

    def leave(self) -> None:
        self._inside -= 1
        if not self._inside:
            self.empty.set()


def _tree(root: Path) -> _Tree:
    return _trees.setdefault(root, _Tree())


_trees: WeakValueDictionary[Path, _Tree] = WeakValueDictionary()
