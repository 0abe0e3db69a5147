"""Writes that are tried again until the disk takes them, however long that takes."""

import asyncio
import logging
import math
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from passrole import disk
from passrole.store import Store, Tx
from passrole.worker.supervisor import Sleep, backoff_seconds

log = logging.getLogger(__name__)

T = TypeVar("T")
REFUSED: tuple[type[Exception], ...] = (OSError, sqlite3.OperationalError)
"""What a full or failing disk raises."""


async def written(
    store: Store,
    fn: Callable[[Tx], T],
    what: str,
    *,
    retried: tuple[type[Exception], ...] = REFUSED,
    seconds_max: float = math.inf,
    sleep: Sleep = asyncio.sleep,
) -> T:
    """The result of `fn` once it is written; `what` is for the log.

    Raises what is not `retried`, and after `seconds_max` that too; a database that is away is waited for.
    """
    loop = asyncio.get_running_loop()
    failures, until = 0, loop.time() + seconds_max
    while True:
        try:
            return await store.write(fn)
        except retried as error:
            disk.report(log, error, what)
            if loop.time() > until and not isinstance(error, disk.StoreUnreachable):
                raise
            pause = backoff_seconds(failures, error)
        await sleep(pause)
        failures += 1
