"""PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions,
DeleteLayerVersion.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from passrole import ids, trees
from passrole.services.context import Context
from passrole.services.lambda_ import archives, layer_names, packages, refusals, sources
from passrole.services.lambda_.layer_permissions import LAYER_POLICIES, its_policy, policy_by_arn
from passrole.services.lambda_.layer_records import (
    LAYER_VERSIONS,
    LAYERS,
    Layer,
    LayerVersion,
    described,
    existing_version,
    listed,
    version_key,
)
from passrole.services.lambda_.paging import PAGES
from passrole.services.lambda_.records import layers_folder
from passrole.services.operation import operation
from passrole.store import Tx, contents

PAGE_MAX = 50


@operation("lambda:PublishLayerVersion", resource=layer_names.layer_arn)
async def publish_layer_version(
    ctx: Context,
    *,
    layer_name: str,
    content: Mapping[str, Any],
    description: str = "",
    compatible_runtimes: Sequence[str] = (),
    compatible_architectures: Sequence[str] = (),
    license_info: str | None = None,
) -> dict[str, Any]:
    """Publish an archive as the next version of a layer, which need not exist."""
    named = layer_names.parse(ctx, layer_name)
    key = layer_names.key(ctx, named)
    archive = await sources.archive(ctx, content)
    digest = await packages.digest_of(archive)
    unpacked = await asyncio.to_thread(_unpacked, archive, layers_folder(ctx.config) / digest)

    def write(tx: Tx) -> LayerVersion:
        layer = LAYERS.get(tx, key) or Layer(named.name, 0)
        version = LayerVersion(
            account=ctx.account,
            region=ctx.region,
            name=named.name,
            number=layer.last + 1,
            description=description,
            created=ctx.clock(),
            code_sha256=archives.sha256(archive),
            size=len(archive),
            digest=digest,
            unpacked=unpacked,
            runtimes=list(compatible_runtimes),
            architectures=list(compatible_architectures),
            licence=license_info,
            revision=ids.request_id(),
        )
        LAYERS.put(tx, key, Layer(named.name, version.number))
        LAYER_VERSIONS.put(tx, version_key(key, version.number), version)
        contents.use(tx, version.named.arn, [digest])
        return version

    return described(await packages.written(ctx, archive, digest, named.unqualified, write))


@operation("lambda:GetLayerVersion", resource=layer_names.version_arn, resource_policy=its_policy)
async def get_layer_version(ctx: Context, *, layer_name: str, version_number: int) -> dict[str, Any]:
    """One version of a layer."""
    return await _described(ctx, layer_names.parse(ctx, layer_name, version_number))


@operation("lambda:GetLayerVersion", resource=layer_names.given_arn, resource_policy=policy_by_arn)
async def get_layer_version_by_arn(ctx: Context, *, arn: str) -> dict[str, Any]:
    """The same by its ARN."""
    return await _described(ctx, layer_names.parse_version(arn))


@operation("lambda:ListLayers")
async def list_layers(
    ctx: Context,
    *,
    marker: str | None = None,
    max_items: int = PAGE_MAX,
    compatible_runtime: str | None = None,
    compatible_architecture: str | None = None,
) -> dict[str, Any]:
    """The layers of the region by name, each with its newest version that is compatible."""
    after = PAGES.after(marker or None, ctx.key)
    limit = min(max_items, PAGE_MAX)
    wanted = _wanted(compatible_runtime, compatible_architecture)

    def read(tx: Tx) -> list[LayerVersion]:
        found: list[LayerVersion] = []
        for key, _ in LAYERS.within(tx, *ctx.location, after=after):
            versions = LAYER_VERSIONS.children(tx, key, descending=True)
            found += [version for _, version in versions if wanted(version)][:1]
            if len(found) > limit:
                break
        return found

    rows, more = PAGES.page(await ctx.store.read(read), limit, lambda version: version.name)
    return {"Layers": [_newest(version) for version in rows], **more}


@operation("lambda:ListLayerVersions")
async def list_layer_versions(
    ctx: Context,
    *,
    layer_name: str,
    marker: str | None = None,
    max_items: int = PAGE_MAX,
    compatible_runtime: str | None = None,
    compatible_architecture: str | None = None,
) -> dict[str, Any]:
    """The versions of a layer that are compatible, the newest first."""
    key = layer_names.key(ctx, layer_names.parse(ctx, layer_name))
    position = PAGES.position(marker or None, int)
    after = version_key(key, position[0]) if position else ""
    limit = min(max_items, PAGE_MAX)
    wanted = _wanted(compatible_runtime, compatible_architecture)

    def read(tx: Tx) -> list[LayerVersion]:
        LAYERS.require(tx, key, refusals.nothing_there)
        every = LAYER_VERSIONS.children(tx, key, after=after, descending=True)
        return [version for _, version in every if wanted(version)][: limit + 1]

    rows, more = PAGES.page(await ctx.store.read(read), limit, lambda version: (version.number,))
    return {"LayerVersions": [listed(version) for version in rows], **more}


@operation("lambda:DeleteLayerVersion", resource=layer_names.version_arn)
async def delete_layer_version(ctx: Context, *, layer_name: str, version_number: int) -> None:
    """Delete a version. Functions that have it keep it, as on AWS. Its unpacked folder goes at the next
    start, unless somebody has it.
    """
    named = layer_names.parse(ctx, layer_name, version_number)
    key = version_key(layer_names.key(ctx, named), version_number)

    def write(tx: Tx) -> list[str]:
        LAYER_VERSIONS.delete(tx, key)
        LAYER_POLICIES.delete(tx, key)
        return contents.use(tx, named.arn, ())

    await contents.remove(ctx.store, await ctx.store.write(write))


async def _described(ctx: Context, named: layer_names.NamedLayer) -> dict[str, Any]:
    key, number = layer_names.key(ctx, named), named.version or 0
    return described(await ctx.store.read(lambda tx: existing_version(tx, key, number)))


def _wanted(runtime: str | None, architecture: str | None) -> Callable[[LayerVersion], bool]:
    def wanted(version: LayerVersion) -> bool:
        return (runtime is None or runtime in version.runtimes) and (
            architecture is None or architecture in version.architectures
        )

    return wanted


def _newest(version: LayerVersion) -> dict[str, Any]:
    return {
        "LayerName": version.name,
        "LayerArn": version.named.unqualified,
        "LatestMatchingVersion": listed(version),
    }


def _unpacked(archive: bytes, folder: Path) -> int:
    """Unpack where the same content is not there yet; the bytes of its files. Blocks."""
    if not folder.exists():
        archives.unpack(archive, folder)
    return trees.bytes_in(folder)
