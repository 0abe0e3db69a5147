"""The time by which servers of one database go: PostgreSQL's, so that nobody's own clock is compared with it.

What one server writes another one reads as a time: when a task is due, a message is seen again, a session
ends. A clock that is minutes ahead would have all of them wait. Between two looks this machine's monotonic
clock goes on, which nobody sets.
"""

import time
from collections.abc import Callable

from passrole.store.interface import Tx

ANSWER_SECONDS_MAX = 0.25
"""An answer that took longer says too little: half of it is how wrong it may be."""

_NOW = "SELECT extract(epoch FROM clock_timestamp())::double precision"


class DatabaseClock:
    """A Clock. Whoever owns it has it `look` every few seconds; until the first time it is this machine's."""

    def __init__(
        self, wall: Callable[[], float] = time.time, pace: Callable[[], float] = time.monotonic
    ) -> None:
        self._pace = pace
        self._ahead = wall() - pace()

    def __call__(self) -> float:
        """Seconds since the epoch. It may go back a little, after a look."""
        return self._pace() + self._ahead

    def look(self, tx: Tx) -> None:
        """Be right as of now."""
        before = self._pace()
        row = tx.one(_NOW)
        after = self._pace()
        assert row is not None, "a SELECT without FROM has a row"
        if after - before <= ANSWER_SECONDS_MAX:
            self._ahead = float(row[0]) - (before + after) / 2
