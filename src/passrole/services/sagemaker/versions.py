"""Versions of a pipeline: the first is what CreatePipeline stored, every UpdatePipeline makes the next.

AWS does not say what a version holds. Here it is all that an update can change: the definition, the
role, the parallelism, the display name and the description. The newest one is the pipeline itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from passrole.faults import Fault
from passrole.history import definitions
from passrole.members import without_none
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.pages import wanted_rows
from passrole.services.sagemaker.paging import PAGE_MAX, PAGES, SortOrder, is_between
from passrole.services.sagemaker.records import Pipeline, find, pipeline_arn, require
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Version:
    """A document of the store. `last_execution` is the ARN of the one that was started last, if any was.

    `name` and `note` are the version's own, `display_name` and `description` the pipeline's at the time.
    """

    number: int
    created: float
    created_by: Mapping[str, Any]
    definition: str
    role_arn: str
    display_name: str | None = None
    description: str | None = None
    parallelism: Mapping[str, Any] | None = None
    name: str | None = None
    note: str | None = None
    last_execution: str | None = None
    aliases: Sequence[str] = ()


@dataclass(frozen=True)
class VersionSelector:
    """The version that a call names: by number, by alias, or the newest."""

    number: int | None = None
    alias: str | None = None


ALIASES_MAX = 10
"""Of one version: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AliasOperations.html."""

VERSIONS = Collection("pipeline_version", Version)


async def version_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition key of a call that names a version; an alias stands for the number that it names now."""
    number = parameters.get("pipeline_version_id")
    alias = parameters.get("pipeline_version_alias")
    if number is None and alias is not None:
        number = await ctx.store.read(lambda tx: _number_of(tx, ctx, str(parameters["pipeline_name"]), alias))
    return {} if number is None else {"sagemaker:PipelineVersionId": str(number)}


def record(tx: Tx, ctx: Context, pipeline: Pipeline) -> None:
    """Store the pipeline as its newest version."""
    version = Version(
        number=pipeline.version,
        created=pipeline.modified,
        created_by=pipeline.modified_by,
        definition=pipeline.definition,
        role_arn=pipeline.role_arn,
        display_name=pipeline.display_name,
        description=pipeline.description,
        parallelism=pipeline.parallelism,
    )
    _put(tx, ctx, pipeline, version)


def require_version(tx: Tx, ctx: Context, pipeline: Pipeline, wanted: VersionSelector) -> Version:
    """The version that is wanted. Raises ResourceNotFound; ValidationException for number and alias."""
    number, alias = wanted.number, wanted.alias
    if number is not None and alias is not None:
        raise Fault(
            "ValidationException", "PipelineVersionId and PipelineVersionAlias cannot both be specified."
        )
    if alias is not None:
        found, named = _by_alias(tx, ctx, pipeline, alias), f"with alias {alias}"
    else:
        found = VERSIONS.get(tx, _key(ctx, pipeline, pipeline.version if number is None else number))
        named = str(number)
    if found is None:
        message = f"Pipeline version {named} of pipeline with name {pipeline.name} does not exist."
        raise Fault("ResourceNotFound", message)
    return found


def aliases_of(tx: Tx, ctx: Context, pipeline: Pipeline, number: int) -> list[str] | None:
    """The aliases that a version has now; None where it has none, as answers leave the member out."""
    found = VERSIONS.get(tx, _key(ctx, pipeline, number))
    return list(found.aliases) if found and found.aliases else None


def as_of(pipeline: Pipeline, version: Version) -> Pipeline:
    """The pipeline as it was in this version; its tags are today's."""
    return replace(
        pipeline,
        version=version.number,
        modified=version.created,
        modified_by=version.created_by,
        definition=version.definition,
        role_arn=version.role_arn,
        display_name=version.display_name,
        description=version.description,
        parallelism=version.parallelism,
    )


def note_execution(tx: Tx, ctx: Context, pipeline: Pipeline, version: Version, execution: str) -> None:
    """Keep the ARN of the execution that was started last."""
    _put(tx, ctx, pipeline, replace(version, last_execution=execution))


def delete_all(tx: Tx, ctx: Context, pipeline: Pipeline) -> None:
    """Remove the versions of a pipeline that goes, and what only they define."""
    found = VERSIONS.children(tx, ctx.key(pipeline.name))
    for key, _ in found:
        VERSIONS.delete(tx, key)
    definitions.let_go(tx, [version.definition for _, version in found], pipeline.arn)


