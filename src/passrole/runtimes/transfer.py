"""How much of a job's data has come or gone, in a file of the job's folder, for people who wait for it.

Only what is large is told, and only now and then; nothing depends on the file.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

BYTES_MIN = 100_000_000
SECONDS_MIN = 0.5

FILE = "transfer.json"


class Transfer:
    """What is under way in one direction."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._phase = ""
        self._bytes = self._expected = 0
        self._told = 0.0

    def begin(self, phase: str) -> None:
        """Count anew, for the phase of this name."""
        self._phase, self._bytes, self._expected, self._told = phase, 0, 0, 0.0
        self.end()

    def expect(self, size: int) -> None:
        """So many bytes more will be moved."""
        self._expected += size
        self._tell()

    def moved(self, size: int) -> None:
        """So many bytes more have been moved."""
        self._bytes += size
        self._tell()

    def end(self) -> None:
        """There is nothing to tell any more."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _tell(self) -> None:
        now = time.monotonic()
        if self._expected < BYTES_MIN or now - self._told < SECONDS_MIN:
            return
        self._told = now
        told = {"Phase": self._phase, "Bytes": self._bytes, "ExpectedBytes": self._expected}
        with suppress(OSError):  # such as a full disk, which the job itself will meet
            self._file.write_text(json.dumps(told))


def parsed(told: bytes) -> Mapping[str, Any]:
    """Phase, Bytes and ExpectedBytes of what is under way, by what the file has; empty without them."""
    try:
        found: Mapping[str, Any] = json.loads(told)
    except ValueError:  # nothing large is, or the file is just being written
        return {}
    return found
