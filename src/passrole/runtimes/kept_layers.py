"""Layers of packages that requirements name, each made once and kept by its content.

    <data>/job-layers/<key>/             an environment upon the user's, as `python_layer` makes it
    <data>/job-layers/<key>/complete     made last: without it a layer is not used

The key is made of the requirements, the settings of pip and what the user's environment has, so that a change
of any of them leads to another layer. It knows only the disk; `worker/jobs/layers.py` has pip fill a layer.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from passrole import trees
from passrole.runtimes import frameworks, python_layer

FOLDER, RUN = "job-layers", "run"
"""In the data folder all layers; in a layer what pip printed and how it ended."""

REQUIREMENTS = "requirements.txt"
UNUSED_DAYS_MAX = 30
"""A layer that no job has used for so long is removed; no job runs longer than 28 days."""

_COMPLETE = "complete"
_LEADS_ELSEWHERE = re.compile(
    r"^-(r|c|e|f)\b|^--(requirement|constraint|editable|find-links)\b"  # other files
    r"|\$\{|^[./~]|@\s*(\.|file:)|\bfile:|\b(git|hg|svn|bzr)\+"  # variables, paths, what moves
    r"|^[^:]*\.(whl|zip|tar\.gz)\b"
)


def is_keepable(requirements: bytes) -> bool:
    """Whether the text alone says what is installed: it names packages, and no other file, no variable and no
    repository whose content moves.
    """
    try:
        lines = [line.partition(" #")[0].strip() for line in requirements.decode().splitlines()]
    except UnicodeDecodeError:
        return False
    told = [line for line in lines if line and not line.startswith("#")]
    names = any(not line.startswith("-") for line in told)
    return names and not any(_LEADS_ELSEWHERE.search(line) for line in told)


def key(requirements: bytes, settings: Mapping[str, str], environment: Path) -> str:
    """The name of the layer of these requirements upon an environment. Reads file names, and runs nothing."""
    installed = sorted(
        each.name
        for folder in frameworks.package_folders(environment)
        if folder.is_dir()
        for each in folder.iterdir()
        if each.suffix in (".dist-info", ".egg-info")
    )
    python = (environment / "bin" / "python").resolve()
    parts = [requirements.decode(), sorted(settings.items()), str(environment), str(python), installed]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def place(data: Path, name: str) -> Path:
    """The folder of a layer; programs see it at this path too."""
    return data.resolve() / FOLDER / name


def is_complete(layer: Path) -> bool:
    """Whether it may be used; if so, it counts as used now."""
    try:
        os.utime(layer / _COMPLETE)
    except OSError:
        return False
    return True


def begin(layer: Path, environment: Path, requirements: bytes) -> bool:
    """Make an empty layer anew; False where the environment has no Python. Raises OSError."""
    trees.remove(layer)
    if not python_layer.create(layer, environment):
        return False
    (layer / "tmp").mkdir()
    (layer / REQUIREMENTS).write_bytes(requirements)
    return True


def finish(layer: Path) -> None:
    """Let the layer be used: its files are on the disk before the mark is. Raises OSError."""
    trees.remove(layer / "tmp")
    os.sync()
    (layer / _COMPLETE).touch()


def sweep(data: Path, now: float) -> int:
    """Remove the layers that nobody has used for long; how many there were."""
    before, removed = now - UNUSED_DAYS_MAX * 86_400, 0
    for layer in trees.entries(data / FOLDER):
        mark = layer / _COMPLETE
        try:
            used = (mark if mark.exists() else layer).stat().st_mtime
        except OSError:
            continue
        if used < before:
            mark.unlink(missing_ok=True)  # first: a layer that is half removed is not used
            trees.remove(layer)
            removed += 1
    return removed
