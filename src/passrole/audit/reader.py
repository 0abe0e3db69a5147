"""Reads the audit trail, oldest call first.

It judges nothing and asks no server: the file is enough, also that of a server that has ended.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from passrole.audit.entry import Entry, NotAnEntry, decode

# The previous file, full, is beside the current one.
_FILES = ("audit.jsonl.1", "audit.jsonl")


class Unreadable(Exception):
    """The trail cannot be read; the message says which file, and why."""


class NoTrail(Unreadable):
    """No server has written a trail in the folder."""


def entries(data: Path, fits: Callable[[bytes], bool]) -> Iterator[Entry]:
    """The calls of a data folder whose lines pass the filter; an unfinished last line is left out.

    `fits` looks at the bytes, because most lines of a long trail are not worth parsing. Raises Unreadable.
    """
    found = [data / name for name in _FILES if (data / name).is_file()]
    if not found:
        raise NoTrail(f"`{data}` has no audit trail (`audit.jsonl`), which a server writes")
    for file in found:
        yield from _entries(file, fits)


def _entries(file: Path, fits: Callable[[bytes], bool]) -> Iterator[Entry]:
    try:
        with file.open("rb") as lines:
            for line in lines:
                if fits(line) and line.endswith(b"\n"):
                    yield _decoded(file, line)
    except OSError as error:
        raise Unreadable(f"`{file}` cannot be read: {error.strerror}") from error


def _decoded(file: Path, line: bytes) -> Entry:
    try:
        return decode(line)
    except ValueError as error:
        raise Unreadable(f"`{file}` has a line that is not JSON: {line[:40]!r}") from error
    except NotAnEntry as error:
        raise Unreadable(f"`{file}` has a line that is not an entry of the trail: {line[:40]!r}") from error
