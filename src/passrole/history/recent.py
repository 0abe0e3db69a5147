"""The most recently used values of something that can be made again, as many as fit into so many bytes.

Safe to share between the writer's thread and the event loop's, as history is.
"""

from threading import Lock
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Shared(NamedTuple):
    """Something that several values hold on to, and that is counted once."""

    name: str
    size: int


class Recent(Generic[V]):
    """Values under string keys, of `bytes_max` in all; the one that was not used for longest goes first.

    Sizes are the caller's. The newest value stays, however large it is.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._entries: dict[str, _Entry[V]] = {}
        self._users: dict[str, int] = {}
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """The size of all that is kept."""
        return self._bytes

    def has_room_for(self, key: str, size: int) -> bool:
        """Whether nothing would have to go for this value, because there is room or it is there already."""
        return key in self._entries or not self._entries or self._bytes + size <= self._bytes_max

    def get(self, key: str) -> V | None:
        """The value, which thereby becomes the most recent one."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                return None
            self._entries[key] = entry
            return entry.value

    def put(self, key: str, value: V, size: int, shared: Shared | None = None) -> list[tuple[str, V]]:
        """Keep a value as the most recent one; those that had to go for it."""
        with self._lock:
            self._remove(key)
            self._entries[key] = _Entry(value, size, shared)
            self._bytes += size
            if shared is not None:
                self._hold(shared)
            gone: list[tuple[str, V]] = []
            while self._bytes > self._bytes_max and len(self._entries) > 1:
                oldest = next(iter(self._entries))
                gone.append((oldest, self._entries[oldest].value))
                self._remove(oldest)
            return gone

    def drop(self, key: str) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._bytes -= entry.size
        if entry.shared is not None:
            self._release(entry.shared)

    def _hold(self, shared: Shared) -> None:
        users = self._users[shared.name] = self._users.get(shared.name, 0) + 1
        if users == 1:
            self._bytes += shared.size

    def _release(self, shared: Shared) -> None:
        self._users[shared.name] -= 1
        if not self._users[shared.name]:
            del self._users[shared.name]
            self._bytes -= shared.size


class _Entry(NamedTuple, Generic[V]):
    value: V
    size: int
    shared: Shared | None
