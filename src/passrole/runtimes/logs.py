"""The log of one worker: its process's output and the lines that Lambda adds.

The pipe and the Runtime API are separate channels, so the event loop may see the response before the output.
But the output was written to the pipe before the response was posted. So draining the pipe when the response
arrives, until it would block, gets all of it.
"""

import asyncio
import contextlib
import math
import os
from dataclasses import dataclass

KEPT_BYTES_MAX = 1_048_576
DRAIN_BYTES_MAX = 16 * 1_048_576
_READ_BYTES = 65_536
_CUT = b"[passrole] the beginning of this log was dropped\n"


@dataclass(frozen=True)
class Report:
    """The data of the REPORT line of one invocation; durations are in milliseconds."""

    request_id: str
    duration: float
    memory_mb: int
    used_mb: int
    init_duration: float | None = None
    status: str | None = None

    def line(self) -> str:
        """The line, in AWS's form (tabs included)."""
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration:.2f} ms",
            f"Billed Duration: {math.ceil(self.duration)} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.used_mb} MB",
        ]
        if self.init_duration is not None:
            parts.append(f"Init Duration: {self.init_duration:.2f} ms")
        if self.status is not None:
            parts.append(f"Status: {self.status}")
        return "\t".join(parts) + "\t"


class WorkerLog:
    """Reads a worker's output from a pipe; keeps the last KEPT_BYTES_MAX of each invocation."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._loop.add_reader(self._reading, self._read_some)
        self._kept = bytearray()
        self._cut = False
        self._open = True

    def started(self) -> None:
        """Close our copy of the writing end, which would keep the pipe open after the process ended."""
        os.close(self.writing)

    def line(self, text: str) -> None:
        """Add one of Lambda's lines after the process's output so far."""
        self.drain()
        if self._kept and not self._kept.endswith(b"\n"):
            self._kept += b"\n"
        self._keep(text.encode() + b"\n")

    def drain(self) -> None:
        """Read until the pipe would block, or DRAIN_BYTES_MAX are read."""
        read = 0
        while self._open and read < DRAIN_BYTES_MAX:
            size = self._read_some()
            if not size:
                break
            read += size

    def take(self) -> bytes:
        """The log since the last `take`; awslambdaric's returns within a record become line ends."""
        taken = bytes(self._kept[-KEPT_BYTES_MAX:])
        if self._cut or len(self._kept) > KEPT_BYTES_MAX:
            taken = _CUT + taken
        self._kept.clear()
        self._cut = False
        return taken.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in taken else taken

    def close(self) -> None:
        """Close the pipe."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._reading)
            os.close(self._reading)

    def _read_some(self) -> int:
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._reading, _READ_BYTES)
            if not data:
                self.close()
        self._keep(data)
        return len(data)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * KEPT_BYTES_MAX:
            del self._kept[:-KEPT_BYTES_MAX]
            self._cut = True
