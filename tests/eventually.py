"""Waiting for what no event announces, with an end: a test that waits too long fails and says what it saw."""

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, overload

T = TypeVar("T")

SECONDS_MAX = 60.0  # ends a hang and judges no speed: far above what anything needs on a busy machine
PAUSE_SECONDS = 0.02


def eventually(
    look: Callable[[], T | None], *, seen: Callable[[], object] | None = None, seconds: float = SECONDS_MAX
) -> T:
    """What `look` finds, once it finds something; what was `seen` instead is told when nothing comes."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, ("nothing came in time", seen() if seen else found)
        time.sleep(PAUSE_SECONDS)
    return found


@overload
async def eventually_async(look: Callable[[], Awaitable[T | None]]) -> T: ...
@overload
async def eventually_async(look: Callable[[], T | None]) -> T: ...
async def eventually_async(look: Callable[[], Any]) -> Any:
    """The same in a loop, which runs on meanwhile; `look` may be a coroutine function."""
    until = time.monotonic() + SECONDS_MAX
    while True:
        found = look()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < until, ("nothing came in time", found)
        await asyncio.sleep(0.001)


def process_ended(pid: int) -> bool:
    """Gone, or only waiting for someone to read its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def processes_with(mark: str) -> list[int]:
    """The machine's numbers of the processes that run with this in their environment or command line."""
    found = (folder for folder in Path("/proc").glob("[0-9]*") if _has(folder, os.fsencode(mark)))
    return [int(folder.name) for folder in found if not process_ended(int(folder.name))]


def _has(process: Path, mark: bytes) -> bool:
    try:
        return any(mark in (process / name).read_bytes() for name in ("environ", "cmdline"))
    except OSError:
        return False
