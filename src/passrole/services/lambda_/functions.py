"""CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, DeleteFunction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passrole import ids
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.lambda_ import (
    archives,
    attached_layers,
    destinations,
    names,
    packages,
    qualifiers,
    refusals,
    sessions,
    settings,
    sources,
    versions,
)
from passrole.services.lambda_.event_config_records import CONFIGS
from passrole.services.lambda_.layer_records import LayerVersion
from passrole.services.lambda_.paging import PAGES
from passrole.services.lambda_.permissions import POLICIES
from passrole.services.lambda_.qualifiers import ALIASES, VERSIONS, find
from passrole.services.lambda_.records import (
    FUNCTIONS,
    Function,
    code_folder,
    configuration,
    creating_response,
    existing,
    listed,
)
from passrole.services.lambda_.tags import TAGS
from passrole.services.operation import Parameters, PassRole, Permission, operation
from passrole.services.tags import tagging
from passrole.store import Tx, contents

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import (
        DeadLetterConfigTypeDef,
        EnvironmentTypeDef,
        SnapStartTypeDef,
        VpcConfigTypeDef,
    )

PAGE_MAX = 50


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.checked_request_keys(ctx, parameters), **settings.configuration_keys(ctx, parameters)}


_tagging = tagging("lambda:TagResource", names.unqualified_arn, TAGS.checked_request_keys)


async def _also(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    return [*_tagging(ctx, parameters), *await attached_layers.permissions(ctx, parameters)]


@operation(
    "lambda:CreateFunction",
    resource=names.unqualified_arn,
    passes=[PassRole("role", sessions.SERVICE)],
    keys=_keys,
    also=_also,
    ignores=("architectures", "ephemeral_storage", "logging_config", "tracing_config"),
)
async def create_function(
    ctx: Context,
    *,
    function_name: str,
    role: str,
    code: Mapping[str, Any],
    runtime: str | None = None,
    handler: str | None = None,
    description: str = "",
    timeout: int = settings.TIMEOUT_DEFAULT,  # noqa: ASYNC109 (the function's)
    memory_size: int = settings.MEMORY_DEFAULT,
    environment: "EnvironmentTypeDef | None" = None,
    tags: Mapping[str, str] | None = None,
    package_type: str = "Zip",
    vpc_config: "VpcConfigTypeDef | None" = None,
    layers: Sequence[str] | None = None,
    publish: bool = False,
    dead_letter_config: "DeadLetterConfigTypeDef | None" = None,
    snap_start: "SnapStartTypeDef | None" = None,
) -> dict[str, Any]:
    """Create a function. Its role must trust Lambda and be allowed to send to the dead-letter queue."""
    named = names.new(ctx, function_name)
    key = names.latest_key(ctx, named)
    settings.refuse_beyond_zip(package_type)
    settings.refuse_snapshots(snap_start)
    if not runtime or not handler:
        raise refusals.invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    archive = await sources.archive(ctx, code)
    function = Function(
        account=ctx.account,
        region=ctx.region,
        name=named.name,
        role=role,
        runtime=settings.checked_runtime(runtime, strict=ctx.config.lambda_strict_runtime),
        handler=handler,
        description=description,
        timeout=settings.checked_timeout(timeout),
        memory=settings.checked_memory(memory_size),
        folder=new_folder(),
        archive=await packages.digest_of(archive),
        code_sha256=archives.sha256(archive),
        code_size=len(archive),
        modified=ctx.clock(),
        revision=ids.request_id(),
        environment=settings.checked_variables(environment),
        tags=dict(tags or {}),
        dead_letters=(dead_letter_config or {}).get("TargetArn") or None,
        network=settings.checked_network(vpc_config),
    )
    attached = await attached_layers.found(ctx, layers or ())
    if await ctx.store.read(lambda tx: FUNCTIONS.get(tx, key)) is not None:
        raise refusals.exists(named.name)
    await check_role(ctx, role, function.arn)
    if function.dead_letters:
        await destinations.check_dead_letters(ctx, role, function.arn, function.dead_letters)
    return creating_response(await _stored(ctx, function, archive, attached, publish=publish))


async def _stored(
    ctx: Context, function: Function, archive: bytes, layers: Sequence[LayerVersion], *, publish: bool
) -> Function:
    """Keep a new function with its code and layers, or nothing of it; with `publish`, its first version.

    Raises ResourceConflictException.
    """
    folder = await unpacked(ctx, function, archive)
    try:
        whole = replace(function, **await attached_layers.laid_out(ctx, function, layers))
        add = partial(_added, function=whole, publish=publish)
        added = await packages.written(ctx, archive, whole.archive, whole.arn, add)
        if added is None:
            raise refusals.exists(function.name)
    except BaseException:
        await ctx.functions.discard(folder)
        raise
    return added


def _added(tx: Tx, function: Function, *, publish: bool) -> Function | None:
    """None where there is a function of the name. No other caller comes between it and its first version."""
    if not FUNCTIONS.add(tx, function.key, function):
        return None
    contents.use(tx, function.arn, function.contents)
    return versions.publish(tx, function) if publish else function


@operation("lambda:GetFunction", resource=names.arn_of)
async def get_function(ctx: Context, *, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    """The configuration and the tags; the archive cannot be fetched, so there is no Location."""
    function = await find(ctx, function_name, qualifier)
    given_qualifier = names.parse(ctx, function_name, qualifier).qualifier
    answer: dict[str, Any] = {"Configuration": configuration(function, given_qualifier), "Code": {}}
    return {**answer, "Tags": function.tags} if function.tags else answer


@operation("lambda:GetFunctionConfiguration", resource=names.arn_of)
async def get_function_configuration(
    ctx: Context, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """The configuration, without tags and code."""
    given_qualifier = names.parse(ctx, function_name, qualifier).qualifier
    return configuration(await find(ctx, function_name, qualifier), given_qualifier)


@operation("lambda:ListFunctions")
async def list_functions(
    ctx: Context,
    *,
    marker: str | None = None,
    max_items: int = PAGE_MAX,
    function_version: str | None = None,
) -> dict[str, Any]:
    """All functions of the region by name, 50 to a page at most; with ALL, each with its versions.

    A function's versions stay on its page, which may therefore be longer, as AWS says of its own.
    """
    after = PAGES.after(marker or None, ctx.key)
    limit = min(max_items, PAGE_MAX)

    def read(tx: Tx) -> dict[str, Any]:
        rows = [each for _, each in FUNCTIONS.within(tx, *ctx.location, after=after, limit=limit + 1)]
        found, more = PAGES.page(rows, limit, lambda function: function.name)
        if function_version is None:
            return {"Functions": [listed(function) for function in found], **more}
        every = [each for function in found for each in (function, *qualifiers.versions(tx, function.key))]
        return {"Functions": [listed(each, each.version) for each in every], **more}

    return await ctx.store.read(read)


@operation("lambda:DeleteFunction", resource=names.arn_of)
async def delete_function(
    ctx: Context, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """Delete a function with its versions and aliases, or one version. Running invocations finish."""
    named = names.parse(ctx, function_name, qualifier)
    key = names.key(ctx, named)
    remove = _delete_function if named.qualifier is None else _delete_version
    removed, left = await ctx.store.write(lambda tx: _left(tx, remove(tx, key, named)))
    for gone in removed:
        await ctx.functions.retire(gone.arn)
        await ctx.functions.discard(code_folder(ctx.config, gone))
    await contents.remove(ctx.store, left)
    return {"StatusCode": 204}


def _left(tx: Tx, gone: list[Function]) -> tuple[list[Function], list[str]]:
    """Functions that are gone, and the contents that nobody uses any more."""
    return gone, [digest for each in gone for digest in contents.use(tx, each.arn, ())]


def _delete_function(tx: Tx, key: str, named: names.Named) -> list[Function]:
    function = existing(tx, key, named)
    published = qualifiers.versions(tx, key)
    FUNCTIONS.delete(tx, key)
    POLICIES.delete(tx, key)
    for collection in (VERSIONS, ALIASES, POLICIES, CONFIGS):
        for version_key, _ in collection.children(tx, key):
            collection.delete(tx, version_key)
    return [function, *published]


def _delete_version(tx: Tx, key: str, named: names.Named) -> list[Function]:
    number = named.qualifier or ""
    if number == names.LATEST:
        raise refusals.invalid("$LATEST version cannot be deleted without deleting the function.")
    if not names.is_version(number):
        raise refusals.invalid("Deletion of aliases is not currently supported.")
    existing(tx, key, named)
    version = qualifiers.version(tx, key, number)
    if version is None:  # AWS is content with a version that is not there
        return []
    meaning = [each.name for each in qualifiers.aliases(tx, key) if number in (each.version, *each.weights)]
    if meaning:
        raise refusals.aliased(meaning)
    VERSIONS.delete(tx, qualifiers.version_key(key, number))
    POLICIES.delete(tx, qualifiers.version_key(key, number))
    CONFIGS.delete(tx, qualifiers.version_key(key, number))
    return [version]


def new_folder() -> str:
    """A new name for a code folder; never used twice, so that removing an old one cannot meet a new one."""
    return ids.request_id()


async def check_role(ctx: Context, role: str, function_arn: str) -> None:
    """Check that Lambda can assume the role. Raises InvalidParameterValueException."""
    await sessions.of_role(ctx, role, function_arn)


async def unpacked(ctx: Context, function: Function, archive: bytes) -> Path:
    """Unpack the archive of a function; the folder.

    Raises InvalidParameterValueException, RequestEntityTooLargeException.
    """
    folder = code_folder(ctx.config, function)
    await asyncio.to_thread(archives.unpack, archive, folder)
    return folder
