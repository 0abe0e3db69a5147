"""Files below one folder, reached so that nothing leads out of it.

It knows no bucket and no key. A path is walked name by name from the folder's descriptor, and no step
follows a symbolic link, so there is no moment at which a link put in between would be followed. Links are
not objects; only the bucket's own folder may be one.

What changes the tree is called in a turn (turns.py), `remove` and `prune` in one alone: a folder that is
pruned is not the one in which a file is being placed.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_IN_THE_WAY = (errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY)


class PathConflict(Exception):
    """A file stands where a folder is needed, or the other way."""


class Identity(NamedTuple):
    """A file's state on the disk: every write changes one of these. `mtime` is in nanoseconds."""

    inode: int
    mtime: int
    size: int

    @property
    def modified(self) -> float:
        """Epoch seconds."""
        return self.mtime / 1e9


def identity(found: os.stat_result) -> Identity:
    """The identity of a file, from its stat result."""
    return Identity(found.st_ino, found.st_mtime_ns, found.st_size)


def look(root: Path, path: Sequence[str]) -> Identity | None:
    """The identity of a regular file, or None."""
    try:
        with _opened(root, path[:-1]) as folder:
            found = os.stat(path[-1], dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        _raise_unless_absent(error)
        return None
    return identity(found) if stat.S_ISREG(found.st_mode) else None


def is_folder(root: Path, path: Sequence[str]) -> bool:
    """Whether there is a folder."""
    try:
        with _opened(root, path):
            return True
    except OSError as error:
        _raise_unless_absent(error)
        return False


def open_file(root: Path, path: Sequence[str]) -> BinaryIO | None:
    """A regular file, opened for reading, or None."""
    try:
        with _opened(root, path[:-1]) as folder:
            file = os.fdopen(os.open(path[-1], _FILE, dir_fd=folder), "rb")
    except IsADirectoryError:
        return None
    except OSError as error:
        _raise_unless_absent(error)
        return None
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    return None


def place(source: Path, root: Path, path: Sequence[str]) -> None:
    """Move a file to its path in one step, with the folders that it needs. Raises InTheWay."""
    with _clearly(), _opened(root, path[:-1], create=True) as folder:
        os.replace(source, path[-1], dst_dir_fd=folder)


def make(root: Path, path: Sequence[str]) -> None:
    """Make a folder and those above it. Raises InTheWay."""
    with _clearly(), _opened(root, path, create=True):
        pass


def remove(root: Path, path: Sequence[str], keep: Callable[[Sequence[str]], bool]) -> None:
    """Remove a file, and the folders that are empty then, up to one that `keep` says must stay."""
    with suppress(FileNotFoundError, NotADirectoryError), _opened(root, path[:-1]) as folder:
        os.unlink(path[-1], dir_fd=folder)
    prune(root, path[:-1], keep)


def prune(root: Path, path: Sequence[str], keep: Callable[[Sequence[str]], bool]) -> None:
    """Remove a folder if it is empty, then the one above it, and so on."""
    for depth in range(len(path), 0, -1):
        if keep(path[:depth]):
            return
        try:
            with _opened(root, path[: depth - 1]) as folder:
                os.rmdir(path[depth - 1], dir_fd=folder)
        except OSError:
            return


def depth_of(root: Path, path: Sequence[str]) -> int:
    """How many folders of a path are there."""
    return next((depth for depth in range(len(path), 0, -1) if is_folder(root, path[:depth])), 0)


def sync(root: Path, path: Sequence[str], depth_min: int = 0) -> None:
    """Bring the names in the folders of a path to the disk, from the last up to the one at a depth.

    A rename is only there for good after its folder is synced, and so is that folder's own name.
    """
    for depth in range(len(path), depth_min - 1, -1):
        with suppress(FileNotFoundError, NotADirectoryError), _opened(root, path[:depth]) as folder:
            os.fsync(folder)


@contextmanager
def _opened(root: Path, path: Sequence[str], *, create: bool = False) -> Iterator[int]:
    folder = os.open(root, _FOLDER)
    try:
        for name in path:
            deeper = _step(folder, name, create=create)
            os.close(folder)
            folder = deeper
        yield folder
    finally:
        os.close(folder)


def _step(folder: int, name: str, *, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)


@contextmanager
def _clearly() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise PathConflict from error
        raise


def _raise_unless_absent(error: OSError) -> None:
    if error.errno not in _NOT_THERE:
        raise error
