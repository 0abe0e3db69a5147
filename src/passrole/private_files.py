"""The data folder and what is in it are for their owner alone, whoever makes them.

It holds keys, objects and the audit trail. A folder that is open to others, because an older version or
somebody else made it, is tightened, and so are the files at its top.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FOLDER_MODE, FILE_MODE = 0o700, 0o600
PUBLIC_MODE = 0o644
_PUBLIC_FILES = frozenset({"ca.pem", "ca-bundle.pem"})  # certificates, which every client may read
_OTHERS = 0o077


def make_folder(folder: Path, say: Callable[[str], None]) -> None:
    """Make the data folder, or tighten one that exists; `say` is told what was changed, or cannot be.

    Raises OSError where it cannot be made.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if mode & stat.S_ISVTX:  # /tmp and its like are not for us to close
        say(
            f"the data folder `{folder}` is one that others write to: they may read what passrole keeps there"
        )
        return
    try:
        tightened = [each for each in (folder, *_files(folder)) if _tighten(each)]
    except OSError as error:
        say(f"the data folder `{folder}` is open to others and cannot be closed: {error.strerror}")
        return
    if tightened:
        names = ", ".join(f"`{each}`" for each in tightened)
        say(f"open to others until now: {names}; from here on only to their owner")


def open_to_append(path: Path) -> BinaryIO:
    """A file in the data folder, made where it is missing; it can be read as well."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, FILE_MODE), "a+b")


def write(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Put a file in place in one step, for another process may read or write it at this moment."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
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
    except FileNotFoundError:  # another process is done with it
        return False
    if not mode & _OTHERS:
        return False
    path.chmod(mode & ~_OTHERS)
    return True
