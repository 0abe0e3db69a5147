"""The console's own listener, in the server's process and loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from passrole.gateway.quiet_server import QuietServer


@asynccontextmanager
async def listening(application: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Answer on a bound socket within the block; open streams are cut at its end."""
    settings = uvicorn.Config(
        application,
        proxy_headers=False,  # guard.py and sign_in.py ask gateway/origin.py, which knows whom to trust
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.leave()


class _Server(QuietServer):
    """Leaves signals to the server of the API, which ends both."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
