"""The folder to which reports name files: the repository's, else the current one."""

import os
from functools import cache
from pathlib import Path


def relative(file: str) -> str:
    """The file as seen from the root, with slashes; as it was given where it is elsewhere."""
    return _relative(file, os.getcwd())  # noqa: PTH109 (a key, asked for every finding)


@cache
def _relative(file: str, here: str) -> str:
    try:
        return (Path(here) / file).resolve().relative_to(_root(Path(here).resolve())).as_posix()
    except (ValueError, OSError):
        return file


@cache
def _root(folder: Path) -> Path:
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)
