"""What one process does of the background work: its number, its shards, and what it has in hand of each.

A server that is alone has every shard. One of several has those that it has borrowed, as rows say
(shards.py); this is what the process itself knows of it, so that it takes nothing that was announced of other
shards, and gives a shard back once nothing of it is in hand.
"""

import asyncio
from collections.abc import Callable
from zlib import crc32

SHARDS = 64
ALONE, NOBODY = 0, -1
"""The number of the one server that there is, and of none; several have those of claims.py."""

DRAWS_MAX = 512
"""Of 64 shards one is met by so many draws, but for one time in 3,000."""

CHANNEL = "own/shards"
"""Told when this process has borrowed a shard, or gives one back: whoever takes work looks at the rows."""


def shard_of(key: str) -> int:
    """The shard of the task under a key; it stays the same for ever."""
    return crc32(key.partition(" ")[0].encode()) % SHARDS


class Share:
    """Changed on the event loop alone. `node` changes where a server has lost its number and has a new one;
    `folder` is a short name of its data folder among those of the others, empty where there are none.
    """

    def __init__(self, node: int = ALONE, folder: str = "") -> None:
        self.node, self.folder = node, folder
        self._open = set(range(SHARDS)) if node == ALONE else set()
        self._in_hand = [0] * SHARDS
        self._awaited: dict[int, asyncio.Event] = {}

    @property
    def is_whole(self) -> bool:
        """Whether the process is the only one."""
        return self.node == ALONE

    def has(self, key: str) -> bool:
        """Whether work of the key's party may be begun here."""
        return shard_of(key) in self._open

    def has_shard(self, number: str) -> bool:
        """The same of a shard, by its number as a notice has it; yes where that says none."""
        return not number.isdecimal() or int(number) in self._open

    def own(self, draw: Callable[[], str]) -> str:
        """A key that is drawn until its shard is this process's, which then need not be told of it."""
        key = draw()
        for _ in range(DRAWS_MAX):
            if self.has(key) or not self._open:
                return key
            key = draw()
        return key

    @property
    def opened(self) -> frozenset[int]:
        """The shards of which work is begun here."""
        return frozenset(self._open)

    def open(self, shard: int) -> None:
        """Begin work of the shard from now on."""
        self._open.add(shard)

    def close(self, shard: int) -> None:
        """Begin nothing more of the shard."""
        self._open.discard(shard)

    def begun(self, key: str) -> None:
        """Something of the key's party is in hand, until `ended`."""
        self._in_hand[shard_of(key)] += 1

    def ended(self, key: str) -> None:
        """It is out of hand."""
        shard = shard_of(key)
        self._in_hand[shard] -= 1
        if not self._in_hand[shard] and shard in self._awaited:
            self._awaited.pop(shard).set()

    async def emptied(self, shard: int) -> None:
        """When nothing of the shard is in hand any more."""
        while self._in_hand[shard]:
            await self._awaited.setdefault(shard, asyncio.Event()).wait()
