"""The objects in a backup: each file that a row of the copied database is about, and no other of S3's own.

A row counts for the file that has its size and time (services/s3/rows.py). Objects are put and deleted
while they are copied, so that a file that was copied may have another row by now, or none.
"""

import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from passrole import private_files, trees
from passrole.services.s3 import folders, names, rows
from passrole.services.s3.folders import Identity
from passrole.store import LookedAt, Tx

_PAGE = 1_000
_WORK = ".work"

Key = tuple[str, str]
"""Bucket and key."""


class CopiedObjects:
    """The objects of the folder `data` in its copy `to`; `live` is the database that goes on."""

    def __init__(self, data: Path, to: Path, live: LookedAt) -> None:
        self._from, self._to, self._live = data / "s3", to / "s3", live

    def settle(self, snapshot: LookedAt) -> bool:
        """Bring the files in line with a snapshot of the database; whether that could be done."""
        wanted = snapshot.look(_all_rows)
        if not all(self._is_settled(key, identities) for key, identities in wanted.items()):
            return False
        for key in self._copied():
            if key not in wanted and not self._is_of_somebody_else(key, []):
                _path(self._to, key).unlink(missing_ok=True)
        return True

    def _is_settled(self, key: Key, identities: list[Identity]) -> bool:
        """A key has two rows for the moment in which its file is replaced."""
        if _is_one_of(_look(self._to, key), identities):
            return True
        if _look(self._from, key) in identities:
            copy_file(_path(self._from, key), _path(self._to, key))
            return _is_one_of(_look(self._to, key), identities)
        return self._is_of_somebody_else(key, identities)

    def _is_of_somebody_else(self, key: Key, identities: list[Identity]) -> bool:
        """Whether S3 has not touched the file since: a person or a program put it there, or removed it."""
        now, copied = _look(self._from, key), _look(self._to, key)
        if self._live.look(lambda tx: rows.of_key(tx, *key)) != identities:
            return False
        return len(identities) < 2 and (now is None or _is_one_of(copied, [now]))

    def _copied(self) -> Iterator[Key]:
        for folder in trees.folders(self._to):
            inside = folder.relative_to(self._to).parts
            if inside and inside[0] != _WORK:
                yield from (
                    (inside[0], "/".join((*inside[1:], path.name)))
                    for path in trees.entries(folder)
                    if path.is_file() and not path.is_symlink()
                )


def is_object(data: Path, path: Path) -> bool:
    """Whether a file of the data folder is an object, and no part of an upload."""
    inside = path.relative_to(data).parts
    return inside[0] == "s3" and inside[1] != _WORK


def copy_file(path: Path, target: Path) -> None:
    """Copy a file, with the time of the very one that was read; one that is gone is left out."""
    target.parent.mkdir(mode=private_files.FOLDER_MODE, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.is_symlink():
            target.symlink_to(path.readlink())
            return
        with path.open("rb") as source:
            target.unlink(missing_ok=True)
            with target.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            found = os.fstat(source.fileno())
        target.chmod(stat.S_IMODE(found.st_mode))
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _all_rows(tx: Tx) -> Mapping[Key, list[Identity]]:
    found, after = defaultdict[Key, list[Identity]](list), ("", "", 0)
    while page := rows.files(tx, after, _PAGE):
        for row in page:
            found[row.bucket, row.key].append(row.identity)
        after = (page[-1].bucket, page[-1].key, page[-1].identity.inode)
    return found


def _look(root: Path, key: Key) -> Identity | None:
    return folders.look(root / key[0], names.segments(key[1]))


def _path(root: Path, key: Key) -> Path:
    return (root / key[0]).joinpath(*names.segments(key[1]))


def _is_one_of(found: Identity | None, identities: list[Identity]) -> bool:
    return found is not None and any(
        (found.mtime, found.size) == (each.mtime, each.size) for each in identities
    )
