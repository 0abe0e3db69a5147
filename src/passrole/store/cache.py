"""What was read of rows, kept until a notice tells of a change, and AGE_SECONDS_MAX at the longest.

The notice of another process may be lost (interface.Tx.notify). So its change of a policy, or of a rule, is
obeyed here after AGE_SECONDS_MAX even then, whatever happens to the connection. A result that was read while
a notice came is not kept.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

AGE_SECONDS_MAX = 10.0

K = TypeVar("K")
V = TypeVar("V")


class _Entry(NamedTuple, Generic[V]):
    value: V
    until: float


class Cache(Generic[K, V]):
    """Entries by key, `entries_max` at most. Used on the event loop alone; `now` is monotonic seconds."""

    def __init__(self, entries_max: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._entries_max = entries_max
        self._now = now
        self._entries: dict[K, _Entry[V]] = {}
        self._changes = 0

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """What is known under the key and young enough."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and self._now() < entry.until else None

    async def read(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """Read it and keep it. What `read` raises is raised, and nothing is kept."""
        changes, began = self._changes, self._now()
        value = await read()
        if changes == self._changes:
            if len(self._entries) >= self._entries_max:
                self._entries.clear()
            self._entries[key] = _Entry(value, began + AGE_SECONDS_MAX)
        return value

    def forget(self, key: K | None = None) -> None:
        """What is known under the key has changed, or without a key anything may have."""
        self._changes += 1
        if key is None:
            self._entries.clear()
        else:
            self._entries.pop(key, None)
