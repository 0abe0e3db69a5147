"""The ends of files that one of several servers writes, for the others to answer from.

    shared_file_pieces   a file's bytes, PIECE_BYTES in each row but the last; PIECES_MAX of them

A file is known by its path in the data folder. Its pieces lie at fixed places of it, so that whoever writes
one again changes nothing, and a server that comes back goes on without asking what was written.
"""

from collections.abc import Mapping
from pathlib import Path

from passrole.store.interface import Tx

PIECE_BYTES = 16_384
"""It never changes: servers of two versions may write and read the same file."""

PIECES_MAX = 64

_AFTER_SEPARATOR = "0"  # what comes after / in the order of characters


def name_of(data: Path, path: Path) -> str:
    """What a file of a data folder is known by."""
    return path.relative_to(data.resolve()).as_posix()


def put(tx: Tx, file: str, pieces: Mapping[int, bytes]) -> None:
    """Write pieces by their numbers, the file's last among them; those that are too old go."""
    last = max(pieces)
    for number, piece in pieces.items():
        tx.run(
            "INSERT INTO shared_file_pieces (file, number, bytes) VALUES (?, ?, ?)"
            " ON CONFLICT (file, number) DO UPDATE SET bytes = excluded.bytes",
            file, number, piece,
        )  # fmt: skip
    sql = "DELETE FROM shared_file_pieces WHERE file = ? AND (number > ? OR number <= ?)"
    tx.run(sql, file, last, last - PIECES_MAX)


def read(tx: Tx, file: str, offset: int, bytes_max: int) -> tuple[int, bytes]:
    """Where in the file the bytes begin, and the bytes: those from `offset` on.

    They begin later where the offset is in a piece that has gone. A negative offset counts from the end.
    """
    first, end = _bounds(tx, file)
    start = max(first, end + offset if offset < 0 else offset)
    rows = tx.all(
        "SELECT bytes FROM shared_file_pieces WHERE file = ? AND number >= ? AND number <= ? ORDER BY number",
        file, start // PIECE_BYTES, (start + bytes_max) // PIECE_BYTES,
    )  # fmt: skip
    within = start % PIECE_BYTES
    return start, b"".join(bytes(piece) for (piece,) in rows)[within : within + bytes_max]


def forget(tx: Tx, file: str) -> None:
    """The file is not there any more."""
    tx.run("DELETE FROM shared_file_pieces WHERE file = ?", file)


def forget_below(tx: Tx, data: Path, path: Path) -> None:
    """The folder of a data folder is not there any more, nor are its files."""
    folder = name_of(data, path)
    sql = "DELETE FROM shared_file_pieces WHERE file > ? AND file < ?"
    tx.run(sql, f"{folder}/", f"{folder}{_AFTER_SEPARATOR}")


def _bounds(tx: Tx, file: str) -> tuple[int, int]:
    """Where what is kept of the file begins and ends."""
    rows = tx.all("SELECT number, length(bytes) FROM shared_file_pieces WHERE file = ? ORDER BY number", file)
    if not rows:
        return 0, 0
    (first, _), (last, size) = rows[0], rows[-1]
    return first * PIECE_BYTES, last * PIECE_BYTES + size
