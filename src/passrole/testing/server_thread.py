"""passrole's server on a thread of this process, its whole state thrown away and made anew between tests.

A reset closes everything, executions, functions, jobs and the store, and opens it again on a copy of a folder
in which onboarding was done once. The port and the administrator's keys stay, so that clients stay good.
"""

import asyncio
import shutil
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from passrole import app, trees
from passrole.app import Access, Opened, Trial
from passrole.config import Config
from passrole.gateway.connections import Connection
from passrole.store import Store
from passrole.testing.moved_time import MovedLoop

T = TypeVar("T")

_LOOPBACK = "127.0.0.1"
_KEEP_ALIVE_SECONDS = 10**9  # time that tests move closes no connection


class ServerThread:
    """Runs from `start` to `stop`. `data` is the folder of the present state."""

    def __init__(self, trial: Trial, settings: Mapping[str, Any]) -> None:
        self._trial = trial
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind((_LOOPBACK, 0))
        self._folder = Path(tempfile.mkdtemp(prefix="passrole-test-"))
        port = self._listener.getsockname()[1]
        self._config = Config(**{"host": _LOOPBACK, **settings, "port": port, "data": self._folder / "made"})
        self._number = 0
        self._parts: Opened | None = None
        self._opened = AsyncExitStack()
        self._loop: MovedLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="passrole-testing", daemon=True)

    @property
    def config(self) -> Config:
        """The settings of the present state."""
        return replace(self._config, data=self._folder / str(self._number))

    @property
    def access(self) -> Access:
        """The administrator's keys, and the roles of onboarding."""
        return self._access

    @property
    def store(self) -> Store:
        """The rows of the present state; use it within `do` only."""
        assert self._parts is not None, "the server runs"
        return self._parts.store

    def start(self) -> None:
        """Accept calls. Raises what kept it from that."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            self.stop()
            raise self._failure

    def do(self, work: Awaitable[T]) -> T:
        """The result of work that is done on the server's event loop."""
        assert self._loop is not None, "the server runs"

        async def done() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def reset(self) -> None:
        """Throw away all there is."""
        self.do(self._reopen())

    def stop(self) -> None:
        """End everything, and remove every file."""
        if self._thread.is_alive() and self._loop is not None:
            self._loop.call_soon_threadsafe(self._server.leave)
            self._thread.join()
        self._listener.close()
        trees.remove(self._folder)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI application: that of the present state."""
        assert self._parts is not None, "the server runs"
        await self._parts.gateway(scope, receive, send)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=MovedLoop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                self._failure = error
            finally:
                self._ready.set()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MovedLoop), "the runner was given it"
        self._loop = loop
        self._removal: asyncio.Future[None] = loop.create_future()
        self._removal.set_result(None)
        async with app.opened(self._config, self._trial):
            pass  # onboarding is done once
        access = app.access(self._config)
        assert access is not None, "onboarding writes it"
        self._access = access
        await self._reopen()
        try:
            self._server = _Server(_settings(self), self._ready.set)
            await self._server.serve(sockets=[self._listener])
        finally:
            await self._opened.aclose()
            await self._removal

    async def _reopen(self) -> None:
        await self._opened.aclose()
        old = self.config.data
        self._number += 1
        shutil.copytree(self._config.data, self.config.data)
        await self._removal  # of the state before
        self._removal = asyncio.get_running_loop().run_in_executor(None, trees.remove, old)
        self._opened = AsyncExitStack()
        self._parts = await self._opened.enter_async_context(app.opened(self.config, self._trial))


class _Server(uvicorn.Server):
    """Leaves signals to the process that runs the tests."""

    def __init__(self, settings: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(settings)
        self._is_ready = ready
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """End; on the event loop."""
        self._leaving.set()

    async def main_loop(self) -> None:
        """Until `leave`: uvicorn's own looks ten times a second, at which every jump in time would stop."""
        await self.on_tick(0)
        await self._leaving.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._is_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _settings(application: ServerThread) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=Connection,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
