"""A consistent copy of a data folder, while a server runs on it or not; it is a data folder itself.

The files come first, then the database in one snapshot, then what the snapshot names and was written
meanwhile. If a file that it names is gone by then, another snapshot is taken. What belongs to a running
process is left out. Rows of PostgreSQL become the copy's own: it needs no PostgreSQL.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from passrole import private_files, trees
from passrole.client.backup_objects import CopiedObjects, copy_file, is_object
from passrole.client.errors import InvalidInput
from passrole.client.migration import to_backup
from passrole.config import Config
from passrole.store import LookedAt, opening
from passrole.store.read_only import closing_store, connect

SNAPSHOTS_MAX = 5

_DATABASE: Final = "passrole.db"
_OF_A_PROCESS = (
    *("lock", "server.json", "scratch", _DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm"),
    *(opening.MARK, "node"),  # where its rows are, and its name among the servers of the database
)
_LOGS = "server-of-"


@dataclass(frozen=True)
class Backup:
    """What was copied."""

    folder: Path
    files: int
    bytes: int


def back_up(config: Config, to: Path) -> Backup:
    """Copy the data folder; the copy appears whole under its name, or not at all.

    Raises InvalidInput where it may not be made there, where there is no database, and where objects change
    faster than they are copied.
    """
    data, to = config.data.resolve(), to.absolute()
    _check(config, data, to)
    partial = to.with_name(f".{to.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(mode=private_files.FOLDER_MODE, parents=True)
        _copy_files(data, partial)
        _copy_what_belongs_together(config, data, partial)
        partial.rename(to)
    except (OSError, sqlite3.Error, opening.StoreUnusable) as error:
        raise InvalidInput(f"the backup could not be made: {error}") from error
    finally:
        trees.remove(partial)
    return Backup(to, sum(1 for _ in trees.files(to)), trees.bytes_in(to))


def _check(config: Config, data: Path, to: Path) -> None:
    try:
        opening.check_folder(config)
    except opening.StoreUnusable as error:
        raise InvalidInput(str(error)) from error
    if not opening.elsewhere(data) and not (data / _DATABASE).is_file():
        raise InvalidInput(f"`{data}` has no database yet, so there is nothing to back up")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InvalidInput(f"`{to}` is there already; name a folder that is not, or an empty one")
    if to == data or data in to.resolve().parents:
        raise InvalidInput(f"`{to}` is inside the data folder; name a folder outside of it")


def _copy_what_belongs_together(config: Config, data: Path, to: Path) -> None:
    for _ in range(SNAPSHOTS_MAX):
        _copy_database(config, data / _DATABASE, to / _DATABASE)
        _copy_files(data, to, only_missing=True)
        if _is_whole(config, data, to):
            return
    raise InvalidInput("objects change faster than they are copied; try again when less is written")


def _copy_files(data: Path, to: Path, *, only_missing: bool = False) -> None:
    for path in _files(data):
        if only_missing and is_object(data, path):
            continue  # those have rows, which say which file it is
        target = to / path.relative_to(data)
        if not (only_missing and os.path.lexists(target)):
            copy_file(path, target)


def _files(data: Path) -> Iterator[Path]:
    for folder in trees.folders(data):
        inside = folder.relative_to(data).parts
        if inside and inside[0] in _OF_A_PROCESS:
            continue
        for path in trees.entries(folder):
            with suppress(OSError):  # it was removed meanwhile
                mode = path.lstat().st_mode
                is_own = not inside and (path.name in _OF_A_PROCESS or path.name.startswith(_LOGS))
                if not is_own and (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
                    yield path


def _copy_database(config: Config, path: Path, target: Path) -> None:
    """One snapshot: https://www.sqlite.org/backup.html"""
    if config.store:
        to_backup(config.store, target.parent)
    else:
        target.unlink(missing_ok=True)
        target.touch(mode=private_files.FILE_MODE)
        with closing(connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # a folder for keeping has one file
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise InvalidInput(f"the database `{path}` is damaged: {found}")


def _is_whole(config: Config, data: Path, to: Path) -> bool:
    """Whether all objects that the copied database names are there."""
    with closing_store(to) as snapshot, _live(config) as live:
        return CopiedObjects(data, to, live).settle(snapshot)


@contextmanager
def _live(config: Config) -> Iterator[LookedAt]:
    """The database that goes on."""
    rows = opening.looked_at(config)
    try:
        yield rows
    finally:
        rows.close_now()
