"""UpdateFunctionCode and UpdateFunctionConfiguration. Each gives the function a new revision."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.lambda_ import (
    archives,
    attached_layers,
    destinations,
    names,
    packages,
    refusals,
    sessions,
    settings,
    sources,
    versions,
)
from passrole.services.lambda_.functions import check_role, new_folder, unpacked
from passrole.services.lambda_.qualifiers import find
from passrole.services.lambda_.records import (
    FUNCTIONS,
    Function,
    code_folder,
    configuration,
    existing,
    updating_response,
    with_new_build,
)
from passrole.services.operation import PassRole, operation
from passrole.store import Tx, contents

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import (
        DeadLetterConfigTypeDef,
        EnvironmentTypeDef,
        SnapStartTypeDef,
        VpcConfigTypeDef,
    )


@operation("lambda:UpdateFunctionCode", resource=names.unqualified_arn, ignores=("architectures",))
async def update_function_code(
    ctx: Context,
    *,
    function_name: str,
    zip_file: bytes | None = None,
    s3_bucket: str | None = None,
    s3_key: str | None = None,
    image_uri: str | None = None,
    dry_run: bool = False,
    revision_id: str | None = None,
    publish: bool = False,
) -> dict[str, Any]:
    """Replace the code; running invocations keep the old one until they end.

    With Publish it is this code that the version has, and no other caller's: one transaction has both.
    """
    given = {"ZipFile": zip_file, "S3Bucket": s3_bucket, "S3Key": s3_key, "ImageUri": image_uri}
    names.latest_key(ctx, names.parse(ctx, function_name))
    present = await find(ctx, function_name)
    _check_revision(present, revision_id)
    archive = await sources.archive(ctx, {name: value for name, value in given.items() if value})
    code: dict[str, Any] = {
        "folder": new_folder(),
        "archive": await packages.digest_of(archive),
        "code_sha256": archives.sha256(archive),
        "code_size": len(archive),
    }
    folder = await unpacked(ctx, replace(present, **code), archive)
    if dry_run:
        await ctx.functions.discard(folder)
        return configuration(present)
    try:
        await attached_layers.check_size(ctx, replace(present, **code))
        update = _update(ctx, function_name, revision_id, lambda now: replace(now, **code), publish=publish)
        changed = await packages.written(ctx, archive, code["archive"], present.arn, update)
    except BaseException:
        await ctx.functions.discard(folder)
        raise
    answer = updating_response(await _ended(ctx, changed))
    await ctx.functions.discard(code_folder(ctx.config, changed.before))
    return answer


@operation(
    "lambda:UpdateFunctionConfiguration",
    resource=names.unqualified_arn,
    passes=[PassRole("role", sessions.SERVICE)],
    keys=settings.configuration_keys,
    also=attached_layers.permissions,
    ignores=("ephemeral_storage", "logging_config", "tracing_config"),
)
async def update_function_configuration(
    ctx: Context,
    *,
    function_name: str,
    role: str | None = None,
    handler: str | None = None,
    description: str | None = None,
    timeout: int | None = None,  # noqa: ASYNC109 (the function's)
    memory_size: int | None = None,
    environment: "EnvironmentTypeDef | None" = None,
    runtime: str | None = None,
    vpc_config: "VpcConfigTypeDef | None" = None,
    layers: Sequence[str] | None = None,
    revision_id: str | None = None,
    dead_letter_config: "DeadLetterConfigTypeDef | None" = None,
    snap_start: "SnapStartTypeDef | None" = None,
) -> dict[str, Any]:
    """Change the given fields and leave the others."""
    settings.refuse_snapshots(snap_start)
    strict = ctx.config.lambda_strict_runtime
    given = {
        "role": role,
        "handler": handler,
        "description": description,
        "timeout": None if timeout is None else settings.checked_timeout(timeout),
        "memory": None if memory_size is None else settings.checked_memory(memory_size),
        "environment": None if environment is None else settings.checked_variables(environment),
        "runtime": None if runtime is None else settings.checked_runtime(runtime, strict=strict),
        "network": settings.checked_network(vpc_config) if vpc_config else None,
    }
    names.latest_key(ctx, names.parse(ctx, function_name))
    present = await find(ctx, function_name)
    _check_revision(present, revision_id)
    if role is not None:
        await check_role(ctx, role, present.arn)
    changes: dict[str, Any] = without_none(**given)
    if layers is not None:
        changes |= await attached_layers.laid_out(ctx, present, await attached_layers.found(ctx, layers))
    if dead_letter_config is not None:
        target = changes["dead_letters"] = dead_letter_config.get("TargetArn") or None
        if target is not None:
            await destinations.check_dead_letters(ctx, role or present.role, present.arn, target)
    update = _update(ctx, function_name, revision_id, lambda now: replace(now, **changes))
    try:
        return updating_response(await _ended(ctx, await ctx.store.write(update)))
    except contents.NotWhole:  # a layer was deleted meanwhile
        raise refusals.being_updated(present.arn) from None


class _Changed(NamedTuple):
    """A function before and after, or the version of it that was published, and contents that nobody uses
    any more.
    """

    before: Function
    after: Function
    left: list[str]


def _update(
    ctx: Context,
    function_name: str,
    revision_id: str | None,
    change: Callable[[Function], Function],
    *,
    publish: bool = False,
) -> Callable[[Tx], _Changed]:
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)

    def write(tx: Tx) -> _Changed:
        present = existing(tx, key, named)
        _check_revision(present, revision_id)
        function = with_new_build(replace(change(present), modified=ctx.clock()))
        FUNCTIONS.put(tx, key, function)
        left = contents.use(tx, function.arn, function.contents)
        return _Changed(present, versions.publish(tx, function) if publish else function, left)

    return write


async def _ended(ctx: Context, changed: _Changed) -> Function:
    """End what ran with what the function was; the function as it is, or the version that was published."""
    await ctx.functions.retire(changed.before.arn)
    await contents.remove(ctx.store, changed.left)
    return changed.after


def _check_revision(function: Function, revision_id: str | None) -> None:
    if revision_id is not None and revision_id != function.revision:
        raise refusals.revision_differs()
