"""`/ready`: whether a call would be answered now, and whether what executions ask for is done.

Each part is tried, not remembered: the store reads and takes a transaction, the audit trail can be written,
and the loop of the engine's commands runs. What fails is named; why is in the log alone, for whoever asks is
not signed in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from passrole import disk
from passrole.console.means import Means
from passrole.store import Tx
from passrole.worker.loop import LOOP

log = logging.getLogger(__name__)

STORE_SECONDS_MAX = 5.0
"""A store that takes longer for a transaction that does nothing answers nobody."""


def ready(means: Means) -> Callable[[Request], Awaitable[Response]]:
    """The handler of `/ready`: 200, or 503 where a part does not work."""

    async def respond(_request: Request) -> Response:
        running = means.running()
        parts = {
            "store": await _works("the store", lambda: _store(means)),
            "audit": await _works("the audit trail", lambda: _audit(means)),
            "worker": running.get(LOOP, False),
        }
        is_ready = all(parts.values())
        body = {
            "status": "ready" if is_ready else "not ready",
            "parts": {name: "ok" if works else "failing" for name, works in parts.items()},
            "loops_restarting": sum(not runs for runs in running.values()),
        }
        return JSONResponse(body, 200 if is_ready else 503)

    return respond


async def _works(what: str, attempt: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(STORE_SECONDS_MAX):
            await attempt()
    except Exception as error:
        disk.report(log, error, f"/ready: {what}")
        return False
    return True


async def _store(means: Means) -> None:
    await means.store.read(lambda tx: tx.one("SELECT 1"))
    await means.store.write(_nothing)


async def _audit(means: Means) -> None:
    means.door.check()


def _nothing(_tx: Tx) -> None:
    """It passes the writer, which finds out whether the files are still there, and writes nothing."""
