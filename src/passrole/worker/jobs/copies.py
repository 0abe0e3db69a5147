"""Copies of files with the least work that the file system knows: shared blocks, else a copy in the kernel.

https://man7.org/linux/man-pages/man2/ioctl_ficlone.2.html
https://man7.org/linux/man-pages/man2/copy_file_range.2.html
"""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_FICLONE = 0x40049409
_OPENED = "/proc/self/fd"
_PIECE_BYTES = 1 << 30


def copy(source: BinaryIO, target: Path) -> None:
    """A new file with the content of an open one. Raises OSError."""
    with target.open("xb") as file:
        if not _cloned(source, file) and not _copied_in_kernel(source, file):
            source.seek(0)
            shutil.copyfileobj(source, file, 1 << 20)


def link(source: BinaryIO, target: Path) -> None:
    """The same file under another name, for a reader that cannot write to it; else a copy. Raises OSError."""
    try:
        # with a folder's descriptor Python asks the system to follow the link that stands for the open file
        opened = os.open(_OPENED, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.link(str(source.fileno()), target, src_dir_fd=opened, follow_symlinks=True)
        finally:
            os.close(opened)
    except OSError:  # another file system, too many names, no /proc
        copy(source, target)


def _cloned(source: BinaryIO, target: BinaryIO) -> bool:
    with suppress(OSError):
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        return True
    return False


def _copied_in_kernel(source: BinaryIO, target: BinaryIO) -> bool:
    """Whether the kernel has copied all. It does so either from the first byte on, or not at all."""
    if not hasattr(os, "copy_file_range"):
        return False
    size, done = os.fstat(source.fileno()).st_size, 0
    try:
        while done < size:
            copied = os.copy_file_range(source.fileno(), target.fileno(), _PIECE_BYTES, done, done)
            if copied == 0:
                break
            done += copied
    except OSError:
        if done:
            raise
        return False
    return done == size