@operation("sagemaker:ListPipelineVersions", resource=pipeline_arn)
async def list_pipeline_versions(
    ctx: Context,
    *,
    pipeline_name: str,
    created_after: float | None = None,
    created_before: float | None = None,
    sort_order: SortOrder = "Descending",
    next_token: str | None = None,
    max_results: int = PAGE_MAX,
) -> dict[str, Any]:
    """A pipeline's versions, newest first: the SDK takes the first one for the latest."""
    after = PAGES.position(next_token, int)
    descending = sort_order == "Descending"

    def page(tx: Tx) -> dict[str, Any]:
        pipeline = require(tx, ctx, pipeline_name)
        parent = ctx.key(pipeline.name)
        found = wanted_rows(
            lambda after, limit: VERSIONS.children(
                tx, parent, after=after, limit=limit, descending=descending
            ),
            lambda version: is_between(version.created, created_after, created_before),
            after="" if after is None else _key(ctx, pipeline, after[0]),
            limit=max_results + 1,
        )
        shown, more = PAGES.page(found, max_results, lambda version: (version.number,))
        return {"PipelineVersionSummaries": [_summary(pipeline, version) for version in shown], **more}

    return await ctx.store.read(page)


@operation("sagemaker:UpdatePipelineVersion", resource=pipeline_arn, keys=version_keys)
async def update_pipeline_version(
    ctx: Context,
    *,
    pipeline_arn: str,
    pipeline_version_id: int,
    pipeline_version_display_name: str | None = None,
    pipeline_version_description: str | None = None,
    pipeline_version_alias_operations: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Name or describe a version and change its aliases; what it holds never changes."""

    def update(tx: Tx) -> dict[str, Any]:
        pipeline = require(tx, ctx, pipeline_arn)
        version = require_version(tx, ctx, pipeline, VersionSelector(number=pipeline_version_id))
        given = without_none(name=pipeline_version_display_name, note=pipeline_version_description)
        if pipeline_version_alias_operations is not None:
            given["aliases"] = _changed_aliases(tx, ctx, pipeline, version, pipeline_version_alias_operations)
        _put(tx, ctx, pipeline, replace(version, **given))
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": version.number}

    return await ctx.store.write(update)


def _summary(pipeline: Pipeline, version: Version) -> dict[str, Any]:
    return without_none(
        PipelineArn=pipeline.arn,
        PipelineVersionId=version.number,
        CreationTime=version.created,
        PipelineVersionDisplayName=version.name,
        PipelineVersionDescription=version.note,
        LastExecutionPipelineExecutionArn=version.last_execution,
        PipelineVersionAliases=list(version.aliases) or None,
    )


def _changed_aliases(
    tx: Tx, ctx: Context, pipeline: Pipeline, version: Version, operations: Mapping[str, Sequence[str]]
) -> Sequence[str]:
    """The version's aliases afterwards. Raises ValidationException and ConflictException.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AliasOperations.html
    """
    add, remove = operations.get("Add", ()), operations.get("Remove", ())
    for alias in add:
        if alias in remove:
            raise Fault("ValidationException", f"Alias {alias} cannot be both added and removed.")
        holder = _by_alias(tx, ctx, pipeline, alias)
        if holder is not None and holder.number != version.number:
            message = f"Alias {alias} is already assigned to pipeline version {holder.number}."
            raise Fault("ConflictException", message)
    aliases = [alias for alias in dict.fromkeys([*version.aliases, *add]) if alias not in remove]
    if len(aliases) > ALIASES_MAX:
        raise Fault("ValidationException", f"A pipeline version can have up to {ALIASES_MAX} aliases.")
    return aliases


def _number_of(tx: Tx, ctx: Context, name_or_arn: str, alias: str) -> int | None:
    pipeline = find(tx, ctx, name_or_arn)
    found = _by_alias(tx, ctx, pipeline, alias) if pipeline else None
    return found.number if found else None


def _by_alias(tx: Tx, ctx: Context, pipeline: Pipeline, alias: str) -> Version | None:
    versions = (version for _, version in VERSIONS.children(tx, ctx.key(pipeline.name)))
    return next((version for version in versions if alias in version.aliases), None)


def _key(ctx: Context, pipeline: Pipeline, number: int) -> str:
    # As wide as a long, so that keys sort as numbers do.
    return VERSIONS.child(ctx.key(pipeline.name), f"{number:019}")


def _put(tx: Tx, ctx: Context, pipeline: Pipeline, version: Version) -> None:
    VERSIONS.put(tx, _key(ctx, pipeline, version.number), version)
