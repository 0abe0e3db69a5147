"""Walks and removes folder trees without recursion, since users' trees may be deeper than Python's stack.

It knows only the disk, and never follows a symbolic link out of the tree. What goes while it is walked is
not there: others may work in the tree meanwhile.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def folders(root: Path) -> Iterator[Path]:
    """The folder itself and all folders below it, parents first."""
    found = [root]
    for folder in found:  # grows while it is read
        yield folder
        with suppress(OSError), os.scandir(folder) as entries:
            found += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]


def entries(folder: Path) -> list[Path]:
    """The direct entries of a folder; none if it is missing or a symbolic link."""
    if folder.is_symlink():
        return []
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def files(root: Path) -> Iterator[Path]:
    """All in a folder and below it that is no folder, nor a link to one."""
    return (entry for folder in folders(root) for entry in entries(folder) if not entry.is_dir())


def bytes_in(root: Path) -> int:
    """The size of a file, or of all files in a folder and below it."""
    if root.is_symlink() or not root.is_dir():
        return _size(root)
    return sum(map(_size, files(root)))


def discard(path: Path) -> None:
    """Remove a file, a link, or a folder with its contents. What cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        remove(path)
    else:
        with suppress(OSError):
            path.unlink()


def make(folder: Path) -> None:
    """Make a folder and its parents; existing ones are no error."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)


def remove(root: Path) -> None:
    """Remove a folder with its contents. What cannot be removed stays.

    Nested folders are moved up to the root before they are removed, so that no path exceeds the system's
    limit.
    """
    if root.is_symlink():
        return
    while found := _emptied_of_files(root):
        moved = [_emptied_of_folders(folder, root) for folder in found]
        if not any(moved):
            return
    with suppress(OSError):
        root.rmdir()


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _emptied_of_files(folder: Path) -> list[Path]:
    """Remove the files directly in a folder; its direct subfolders."""
    found: list[Path] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(Path(entry.path))
            else:
                with suppress(OSError):
                    Path(entry.path).unlink()
    return found


def _emptied_of_folders(folder: Path, root: Path) -> bool:
    """Move the folder's subfolders to the root and remove it; whether it could be removed."""
    for inner in _emptied_of_files(folder):
        with suppress(OSError):
            inner.rename(root / uuid4().hex)
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
