"""The files of a data folder's audit trail: the one that is written, and the full one before it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

CURRENT, FULL = "audit.jsonl", "audit.jsonl.1"
CHUNK_BYTES = 128 * 1024


class Line(NamedTuple):
    """A line with its newline, and where it begins in its file."""

    place: int
    text: bytes


class TrailFile:
    """One of them, open. It stays the same file when it is renamed or removed meanwhile."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY)
        self._first = b""

    def first(self) -> bytes:
        """Its first line, by which it is told from all others; empty before there is one."""
        self._first = self._first or next((line.text for line in self.some(0)), b"")
        return self._first

    def identity(self) -> tuple[int, int]:
        """What no other file of the machine has now."""
        status = os.fstat(self._descriptor)
        return status.st_dev, status.st_ino

    def has(self, text: bytes, until: int) -> bool:
        """Whether these are the bytes before the place."""
        start = until - len(text)
        return start >= 0 and os.pread(self._descriptor, len(text), start) == text

    def some(self, start: int) -> list[Line]:
        """Whole lines from the place on: about CHUNK_BYTES, but one at least, if there is one."""
        size = CHUNK_BYTES
        while True:
            found = os.pread(self._descriptor, size, start)
            whole = found.rfind(b"\n") + 1
            if whole or len(found) < size:
                return list(_lines(found[:whole], start))
            size *= 2

    def rest(self, start: int) -> Iterator[Line]:
        """All whole lines from the place on; an unfinished last one is left out."""
        while lines := self.some(start):
            yield from lines
            start = end(lines)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


@contextmanager
def opened(data: Path) -> Iterator[list[TrailFile]]:
    """Those that a data folder has, older lines first. Raises OSError.

    The current one is opened first: if it becomes the full one meanwhile, it is found, and found once.
    """
    with ExitStack() as stack:
        found: dict[tuple[int, int], TrailFile] = {}
        for path in filter(Path.is_file, (data / CURRENT, data / FULL)):
            try:
                file = TrailFile(path)
            except FileNotFoundError:  # it is renamed or removed
                continue
            stack.callback(file.close)
            found.setdefault(file.identity(), file)
        yield list(reversed(found.values()))


def end(lines: Sequence[Line]) -> int:
    """The place behind the last line."""
    return lines[-1].place + len(lines[-1].text)


def _lines(text: bytes, start: int) -> Iterator[Line]:
    for line in text.split(b"\n")[:-1]:
        yield Line(start, line + b"\n")
        start += len(line) + 1
