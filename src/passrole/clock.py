"""The time, as one injectable thing: seconds since the epoch, UTC, as a float."""

import time
from collections.abc import Callable

Clock = Callable[[], float]

system_clock: Clock = time.time
