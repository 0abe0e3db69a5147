"""The layers that a function has: who may use them, and whether they fit.

Several layers are laid over each other in their order, the last on top, in one folder that functions with the
same layers share (packages.py). It is made of hard links, so that it takes no room.
https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from passrole import trees
from passrole.services.context import Context
from passrole.services.lambda_ import archives, layer_names, packages, refusals
from passrole.services.lambda_.layer_permissions import policy_of
from passrole.services.lambda_.layer_records import LAYER_VERSIONS, LayerVersion, version_key
from passrole.services.lambda_.records import Function, code_folder
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
    digests = [each.digest for each in layers]
    await _check(ctx, function, digests)
    return {"layers": shown, "layer_archives": digests, "opt": packages.together(digests)}


async def check_size(ctx: Context, function: Function) -> None:
    """Refuse code that is too large with its layers.

    Raises InvalidParameterValueException.
    """
    await _check(ctx, function, function.layer_archives)


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


async def _check(ctx: Context, function: Function, layers: Sequence[str]) -> None:
    """Raises InvalidParameterValueException."""
    if layers:
        await packages.bring_code(ctx.store, ctx.config, function)
        opt = await packages.lay_out(ctx.store, ctx.config, layers)
        await asyncio.to_thread(_check_folders, code_folder(ctx.config, function), opt)


def _check_folders(unpacked: Path, opt: Path) -> None:
    if len(trees.entries(opt)) > ENTRIES_AT_ROOT_MAX:
        raise refusals.layer_too_wide(ENTRIES_AT_ROOT_MAX)
    size = trees.bytes_in(unpacked) + trees.bytes_in(opt)
    if size > archives.UNPACKED_BYTES_MAX:
        raise refusals.with_layers_too_large(archives.UNPACKED_BYTES_MAX, size)
