"""Writes that fail for a while, as on a full disk."""

import errno
import math
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.eventually import eventually_async

from passrole import disk
from passrole.store import SqliteStore
from passrole.worker import due_keys, supervisor
from passrole.worker.due_keys import DueKeys


class FullDisk:
    """Refuses writes of the store while `is_full`; counts those that it refused."""

    def __init__(self, store: SqliteStore, patch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.refused = 0
        write = store.write

        async def refusing(fn: Callable[[Any], Any]) -> Any:
            if self.is_full:
                self.refused += 1
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return await write(fn)

        patch.setattr(store, "write", refusing)


async def fail_for_a_moment(disk: FullDisk, keys: DueKeys, key: str) -> None:
    """A loop fails at a key, which it looks at again when the disk takes writes."""
    disk.is_full = True
    await eventually_async(lambda: key in keys._failures)
    disk.is_full = False
    await eventually_async(lambda: keys._due.get(key, math.inf) > time.time() + 1.0)


def make_quick(patch: pytest.MonkeyPatch) -> None:
    """Back-offs of milliseconds, and a log that tells every failure."""
    patch.setattr(supervisor, "RESTART_SECONDS", 0.01)
    patch.setattr(supervisor, "RESTART_SECONDS_MAX", 0.02)
    patch.setattr(due_keys, "WAIT_SECONDS_MAX", 0.05)
    patch.setattr(disk, "_reported_at", {})
