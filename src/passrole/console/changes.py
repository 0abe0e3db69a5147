"""Tells open pages that something has changed, so that they ask for themselves again: server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
A page that follows one execution hears of that alone. Changes are gathered, so that fifty open pages cost a
busy engine next to nothing. Who hears nothing for a while is told that the stream lives, and after
LOOK_SECONDS that something may have changed, for a notice may be lost. A session that has ended ends it.

All streams beat at the same moment, and one look at a session is for all of its pages: a hundred pages that
rest wake the process up once in BEAT_SECONDS.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from passrole.console import sign_in
from passrole.console.means import Means
from passrole.history import CHANGES
from passrole.store import Store

PAUSE_SECONDS = 1.0
"""Between two events of a stream."""
BEAT_SECONDS = 15.0
SESSION_SECONDS = 5.0
"""How long the streams of a session go on after it has ended, until one looks again."""
LOOK_SECONDS = 60.0
STREAMS_MAX = 500
EXECUTIONS_MAX = 10_000
"""Of how many executions the last change is known. Pages of forgotten ones ask once too often."""


class Hearing:
    """What has changed since when, for all open streams."""

    def __init__(self, store: Store) -> None:
        self.streams = 0
        self._count = 0
        self._latest: dict[str, int] = {}
        self._forgotten = 0
        self._changed = asyncio.Event()
        store.listen(CHANGES, self._hear)

    def latest(self, of: str) -> int:
        """The number of the last change of an execution, by its id, or with `*` of any."""
        return self._count if of == "*" else self._latest.get(of, self._forgotten)

    async def wait(self) -> bool:
        """Whether anything has changed before the next beat, which is the same moment for all."""
        event, now = self._changed, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(now - now % BEAT_SECONDS + BEAT_SECONDS):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def _hear(self, execution: str) -> None:
        if not self.streams:
            return
        self._count += 1
        if len(self._latest) >= EXECUTIONS_MAX:
            self._latest.clear()
            self._forgotten = self._count
        self._latest[execution.rpartition("/")[2]] = self._count
        event, self._changed = self._changed, asyncio.Event()
        event.set()


class Sessions:
    """Which sessions live, by their cookies, as of SESSION_SECONDS ago at most."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._looked: dict[str, tuple[float, bool]] = {}

    async def lives(self, request: Request) -> bool:
        """Whether whoever opened the stream is still signed in."""
        cookie, now = request.cookies.get(sign_in.cookie_name(self._means), ""), time.monotonic()
        looked_at, lives = self._looked.get(cookie, (-SESSION_SECONDS, False))
        if now - looked_at < SESSION_SECONDS:
            return lives
        if len(self._looked) >= STREAMS_MAX:
            self._looked.clear()
        lives = await sign_in.caller_of(request, self._means) is not None
        self._looked[cookie] = (now, lives)
        return lives


def events(means: Means, hearing: Hearing) -> Callable[[Request], Awaitable[Response]]:
    """The handler of `/events?of=ID`."""
    sessions = Sessions(means)

    async def respond(request: Request) -> Response:
        if await sign_in.caller_of(request, means) is None:
            return Response(status_code=204)  # a browser does not try again
        if hearing.streams >= STREAMS_MAX:
            return Response(status_code=503)
        of = request.query_params.get("of", "*")
        return StreamingResponse(_stream(request, sessions, hearing, of), media_type="text/event-stream")

    return respond


async def _stream(request: Request, sessions: Sessions, hearing: Hearing, of: str) -> AsyncIterator[str]:
    hearing.streams += 1
    try:
        told, told_at = hearing.latest(of), time.monotonic()
        yield "retry: 2000\n\n"
        while True:
            is_news = await hearing.wait()
            if not await sessions.lives(request):
                return
            now = time.monotonic()
            if (latest := hearing.latest(of)) != told or now - told_at >= LOOK_SECONDS:
                told, told_at = latest, now
                yield f"id: {told}\ndata: changed\n\n"
            elif not is_news:
                yield ": alive\n\n"
            if is_news:
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        hearing.streams -= 1
