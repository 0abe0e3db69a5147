"""How the process of a server is set up: its event loop, and when it collects garbage."""

import asyncio
import gc
from collections.abc import Callable

GARBAGE_MAX = 50_000
"""Allocations minus deallocations of containers between two garbage collections."""


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed; None is asyncio's own."""
    try:
        import uvloop
    except ImportError:  # no wheel for this system: asyncio's own loop works too, but slower
        return None
    return uvloop.new_event_loop


def tune_garbage_collector() -> None:
    """Objects made at the start live for ever and are left out of collections; a higher threshold keeps a
    large request from triggering many of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_MAX)
