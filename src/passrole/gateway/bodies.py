"""Reads request bodies within a memory budget.

It knows no operation. A body reserves its declared length before the first byte is read, and holds it until
the request is answered, since the call's parameters live as long. Small and large bodies have separate
budgets, so that uploads never delay a small request.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

SMALL_BYTES_MAX = 65_536
SMALL_ROOM_BYTES = 64 * 1_048_576
LARGE_ROOM_BYTES = 256 * 1_048_576
WAIT_SECONDS_MAX = 15.0

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class TooLarge(Exception):
    """The body is larger than its limit."""


class Full(Exception):
    """No room was free within WAIT_SECONDS_MAX."""


class Room:
    """A memory budget in bytes; requests wait for free bytes, first come, first served."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def left(self) -> int:
        """The free bytes."""
        return self._left

    async def take(self, size: int) -> None:
        """Reserve `size` bytes. Raises Full."""
        if self._left >= size and not self._waiting:
            self._left -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                await self._admitted(size, turn)
        except TimeoutError:
            raise Full from None

    def give_back(self, size: int) -> None:
        """Release `size` bytes."""
        self._left += size
        self._admit()

    async def _admitted(self, size: int, turn: "asyncio.Future[None]") -> None:
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size, turn))
                self._admit()
            else:  # admitted just as it gave up
                self.give_back(size)
            raise

    def _admit(self) -> None:
        while self._waiting and self._left >= self._waiting[0][0]:
            size, turn = self._waiting[0]
            if turn.cancelled():
                return  # it is about to be removed from the queue, and then admits the next one
            self._waiting.popleft()
            self._left -= size
            turn.set_result(None)


class Bodies:
    """The budgets of one server for small and large bodies."""

    def __init__(self, small: int = SMALL_ROOM_BYTES, large: int = LARGE_ROOM_BYTES) -> None:
        self._small = Room(small)
        self._large = Room(large)

    def room(self, size: int) -> Room:
        """The budget for a body of this size."""
        return self._small if size <= SMALL_BYTES_MAX else self._large


async def whole(receive: Receive, most: int) -> bytes:
    """Read a body of at most `most` bytes. Raises TooLarge, Disconnected."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLarge
        if not message.get("more_body") and not parts:
            return part
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
