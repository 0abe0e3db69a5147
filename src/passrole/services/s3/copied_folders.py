"""Objects of a data folder that was copied, as from a backup: their files have other inodes than their rows.

A row counts for one inode (rows.py), so that a copy would lose the metadata of every object. At a start the
rows take over files of the same size and time that have another inode. Copies without fractions of seconds,
as tar makes them, count by the whole second. Where nothing was copied the first rows show it, and no more
are read.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from passrole.config import Config
from passrole.faults import Fault
from passrole.services.s3 import folders, names, rows
from passrole.services.s3.folders import Identity
from passrole.services.s3.rows import FileRow
from passrole.store import Store, Tx

ROWS_AT_ONCE_MAX = 500
_SECOND = 1_000_000_000


class _Looked(NamedTuple):
    moved: Sequence[tuple[FileRow, Identity]]
    is_any_intact: bool


async def adopt(store: Store, config: Config) -> None:
    """Give the rows to the copied files, in one transaction, before the first call."""
    if config.s3_endpoint:
        return  # the folder, if there is one, is not used
    moved, after = list[tuple[FileRow, Identity]](), ("", "", 0)
    while page := await store.read(partial(rows.files, after=after, limit=ROWS_AT_ONCE_MAX)):
        found = await asyncio.to_thread(_looked_at, config.data / "s3", page)
        moved += found.moved
        if found.is_any_intact and not found.moved:
            break
        after = (page[-1].bucket, page[-1].key, page[-1].identity.inode)
    if moved:
        await store.write(partial(_note, moved=moved))


def _looked_at(root: Path, page: Sequence[FileRow]) -> _Looked:
    found = [(row, now) for row in page if (now := _identity(root, row)) is not None]
    moved = [(row, now) for row, now in found if now != row.identity and _is_copy(row.identity, now)]
    return _Looked(moved, any(now == row.identity for row, now in found))


def _identity(root: Path, row: FileRow) -> Identity | None:
    try:
        return folders.look(root / row.bucket, names.segments(row.key))
    except Fault:
        return None


def _is_copy(then: Identity, now: Identity) -> bool:
    in_seconds = now.mtime % _SECOND == 0 and now.mtime // _SECOND == then.mtime // _SECOND
    return now.size == then.size and (now.mtime == then.mtime or in_seconds)


def _note(tx: Tx, moved: Sequence[tuple[FileRow, Identity]]) -> None:
    for row, now in moved:
        rows.move(tx, row, now)
