"""One change of a bucket's tree at a time, and none inside a transaction.

Files are changed before the rows that tell of them are committed, by whoever has the bucket's turn: what was
checked under it is still so when the rows are written. A transaction may run again, and a rename may not.

The folders of a data folder belong to one process, so the turns do too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

_turns: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def turn(root: Path) -> AsyncIterator[None]:
    """Wait for the turn of the bucket whose folder is `root`, and have it within the block."""
    async with _turns.setdefault(root, asyncio.Lock()):
        yield
