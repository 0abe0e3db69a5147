"""uvicorn's server, which wakes up a tenth as often where nothing happens."""

import asyncio
from contextlib import suppress
from types import FrameType

import uvicorn

TICK_SECONDS = 1.0
"""The Date header has whole seconds. uvicorn wakes up every 0.1 s, also to see whether it is to end."""


class QuietServer(uvicorn.Server):
    """Ends at once on `leave` or a signal; between requests it wakes up for the Date header alone."""

    def __init__(self, settings: uvicorn.Config) -> None:
        super().__init__(settings)
        self._left = asyncio.Event()

    def leave(self) -> None:
        """End as after a signal."""
        self.should_exit = True
        self._left.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal, heard on the event loop."""
        super().handle_exit(sig, frame)
        self._left.set()

    async def main_loop(self) -> None:
        """Until the server is to end."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._left.wait()
