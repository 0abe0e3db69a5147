"""The injectable clock: seconds since the epoch, UTC, as a float."""

import time
from collections.abc import Callable

Clock = Callable[[], float]

system_clock: Clock = time.time


class SteadyClock:
    """A wall clock that never goes back, so that timers are not held up when the system's clock is set back.

    It follows the wall clock forward. When that is set back it goes on a little slower than the monotonic
    clock, until the wall clock has come up to it: a server that stayed ahead would write due times for which
    others of its database wait. Signatures and sessions are checked against the wall clock, as clients use it
    too. Threads may share it.
    """

    SLOWER = 0.2
    """By this part, so that a timer takes a quarter longer, and 200 s are made up for in 17 minutes."""

    def __init__(self, wall: Clock = time.time, pace: Clock = time.monotonic) -> None:
        self._wall = wall
        self._pace = pace
        began = pace()
        self._at_the_wall = began, wall() - began
        """When it last was at the wall clock, by the pace, and how far that was ahead of the pace."""

    def __call__(self) -> float:
        """Seconds since the epoch; never less than the last value."""
        wall, pace = self._wall(), self._pace()  # in this order: a pause between them puts nothing ahead
        began, ahead = self._at_the_wall
        slowed = pace + ahead - self.SLOWER * max(pace - began, 0.0)
        if wall < slowed:
            return slowed
        self._at_the_wall = pace, wall - pace
        return wall
