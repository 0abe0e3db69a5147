"""What a job's program has printed, a piece of whole lines at a time, for a reader that keeps its place."""

import asyncio
from contextlib import suppress
from pathlib import Path

from passrole.runtimes import jobs as processes

BYTES_MAX = 256 * 1024
"""Of one piece; a batch of PutLogEvents takes 1 MiB with 26 bytes more for each line."""


class Printed:
    """The output of one instance. The place is in a file beside it, `mark`, for a server that comes after."""

    def __init__(self, folder: Path, mark: str, source: str = processes.STDOUT) -> None:
        self._folder = folder
        self._mark, self._source = folder / mark, source
        self._read = 0
        self.offset = self._marked()

    async def read(self, *, is_last: bool = False) -> list[bytes]:
        """The next lines, to the last whole one; with `is_last` what follows it too. Empty: no more yet."""
        piece = await asyncio.to_thread(
            processes.read_output, self._folder, self._source, self.offset, BYTES_MAX
        )
        whole = piece if is_last or len(piece) == BYTES_MAX else piece[: piece.rfind(b"\n") + 1]
        self._read = len(whole)
        return whole.splitlines()

    def mark(self) -> None:
        """Go on behind what was read last."""
        self.offset += self._read
        self._read = 0
        with suppress(OSError):  # then some lines come twice
            self._mark.write_text(str(self.offset))

    def _marked(self) -> int:
        try:
            return int(self._mark.read_text())
        except (OSError, ValueError):
            return 0
