"""Unpacked code of functions and layers that a server does not need: what a killed one was unpacking, that of
functions that are gone, and all of it where the machine was started anew.

What is unpacked is not brought to the disk, since the store has the archives: a machine that stops may leave
files of zeros. At the start of a server nothing runs in its data folder, so that a folder which no function
and no version names is nobody's. Layers are removed then alone: until then another function may be about to
name the same content.

While a server runs, others change and delete functions whose code it has. Folders that no function names any
more go when they are COPY_SECONDS_MIN old: a younger one may be that of a call under way.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from passrole import private_files, trees
from passrole.config import Config
from passrole.services.lambda_.layer_records import LAYER_VERSIONS
from passrole.services.lambda_.qualifiers import VERSIONS
from passrole.services.lambda_.records import FUNCTIONS, code_folder, layers_folder, opt_folder
from passrole.store import Store, Tx

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN = "unknown"
_MARK = "unpacked-since"
"""The file in a data folder that says since which start of the machine code was unpacked in it."""


COPY_SECONDS_MIN = 3_600.0


async def sweep(store: Store, config: Config) -> None:
    """Remove it, before the first call. What cannot be removed stays."""

    def used(tx: Tx) -> frozenset[Path]:
        stored = [function for each in (FUNCTIONS, VERSIONS) for _, function in each.all(tx)]
        published = [layers_folder(config) / version.digest for _, version in LAYER_VERSIONS.all(tx)]
        opts = [opt for function in stored if (opt := opt_folder(config, function)) is not None]
        return frozenset([*(code_folder(config, function) for function in stored), *published, *opts])

    is_same_boot = await asyncio.to_thread(_is_same_boot, config.data / _MARK)
    folders = await store.read(used) if is_same_boot else frozenset()
    await asyncio.to_thread(_remove, _code_root(config), folders)
    await asyncio.to_thread(_remove_layers, layers_folder(config), folders)
    if not is_same_boot:
        await asyncio.to_thread(private_files.write, config.data / _MARK, _boot().encode())


async def discard_unused(
    store: Store, config: Config, discard: Callable[[Path], Awaitable[None]], now: float
) -> int:
    """Discard code whose function another server has changed or deleted; how many folders there were."""
    before = now - COPY_SECONDS_MIN
    found = await asyncio.to_thread(_older, _code_root(config), before)  # first: what is named later is young
    unused = found - await store.read(partial(_code, config=config))
    for folder in unused:
        await discard(folder)
    return len(unused)


def _code(tx: Tx, config: Config) -> frozenset[Path]:
    stored = [function for each in (FUNCTIONS, VERSIONS) for _, function in each.all(tx)]
    return frozenset(code_folder(config, function) for function in stored)


def _code_root(config: Config) -> Path:
    return (config.data / "functions").resolve()


def _older(root: Path, before: float) -> frozenset[Path]:
    """Folders that appeared before a moment; below the root there are regions and functions' names."""
    names = (name for region in trees.entries(root) for name in trees.entries(region))
    return frozenset(code for name in names for code in trees.entries(name) if _appeared(code) < before)


def _appeared(folder: Path) -> float:
    """When it got its name; one that is gone has just appeared."""
    try:
        return folder.stat().st_ctime
    except OSError:
        return math.inf


def _is_same_boot(mark: Path) -> bool:
    try:
        return mark.read_text() == _boot() != _UNKNOWN
    except FileNotFoundError:
        return False


def _boot() -> str:
    """Which start of the machine this is. Where nobody tells, each start of a server counts as one."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return _UNKNOWN


def _remove_layers(root: Path, used: frozenset[Path]) -> None:
    for folder in trees.entries(root):
        if folder not in used:
            trees.discard(folder)


def _remove(root: Path, used: frozenset[Path]) -> None:
    """Below the root there are regions, functions' names, and uploads."""
    for region in trees.entries(root):
        for name in trees.entries(region):
            for code in trees.entries(name):
                if code not in used:
                    trees.discard(code)
            with suppress(OSError):  # others are in it
                name.rmdir()
