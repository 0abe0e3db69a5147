"""The keys of a folder in S3's order, from any point on, without reading more of the tree than needed.

It knows no page. S3 orders keys by their UTF-8 bytes, which is the order of Python's
strings; within a folder that means that `a/` sorts as written, after `a-b` and before `ab`.
"""

import os
from bisect import bisect_left
from collections.abc import Collection
from pathlib import Path

LAST = "\U0010ffff"


class Walk:
    """One look at a bucket; each folder is read once. `markers` are the keys that end in a slash."""

    def __init__(self, root: Path, markers: Collection[str]) -> None:
        self._root = str(root)
        self._markers = frozenset(markers)
        self._names: dict[str, list[str]] = {}

    def following(self, after: str = "", prefix: str = "") -> str | None:
        """The first key beyond `after` that begins with `prefix`, or None."""
        return self._within("", after, prefix)

    def _within(self, folder: str, after: str, prefix: str) -> str | None:
        names, lower = self._listed(folder), max(after, prefix)
        if lower.startswith(folder):
            name, slash, _ = lower[len(folder) :].partition("/")
            start = bisect_left(names, name + slash)
        elif lower > folder:
            return None
        else:
            start = 0
        for index in range(start, len(names)):
            key = folder + names[index]
            if not (key.startswith(prefix) or (prefix.startswith(key) and key.endswith("/"))):
                if key > prefix:
                    return None
                continue
            found = self._candidate(key, names[index], after, prefix)
            if found is not None:
                return found
        return None

    def _candidate(self, key: str, name: str, after: str, prefix: str) -> str | None:
        if name.endswith("/"):
            return self._within(key, after, prefix)
        return key if key > after and key.startswith(prefix) else None

    def _listed(self, folder: str) -> list[str]:
        """Files, folders with a slash, and the empty name for the folder's own marker; sorted."""
        names = self._names.get(folder)
        if names is None:
            names = sorted(_entries(f"{self._root}/{folder}"))
            if folder in self._markers:
                names.insert(0, "")
            self._names[folder] = names
        return names


def rolled_up(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix that the key is told as: up to the first delimiter beyond the prefix."""
    if not delimiter or not key.startswith(prefix):
        return None
    end = key.find(delimiter, len(prefix))
    return None if end < 0 else key[: end + len(delimiter)]


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
