"""Trees of folders that somebody else made, walked without recursion: they may be deeper than Python's stack.

It knows only the disk. What it removes it cannot leave: no step follows a symbolic link.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def folders(root: Path) -> Iterator[Path]:
    """The folder itself and those below, each after the one that it is in."""
    found = [root]
    for folder in found:  # grows while it is read
        yield folder
        with suppress(OSError), os.scandir(folder) as entries:
            found += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]


def inside(folder: Path) -> list[Path]:
    """What is right in a folder that is no link; nothing where it is not there."""
    if folder.is_symlink():
        return []
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def discard(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it. What cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        remove(path)
    else:
        with suppress(OSError):
            path.unlink()


def make(folder: Path) -> None:
    """Make a folder and those above it; what is there already stays."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)


def remove(root: Path) -> None:
    """Remove a folder and all that is in it. What cannot be removed stays.

    Each folder below is first emptied of its own folders, which move up to the root: so no path gets longer
    than the system takes.
    """
    if root.is_symlink():
        return
    while found := _emptied_of_files(root):
        moved = [_emptied_of_folders(folder, root) for folder in found]
        if not any(moved):
            return
    with suppress(OSError):
        root.rmdir()


def _emptied_of_files(folder: Path) -> list[Path]:
    """The folders right in a folder, whose files are removed."""
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
    """Whether the folder could be removed, after those in it have moved to the root."""
    for inner in _emptied_of_files(folder):
        with suppress(OSError):
            inner.rename(root / uuid4().hex)
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
