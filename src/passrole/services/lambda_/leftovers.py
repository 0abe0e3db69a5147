"""The code of functions and the layers that a server which was killed left: unpacked for a function that was
not stored any more, or of one that was deleted.

At the start nothing runs, so that a folder which no function and no version names is nobody's. Layers are
removed then alone: until then another function may be about to name the same content.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from passrole import trees
from passrole.config import Config
from passrole.services.lambda_.layer_records import LAYER_VERSIONS
from passrole.services.lambda_.qualifiers import VERSIONS
from passrole.services.lambda_.records import FUNCTIONS, code_folder, layers_folder, opt_folder
from passrole.store import Store, Tx


async def sweep(store: Store, config: Config) -> None:
    """Remove it, before the first call. What cannot be removed stays."""

    def used(tx: Tx) -> frozenset[Path]:
        stored = [function for each in (FUNCTIONS, VERSIONS) for _, function in each.all(tx)]
        published = [layers_folder(config) / version.digest for _, version in LAYER_VERSIONS.all(tx)]
        opts = [opt for function in stored if (opt := opt_folder(config, function)) is not None]
        return frozenset([*(code_folder(config, function) for function in stored), *published, *opts])

    folders = await store.read(used)
    await asyncio.to_thread(_remove, (config.data / "functions").resolve(), folders)
    await asyncio.to_thread(_remove_layers, layers_folder(config), folders)


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
