"""The time, as one injectable thing: seconds since the epoch, UTC, as a float."""

import time
from collections.abc import Callable

Clock = Callable[[], float]

system_clock: Clock = time.time


class SteadyClock:
    """The wall clock, but it never goes back: what is due in a minute comes in a minute, whatever was set.

    It follows the wall clock forward. Where that is set back it goes on at the pace of a clock that nobody
    sets. Signatures and sessions are held against the wall clock, which clients have too.
    """

    def __init__(self, wall: Clock = time.time, pace: Clock = time.monotonic) -> None:
        self._wall = wall
        self._pace = pace
        self._ahead = wall() - pace()

    def __call__(self) -> float:
        """Seconds since the epoch; never fewer than before."""
        wall, pace = self._wall(), self._pace()  # in this order: a pause between them puts nothing ahead
        self._ahead = max(self._ahead, wall - pace)
        return self._ahead + pace
