"""The most recently used values of something that can be made again.

Safe to share between the writer's thread and the event loop's, as history is.
"""

from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """At most `size` values under string keys; the one that was not used for longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: dict[str, V] = {}
        self._lock = Lock()

    def get(self, key: str) -> V | None:
        """The value, which thereby becomes the most recent one."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is not None:
                self._values[key] = value
            return value

    def put(self, key: str, value: V) -> None:
        """Keep a value as the most recent one."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > self._size:
                del self._values[next(iter(self._values))]

    def drop(self, key: str) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self._values.pop(key, None)
