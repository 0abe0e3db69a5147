"""The keys of a folder in S3's order, from any point on, without reading more of the tree than needed.

It knows no page. S3 orders keys by their UTF-8 bytes, which is the order of Python's
strings; within a folder that means that `a/` sorts as written, after `a-b` and before `ab`.
"""

import os
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from passrole.services.s3.names import KEY_BYTES_MAX

LAST = "\U0010ffff"
SORTED_MAX = 50_000


class _Folder(NamedTuple):
    """A folder, by the key that its marker has."""

    key: str


class KeyWalk:
    """A walk through a bucket that reads each folder once. `markers` are the keys that end in a slash."""

    def __init__(self, root: Path, markers: Collection[str]) -> None:
        self._root = str(root)
        self._markers = frozenset(markers)
        self._names: dict[str, list[str]] = {}

    def next_key(self, after: str = "", prefix: str = "") -> str | None:
        """The first key beyond `after` that begins with `prefix`, or None."""
        path = [self._keys("", after, prefix)]  # a key may have 512 folders: that is no depth for recursion
        while path:
            key = next(path[-1], None)
            if key is None:
                path.pop()
            elif isinstance(key, _Folder):
                path.append(self._keys(key.key, after, prefix))
            else:
                return key
        return None

    def _keys(self, folder: str, after: str, prefix: str) -> "Iterator[str | _Folder]":
        """The keys right in a folder that may follow, and the folders in which one may."""
        names, lower = self._listed(folder), max(after, prefix)
        if lower.startswith(folder):
            name, slash, _ = lower[len(folder) :].partition("/")
            start = bisect_left(names, name + slash)
        elif lower > folder:
            return
        else:
            start = 0
        for index in range(start, len(names)):
            key = folder + names[index]
            if not (key.startswith(prefix) or (prefix.startswith(key) and key.endswith("/"))):
                if key > prefix:
                    return
                continue
            if names[index].endswith("/"):
                yield _Folder(key)
            elif key > after and key.startswith(prefix):
                yield key

    def _listed(self, folder: str) -> list[str]:
        """Files, folders with a slash, and the empty name for the folder's own marker; sorted."""
        names = self._names.get(folder)
        if names is None:
            # what lies deeper than a key can reach was not put there as an object
            reached = len(folder.encode()) < KEY_BYTES_MAX
            names = _in_order(_entries(f"{self._root}/{folder}")) if reached else []
            if folder in self._markers:
                names.insert(0, "")
            self._names[folder] = names
        return names


def common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix of the key: up to the first delimiter after the prefix."""
    if not delimiter or not key.startswith(prefix):
        return None
    end = key.find(delimiter, len(prefix))
    return None if end < 0 else key[: end + len(delimiter)]


def _in_order(names: Sequence[str]) -> list[str]:
    """Sorted, in pieces where there are many: one sort of a million names would stop every other thread."""
    pieces = [sorted(names[start : start + SORTED_MAX]) for start in range(0, len(names), SORTED_MAX)]
    return pieces[0] if len(pieces) == 1 else list(merge(*pieces))


def _entries(path: str) -> list[str]:
    names = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not _is_text(entry.name):
                    continue  # no key can name it
                if entry.is_dir(follow_symlinks=False):
                    names.append(f"{entry.name}/")
                elif entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        pass  # gone since its parent was read
    return names


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
