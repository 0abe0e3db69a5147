"""The injectable clock: seconds since the epoch, UTC, as a float."""

import time
from collections.abc import Callable

Clock = Callable[[], float]

system_clock: Clock = time.time


class SteadyClock:
    """A wall clock that never goes back, so that timers are not delayed when the system's clock is set back.

    It follows the wall clock forward. When that is set back it goes on at the pace of the monotonic clock.
    Signatures and sessions are checked against the wall clock, as clients use it too.
    """

    def __init__(self, wall: Clock = time.time, pace: Clock = time.monotonic) -> None:
        self._wall = wall
        self._pace = pace
        self._ahead = wall() - pace()

    def __call__(self) -> float:
        """Seconds since the epoch; never less than the last value."""
        wall, pace = self._wall(), self._pace()  # in this order: a pause between them puts nothing ahead
        self._ahead = max(self._ahead, wall - pace)
        return self._ahead + pace
