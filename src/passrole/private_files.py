"""Makes the data folder and its files readable by their owner alone (modes 0700 and 0600).

The folder holds keys, objects and the audit trail. An existing folder with wider modes is tightened, and so
are the files directly in it.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FOLDER_MODE, FILE_MODE = 0o700, 0o600
PUBLIC_MODE = 0o644
_PUBLIC_FILES = frozenset({"ca.pem", "ca-bundle.pem"})  # certificates, which every client may read
_OTHERS = 0o077


def make_folder(folder: Path, warn: Callable[[str], None]) -> None:
    """Make the data folder, or tighten its modes; `warn` is called with what was changed or cannot be.

    Raises OSError if it cannot be made.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if mode & stat.S_ISVTX:  # /tmp and its like are not for us to close
        warn(f"the data folder `{folder}` is shared with other users, who may read its files; choose another")
        return
    try:
        tightened = [path for path in (folder, *_files(folder)) if _tighten(path)]
    except OSError as error:
        warn(f"the data folder `{folder}` is readable by others and cannot be changed: {error.strerror}")
        return
    if tightened:
        names = ", ".join(f"`{path}`" for path in tightened)
        warn(f"these were readable by others and are now private: {names}")


def open_to_append(path: Path) -> BinaryIO:
    """Open a file of the data folder for appending and reading; created if missing."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, FILE_MODE), "a+b")


def write(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write a file atomically (by renaming a new one), since another process may be reading it.

    Threads and processes may write it at the same time: one of them is the last.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    with suppress(FileNotFoundError):
        temporary.unlink()  # an old one would keep its own mode
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _files(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False) and entry.name not in _PUBLIC_FILES:
            yield folder / entry.name


def _tighten(path: Path) -> bool:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:  # another process removed it
        return False
    if not mode & _OTHERS:
        return False
    path.chmod(mode & ~_OTHERS)
    return True
