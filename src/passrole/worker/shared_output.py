"""The ends of files that programs of this server write, kept as rows for the others to answer from.

A server that is alone answers from the files, and writes no rows. Nothing depends on them: what is refused
while the program runs is written a while later.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from passrole import disk
from passrole.config import Config
from passrole.store import Store, Tx, shared_files
from passrole.store.shared_files import PIECE_BYTES, PIECES_MAX
from passrole.worker import writes
from passrole.worker.following import Follower

log = logging.getLogger(__name__)

SECONDS = 2.0
"""How long the others wait for what was written."""

_LAST_SECONDS_MAX = 60.0


def followers(store: Store, config: Config, folder: Path, names: Collection[str]) -> Sequence[Follower]:
    """What keeps the files of a program's folder as rows; none where nobody else would read them."""
    if store.share.is_whole:
        return ()
    return [
        _SharedFile(store, shared_files.name_of(config.data, folder / each), folder / each) for each in names
    ]


class _SharedFile:
    """A file that grows, or is written anew, or goes."""

    seconds = SECONDS

    def __init__(self, store: Store, name: str, path: Path) -> None:
        self._store = store
        self._name = name
        self._path = path
        self._known: tuple[int, int] | None = (0, 0)
        """Size, and when it was written, of what the rows have; None where they have none."""

    async def bring(self, *, is_last: bool = False) -> None:
        """Write what has changed. After the program's end it is tried for a while."""
        try:
            known = await asyncio.to_thread(_state, self._path)
            if known == self._known:
                return
            write = await asyncio.to_thread(self._change, known)
            what, seconds = f"the rows of {self._path}", _LAST_SECONDS_MAX if is_last else 0.0
            await writes.written(self._store, write, what, seconds_max=seconds)
            self._known = known
        except Exception as error:
            disk.report(log, error, f"{self._path} for the other servers")

    def _change(self, known: tuple[int, int] | None) -> "partial[None]":
        """The transaction after which the rows have the file as it is now."""
        if known is None:
            return partial(_forget, file=self._name)
        size, had = known[0], self._known[0] if self._known else 0
        begin = 0 if size < had else had // PIECE_BYTES
        return partial(_put, file=self._name, pieces=_pieces(self._path, size, begin))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _pieces(path: Path, size: int, begin: int) -> Mapping[int, bytes]:
    """The file's pieces from a number on, as far as they are kept. Raises OSError."""
    last = max(0, size - 1) // PIECE_BYTES
    first = max(begin, last - PIECES_MAX + 1)
    with path.open("rb") as file:
        file.seek(first * PIECE_BYTES)
        found = file.read((last + 1) * PIECE_BYTES - first * PIECE_BYTES)
    return {
        first + number: found[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
        for number in range(max(1, -(-len(found) // PIECE_BYTES)))
    }


def _put(tx: Tx, file: str, pieces: Mapping[int, bytes]) -> None:
    shared_files.put(tx, file, pieces)


def _forget(tx: Tx, file: str) -> None:
    shared_files.forget(tx, file)
