"""The layers that a function has: who may use them, whether they fit, and the folder that they make together.

Several layers are laid over each other in their order, the last on top, in one folder that functions with the
same layers share. It is made of hard links, so that it takes no room, and it stays where a layer is deleted.
https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

import asyncio
import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from passrole import trees
from passrole.services.context import Context
from passrole.services.lambda_ import archives, layer_names, refusals
from passrole.services.lambda_.layer_permissions import policy_of
from passrole.services.lambda_.layer_records import LAYER_VERSIONS, LayerVersion, version_key
from passrole.services.lambda_.records import Function, code_folder, layers_folder, opt_folder
from passrole.services.operation import Parameters, Permission
from passrole.store import Tx

LAYERS_MAX = 5
ENTRIES_AT_ROOT_MAX = 100
"""Each is shown in a sandbox by a mount of its own; layers have five: python, nodejs, java, bin, lib."""


async def permissions(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """`lambda:GetLayerVersion` on each of them; those of other accounts are refused anyway."""
    named = [layer_names.version_named(arn) for arn in parameters.get("layers") or ()]
    return [
        Permission("lambda:GetLayerVersion", each.arn, resource_policy=await policy_of(ctx, each))
        for each in named
        if each is not None and each.version is not None and each.account == ctx.account
    ]


async def found(ctx: Context, layers: Sequence[str]) -> list[LayerVersion]:
    """The versions that a call names. Raises InvalidParameterValueException, ValidationException."""
    named = [_named(ctx, arn) for arn in layers]
    if len(named) > LAYERS_MAX:
        rule = f"have length less than or equal to {LAYERS_MAX}"
        raise refusals.constraint(f"[{', '.join(layers)}]", "layers", rule)
    for place, each in enumerate(named):
        for other in named[:place]:
            if other.name == each.name:
                raise refusals.layer_twice(other.arn, each.arn)

    def read(tx: Tx) -> list[LayerVersion]:
        return [_existing(tx, ctx, each) for each in named]

    return await ctx.store.read(read)


async def laid_out(ctx: Context, function: Function, layers: Sequence[LayerVersion]) -> dict[str, Any]:
    """What a function with these layers has in its record; its /opt is on the disk then.

    Raises InvalidParameterValueException.
    """
    shown = [{"Arn": each.named.arn, "CodeSize": each.size} for each in layers]
    opt = _folder_name([each.digest for each in layers])
    if layers:
        root = layers_folder(ctx.config)
        await asyncio.to_thread(_lay, [root / each.digest for each in layers], root / opt)
        await asyncio.to_thread(_check_size, code_folder(ctx.config, function), root / opt)
    return {"layers": shown, "opt": opt}


async def check_size(ctx: Context, function: Function) -> None:
    """Refuse code, unpacked by now, that is too large with its layers.

    Raises InvalidParameterValueException.
    """
    opt = opt_folder(ctx.config, function)
    if opt is not None:
        await asyncio.to_thread(_check_size, code_folder(ctx.config, function), opt)


def _named(ctx: Context, arn: str) -> layer_names.NamedLayer:
    named = layer_names.version_named(arn)
    if named is None or named.version is None:
        raise refusals.constraint(arn, "layers", "be the ARN of a layer's version")
    if named.account != ctx.account:
        raise refusals.foreign_layer(arn, named.name)
    if named.region != ctx.region:
        raise refusals.layer_elsewhere(ctx.region)
    return named


def _existing(tx: Tx, ctx: Context, named: layer_names.NamedLayer) -> LayerVersion:
    key = version_key(ctx.key(named.name), named.version or 0)
    return LAYER_VERSIONS.require(tx, key, lambda: refusals.no_layer(named.arn))


def _folder_name(digests: Sequence[str]) -> str:
    """A single layer's own folder, or one for what these make in this order; empty for none."""
    if len(digests) < 2:
        return "".join(digests)
    return hashlib.sha256("+".join(digests).encode()).hexdigest()


def _lay(layers: Sequence[Path], folder: Path) -> None:
    """Lay the folders over each other, where that was not done before. Blocks."""
    if not folder.exists():
        try:
            with archives.whole(folder) as made:
                for layer in layers:
                    _lay_over(layer, made)
        except OSError as error:  # somebody does the same at the same time
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not folder.exists():
                raise
    if len(trees.entries(folder)) > ENTRIES_AT_ROOT_MAX:
        raise refusals.layer_too_wide(ENTRIES_AT_ROOT_MAX)


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


def _check_size(code: Path, opt: Path) -> None:
    size = trees.bytes_in(code) + trees.bytes_in(opt)
    if size > archives.UNPACKED_BYTES_MAX:
        raise refusals.with_layers_too_large(archives.UNPACKED_BYTES_MAX, size)
