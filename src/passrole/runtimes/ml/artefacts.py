"""The results of a job: archives of its folders, and its failure or exit message.

The folders are the program's, which may be hostile: links are kept as links in an archive and never followed,
neither in a folder nor on the way to it, and what is no file, folder or link (a socket, a pipe) is left out.
"""

import errno
import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from passrole import trees

MESSAGE_BYTES_MAX = 1024
"""The limit of FailureReason and ExitMessage: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeProcessingJob.html"""

_COMPRESSION_LEVEL = 1
"""Fast rather than small: models compress badly, and the user waits."""


def is_linked(root: Path, name: str) -> bool:
    """Whether any part of the path below `root` is a link, which may lead outside of the job's folder."""
    parts = PurePosixPath(name).parts
    return any(root.joinpath(*parts[:number]).is_symlink() for number in range(1, len(parts) + 1))


def is_empty(folder: Path) -> bool:
    """Whether a folder has no entry, or does not exist."""
    return next(iter(trees.entries(folder)), None) is None


def pack(folders: Sequence[Path], archive: BinaryIO) -> None:
    """model.tar.gz or output.tar.gz: what is in the folders, at the archive's root. Of two with the same name
    the one in the later folder counts.
    """
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=_COMPRESSION_LEVEL) as tar:
        for name, entry in _merged(folders).items():
            packed = tar.gettarinfo(entry.path, arcname=name)
            if packed is None or not (packed.isfile() or packed.isdir() or packed.issym() or packed.islnk()):
                continue
            if packed.isreg():
                with Path(entry.path).open("rb") as content:
                    tar.addfile(packed, content)
            else:
                tar.addfile(packed)


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each file below a folder with its path from there; links are not followed, as AWS does not either."""
    for name, entry in _entries(folder):
        if entry.is_file(follow_symlinks=False):
            yield name, Path(entry.path)


def opened(root: Path, name: str) -> BinaryIO:
    """A file below a folder, opened without following any link, even one that a program makes meanwhile.

    Raises OSError for a link on the way, and for what is no file.
    """
    *above, last = PurePosixPath(name).parts
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in above:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no file", name)
    return os.fdopen(handle, "rb")


def message(ml: Path, name: str) -> str | None:
    """The beginning of a failure or message file; None where the program wrote none.

    Raises UnicodeDecodeError if it is not UTF-8; a character that the limit cuts is left out.
    """
    try:
        with opened(ml, name) as file:
            content = file.read(MESSAGE_BYTES_MAX + 1)
    except OSError:
        return None
    try:
        return content[:MESSAGE_BYTES_MAX].decode()
    except UnicodeDecodeError as error:
        if len(content) > MESSAGE_BYTES_MAX and error.reason == "unexpected end of data":
            return content[: error.start].decode()
        raise


def _merged(folders: Sequence[Path]) -> dict[str, "os.DirEntry[str]"]:
    """Entries by their paths; nothing is below what has become a file."""
    found: dict[str, os.DirEntry[str]] = {}
    for folder in folders:
        found |= dict(_entries(folder))
    merged: dict[str, os.DirEntry[str]] = {}
    for name, entry in found.items():  # a folder stands before its content
        above, _, _ = name.rpartition("/")
        if not above or (above in merged and merged[above].is_dir(follow_symlinks=False)):
            merged[name] = entry
    return merged


def _entries(folder: Path) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Every entry below a folder at any depth, by name, each folder before its content."""
    waiting = [("", str(folder))]
    while waiting:
        prefix, current = waiting.pop()
        with os.scandir(current) as found:
            entries = sorted(found, key=lambda each: each.name)
        inner = []
        for entry in entries:
            yield prefix + entry.name, entry
            if entry.is_dir(follow_symlinks=False):
                inner.append((f"{prefix}{entry.name}/", entry.path))
        waiting += reversed(inner)
