"""Takes times: rounds and their median, so that one interruption of a shared machine changes no figure.

It knows nothing of what it measures.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from passrole.server_process import GARBAGE_MAX


def median_of(rounds: int, once: Callable[[], float]) -> float:
    """The median of what `once` measured, asked `rounds` times."""
    return median(once() for _ in range(rounds))


def p50(calls: int, call: Callable[[], object], *, warm_up: int = 20) -> float:
    """The median seconds of one call, for calls long enough to be timed one by one."""
    for _ in range(warm_up):
        call()
    return median(seconds(call) for _ in range(calls))


def per_call(calls: int, call: Callable[[], object], *, rounds: int = 7) -> float:
    """Seconds of one call, for calls too short to be timed alone: the median of means over a loop."""

    def loop() -> None:
        for _ in range(calls):
            call()

    loop()  # what is made once and kept is not what is measured
    return median_of(rounds, lambda: seconds(loop)) / calls


def seconds(call: Callable[[], object]) -> float:
    """How long it took."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def wait_until(holds: Callable[[], bool], what: str, *, within: float = 60, pause: float = 0.02) -> None:
    """Ask again and again. Raises TimeoutError, which names what did not come, after `within` seconds."""
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {within:g} s")
        time.sleep(pause)


@contextmanager
def collector_of_a_server() -> Iterator[None]:
    """Garbage is collected as seldom as in a server (passrole.server_process)."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(GARBAGE_MAX)
    try:
        yield
    finally:
        gc.set_threshold(*before)
