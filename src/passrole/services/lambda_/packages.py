"""Deployment packages of functions and layers: archives in rows, and on a server's disk what it has needed.

What is unpacked in the data folder is a copy. A server that was not the one to be sent an archive, or that
lost its folder, unpacks it when it starts a process that needs it.
"""

import asyncio
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from passrole import trees
from passrole.config import Config
from passrole.faults import Internal
from passrole.runtimes.interface import CodeRemoved
from passrole.services.context import Context
from passrole.services.lambda_ import archives, qualifiers, refusals
from passrole.services.lambda_.records import Function, code_folder, layers_folder, opt_folder
from passrole.store import Store, Tx, contents

log = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES_MAX = 3
_ADOPTED = archives.Limits(zipped_bytes=2 * archives.UNPACKED_BYTES_MAX, entries=2 * archives.ENTRIES_MAX)
"""What was packed here (adoption.py) may be larger than what may be sent."""


async def digest_of(archive: bytes) -> str:
    """What an archive is kept under."""
    return await asyncio.to_thread(contents.digest_of, archive)


async def written(ctx: Context, archive: bytes, digest: str, arn: str, write: Callable[[Tx], T]) -> T:
    """What `write` returns, which uses the archive. It is kept before, and again if it was removed meanwhile.

    Raises ResourceConflictException where that happens each time.
    """
    for _ in range(_TRIES_MAX):
        kept = await contents.keep(ctx.store, digest, archive, ctx.clock())
        try:
            return await ctx.store.write(partial(_both, first=kept, then=write))
        except contents.NotWhole:
            continue
    raise refusals.being_updated(arn)


async def bring(store: Store, config: Config, function: Function) -> None:
    """Have the code and the layers of a stored function on this server's disk.

    Raises CodeRemoved where it has other code by now, or is gone.
    """
    code, opt = code_folder(config, function), opt_folder(config, function)
    if not (code.exists() and (opt is None or opt.exists())):
        if not await store.read(partial(_is_current, function=function)):
            raise CodeRemoved
        await bring_code(store, config, function)
        await lay_out(store, config, function.layer_archives)


async def bring_code(store: Store, config: Config, function: Function) -> None:
    """Have the code alone."""
    await _bring(store, config, function.archive, code_folder(config, function))


async def lay_out(store: Store, config: Config, layers: Sequence[str]) -> Path:
    """Have what these archives of layers make together, the last on top; the folder."""
    root = layers_folder(config)
    for digest in layers:
        await _bring(store, config, digest, root / digest)
    folder = root / together(layers)
    if layers and not folder.exists():
        await asyncio.to_thread(_lay, [root / digest for digest in layers], folder)
    return folder


def together(layers: Sequence[str]) -> str:
    """The folder's name: a single layer's own, or one for what these make in this order; empty for none."""
    if len(layers) < 2:
        return "".join(layers)
    return hashlib.sha256("+".join(layers).encode()).hexdigest()


def _both(tx: Tx, first: Callable[[Tx], None], then: Callable[[Tx], T]) -> T:
    first(tx)
    return then(tx)


def _is_current(tx: Tx, function: Function) -> bool:
    found = qualifiers.version(tx, function.key, function.version)
    return found is not None and (found.folder, found.opt) == (function.folder, function.opt)


async def _bring(store: Store, config: Config, digest: str, folder: Path) -> None:
    """Unpack a content where it is not yet: one at a time for each folder."""
    async with _turns.setdefault(folder, asyncio.Lock()):
        if await asyncio.to_thread(folder.exists):
            return
        try:
            with tempfile.TemporaryFile(dir=config.data) as file:
                async for piece in contents.pieces(store, digest):
                    await asyncio.to_thread(file.write, piece)
                await asyncio.to_thread(archives.unpack, file, folder, _ADOPTED)
        except (contents.NotWhole, contents.Damaged) as error:
            log.error(
                "`%s` has no code: the archive %s is not in the store as it was written", folder, digest
            )
            raise Internal from error


_turns: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()


def _lay(layers: Sequence[Path], folder: Path) -> None:
    """Lay the folders over each other, by hard links. Blocks."""
    with archives.whole(folder) as made:
        for layer in layers:
            _lay_over(layer, made)


def _lay_over(layer: Path, below: Path) -> None:
    for folder in trees.folders(layer):
        target = below / folder.relative_to(layer)
        if target.is_file():
            target.unlink()
        target.mkdir(exist_ok=True)
        for entry in trees.entries(folder):
            if entry.is_dir():
                continue
            trees.discard(target / entry.name)
            os.link(entry, target / entry.name)
