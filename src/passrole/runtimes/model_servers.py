"""The model servers that answer now: who asks for an inference is led to one of them.

A server is known by what it serves, a *place*, of which there may be several servers; the least busy is
asked. What waits for an answer has a limit of bytes and of number, for each party and for all, so that no
slow model keeps the memory that requests of others need. It knows no rows and starts nothing.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from passrole.runtimes.model_client import Answer

AT_ONCE_MAX = 256
"""Inferences that wait at one server."""

SMALL_BYTES_MAX = 65_536
_ROOMS = {True: 32 * 1_048_576, False: 128 * 1_048_576}
"""Of small bodies and of large ones: half of what the gateway has for them."""

_SHARE = 0.5
"""What one party may have of a room."""


class NoServer(Exception):
    """No server of the place answers at present."""


class TooMany(Exception):
    """So many inferences wait that no more can; `is_wanted` where the place itself has this limit."""

    def __init__(self, *, is_wanted: bool = False) -> None:
        super().__init__()
        self.is_wanted = is_wanted


class Inferred(NamedTuple):
    """An answer, and the instance that gave it."""

    answer: Answer
    instance: str


@dataclass(frozen=True)
class Inference:
    """What a model is asked. `party` is on whose account it waits; `at_once_max` is the place's own limit."""

    party: str
    body: bytes
    headers: Mapping[str, str]
    seconds_max: float
    answer_bytes_max: int
    at_once_max: int = AT_ONCE_MAX


class Client(Protocol):
    """Asks one server, as ModelClient does."""

    async def invoke(
        self, body: bytes, headers: Mapping[str, str], *, seconds_max: float, bytes_max: int
    ) -> Answer:
        """Raises ServerGone, AnswerTooLarge, TimeoutError."""

    def close(self) -> None:
        """Close the connections that are not in use."""


@dataclass
class _Server:
    instance: str
    client: Client
    busy: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)


class ModelServers:
    """The servers of all endpoints. Create it inside the event loop that will use it."""

    def __init__(self) -> None:
        self._places: dict[str, list[_Server]] = {}
        self._awaited: dict[str, asyncio.Event] = {}
        self._taken: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}

    def add(self, place: str, instance: str, client: Client) -> None:
        """Lead inferences to this server too."""
        self._places.setdefault(place, []).append(_Server(instance, client))
        if place in self._awaited:
            self._awaited.pop(place).set()

    async def there(self, place: str, seconds_max: float) -> None:
        """Wait until there is a server of the place, so long at most."""
        if place not in self._places:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds_max):
                    await self._awaited.setdefault(place, asyncio.Event()).wait()

    async def withdraw(self, place: str, instance: str, seconds_max: float = 0.0) -> None:
        """Lead none to it any more, and wait so long for the answers that are on their way."""
        server = next((each for each in self._places.get(place, ()) if each.instance == instance), None)
        if server is None:
            return
        self._places[place].remove(server)
        if not self._places[place]:
            del self._places[place]
        if server.busy and seconds_max > 0:
            server.idle.clear()
            try:
                async with asyncio.timeout(seconds_max):
                    await server.idle.wait()
            except TimeoutError:
                pass
        server.client.close()

    async def invoke(self, place: str, asked: Inference) -> Inferred:
        """Ask a server of the place.

        Raises NoServer, TooMany; ServerGone, AnswerTooLarge, TimeoutError as ModelClient does.
        """
        server = self._chosen(place, asked.at_once_max)
        with self._room(asked), _work(server):
            answer = await server.client.invoke(
                asked.body,
                asked.headers,
                seconds_max=asked.seconds_max,
                bytes_max=asked.answer_bytes_max,
            )
        return Inferred(answer, server.instance)

    def _chosen(self, place: str, at_once_max: int) -> _Server:
        servers = self._places.get(place)
        if not servers:
            raise NoServer
        if sum(each.busy for each in servers) >= at_once_max < AT_ONCE_MAX:
            raise TooMany(is_wanted=True)
        least = min(each.busy for each in servers)
        if least >= AT_ONCE_MAX:
            raise TooMany
        return random.choice([each for each in servers if each.busy == least])  # noqa: S311 (no secret)

    @contextmanager
    def _room(self, asked: Inference) -> Iterator[None]:
        size = len(asked.body)
        room, taken = _ROOMS[size <= SMALL_BYTES_MAX], self._taken[size <= SMALL_BYTES_MAX]
        if taken.total() + size > room or taken[asked.party] + size > room * _SHARE:
            raise TooMany
        taken[asked.party] += size
        try:
            yield
        finally:
            taken[asked.party] -= size
            if not taken[asked.party]:
                del taken[asked.party]


@contextmanager
def _work(server: _Server) -> Iterator[None]:
    server.busy += 1
    try:
        yield
    finally:
        server.busy -= 1
        if not server.busy:
            server.idle.set()
