"""Code that an earlier passrole kept in folders alone: it is packed again, and from then on the store has it.

At a start, before the first call. What calls show of an archive stays as it was. A function whose folder is
gone stays as it is, too, and cannot be invoked.
"""

import asyncio
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from passrole import trees
from passrole.clock import Clock
from passrole.config import Config
from passrole.services.lambda_.layer_records import LAYER_VERSIONS, LayerVersion
from passrole.services.lambda_.qualifiers import VERSIONS
from passrole.services.lambda_.records import FUNCTIONS, Function, code_folder, layers_folder, opt_folder
from passrole.store import Collection, Store, Tx, contents


class _Packed(NamedTuple):
    digest: str
    keep: Callable[[Tx], None]


async def adopt(store: Store, config: Config, clock: Clock) -> None:
    """Give the store what it lacks. Killed before its end: the next start goes on."""
    for collection in (FUNCTIONS, VERSIONS):
        for key, function in await store.read(collection.all):
            packed = [] if function.archive else await _of_function(store, config, clock, function)
            if packed:
                await store.write(
                    partial(_put, collection=collection, key=key, function=function, packed=packed)
                )
    for key, version in await store.read(_layers_without_content):
        layer = await _packed(store, clock, layers_folder(config) / version.digest)
        if layer is not None:
            await store.write(partial(_put_layer, key=key, version=version, packed=layer))


async def _of_function(store: Store, config: Config, clock: Clock, function: Function) -> list[_Packed]:
    """Its code, and what its layers make together if it has any; nothing where one of them is gone."""
    folders = [code_folder(config, function), opt_folder(config, function)]
    packed = [await _packed(store, clock, folder) for folder in folders if folder is not None]
    return [] if None in packed else [each for each in packed if each is not None]


def _put(
    tx: Tx, collection: Collection[Function], key: str, function: Function, packed: Sequence[_Packed]
) -> None:
    for each in packed:
        each.keep(tx)
    code, *layers = [each.digest for each in packed]
    adopted = replace(function, archive=code, layer_archives=layers, opt="".join(layers))
    collection.put(tx, key, adopted)
    contents.use(tx, adopted.arn, adopted.contents)


def _put_layer(tx: Tx, key: str, version: LayerVersion, packed: _Packed) -> None:
    packed.keep(tx)
    LAYER_VERSIONS.put(tx, key, replace(version, digest=packed.digest))
    contents.use(tx, version.named.arn, [packed.digest])


def _layers_without_content(tx: Tx) -> list[tuple[str, LayerVersion]]:
    every = LAYER_VERSIONS.all(tx)
    return [(key, version) for key, version in every if not contents.is_used(tx, version.digest)]


async def _packed(store: Store, clock: Clock, folder: Path) -> _Packed | None:
    archive = await asyncio.to_thread(_zipped, folder)
    if archive is None:
        return None
    digest = await asyncio.to_thread(contents.digest_of, archive)
    return _Packed(digest, await contents.keep(store, digest, archive, clock()))


def _zipped(root: Path) -> bytes | None:
    """A folder's files, the same archive for the same files; None without a folder. Blocks."""
    if not root.is_dir():
        return None
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for folder in sorted(trees.folders(root)):
            if folder != root:
                _add(archive, folder, f"{folder.relative_to(root)}/", b"")
            for file in sorted(trees.entries(folder)):
                if not file.is_dir():
                    _add(archive, file, str(file.relative_to(root)), file.read_bytes())
    return made.getvalue()


def _add(archive: zipfile.ZipFile, path: Path, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = path.stat().st_mode << 16
    archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 1)
