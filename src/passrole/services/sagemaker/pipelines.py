"""CreatePipeline, UpdatePipeline, DescribePipeline, DeletePipeline, ListPipelines.

Creating a pipeline does not check that its functions and queues exist.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.history import definitions, executions, stubs
from passrole.members import without_none
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters, PassRole, operation
from passrole.services.pages import wanted_rows
from passrole.services.sagemaker import versions
from passrole.services.sagemaker.client_request_tokens import Request, once
from passrole.services.sagemaker.definition_sources import definition_text
from passrole.services.sagemaker.paging import PAGE_MAX, PAGES, SortOrder, is_between
from passrole.services.sagemaker.records import PIPELINES, Pipeline, pipeline_arn, require, user_context
from passrole.services.sagemaker.roles import SERVICE, check_role
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Tx

_VALIDATION = "sagemaker-pipeline-validation"  # like the sessions of steps, which a trust policy may name


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": "CreatePipeline"}


@operation(
    "sagemaker:CreatePipeline",
    resource=pipeline_arn,
    passes=[PassRole("role_arn", SERVICE)],
    keys=TAGS.request_keys,
    also=tagging("sagemaker:AddTags", pipeline_arn, _tag_keys),
)
async def create_pipeline(
    ctx: Context,
    *,
    pipeline_name: str,
    client_request_token: str,
    role_arn: str,
    pipeline_display_name: str | None = None,
    pipeline_definition: str | None = None,
    pipeline_definition_s3_location: Mapping[str, str] | None = None,
    pipeline_description: str | None = None,
    tags: TagList = (),
    parallelism_configuration: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Create a pipeline under a new name."""
    text = await definition_text(
        ctx, pipeline_definition, pipeline_definition_s3_location, await _stubbed(ctx, pipeline_name)
    )
    if text is None:
        raise Fault(
            "ValidationException", "Either PipelineDefinition or PipelineDefinitionS3Location is needed."
        )
    await _validate_role(ctx, pipeline_name, role_arn)
    now, user = ctx.clock(), user_context(ctx.principal)
    pipeline = Pipeline(
        name=pipeline_name,
        arn=arns.pipeline(ctx.region, ctx.account, pipeline_name),
        definition="",
        role_arn=role_arn,
        created=now,
        modified=now,
        created_by=user,
        modified_by=user,
        display_name=pipeline_display_name,
        description=pipeline_description,
        parallelism=parallelism_configuration,
        tags=TAGS.read(tags),
    )
    unstamped = replace(pipeline, created=0, modified=0)
    request = Request("CreatePipeline", client_request_token, {"pipeline": unstamped, "text": text})
    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: _create(tx, ctx, pipeline, text)))


@operation("sagemaker:UpdatePipeline", resource=pipeline_arn, passes=[PassRole("role_arn", SERVICE)])
async def update_pipeline(
    ctx: Context,
    *,
    pipeline_name: str,
    pipeline_display_name: str | None = None,
    pipeline_definition: str | None = None,
    pipeline_definition_s3_location: Mapping[str, str] | None = None,
    pipeline_description: str | None = None,
    role_arn: str | None = None,
    parallelism_configuration: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Change the given fields; running executions keep what they began with."""
    text = await definition_text(
        ctx, pipeline_definition, pipeline_definition_s3_location, await _stubbed(ctx, pipeline_name)
    )
    if role_arn is not None:
        await _validate_role(ctx, pipeline_name, role_arn)
    given = {
        "display_name": pipeline_display_name,
        "description": pipeline_description,
        "role_arn": role_arn,
        "parallelism": parallelism_configuration,
    }
    changes = without_none(**given)
    return await ctx.store.write(lambda tx: _update(tx, ctx, pipeline_name, text, changes))


@operation("sagemaker:DescribePipeline", resource=pipeline_arn, keys=versions.version_keys)
async def describe_pipeline(
    ctx: Context,
    *,
    pipeline_name: str,
    pipeline_version_id: int | None = None,
    pipeline_version_alias: str | None = None,
) -> dict[str, Any]:
    """Everything about a pipeline, its definition included, as it is now or was in a version."""
    wanted = versions.VersionSelector(pipeline_version_id, pipeline_version_alias)

    def describe(tx: Tx) -> dict[str, Any]:
        pipeline = require(tx, ctx, pipeline_name)
        version = versions.require_version(tx, ctx, pipeline, wanted)
        return _description(tx, versions.as_of(pipeline, version), version)

    return await ctx.store.read(describe)


@operation("sagemaker:DeletePipeline", resource=pipeline_arn)
async def delete_pipeline(ctx: Context, *, pipeline_name: str, client_request_token: str) -> dict[str, Any]:
    """Remove the pipeline and its executions, unless one of them runs."""
    request = Request("DeletePipeline", client_request_token, {"pipeline_name": pipeline_name})
    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: _delete(tx, ctx, pipeline_name)))


@operation("sagemaker:ListPipelines")
async def list_pipelines(
    ctx: Context,
    *,
    pipeline_name_prefix: str = "",
    created_after: float | None = None,
    created_before: float | None = None,
    sort_by: str = "CreationTime",
    sort_order: SortOrder = "Descending",
    next_token: str | None = None,
    max_results: int = PAGE_MAX,
) -> dict[str, Any]:
    """Pipelines of the caller's account and region, newest first."""
    after = PAGES.position(next_token, *_SORT_KINDS[sort_by])
    descending = sort_order == "Descending"

    def wanted(pipeline: Pipeline) -> bool:
        return is_between(pipeline.created, created_after, created_before)

    def page(tx: Tx) -> dict[str, Any]:
        if sort_by == "Name":
            found = _by_name(tx, ctx, pipeline_name_prefix, wanted, after, descending, max_results + 1)
        else:
            found = _by_time(tx, ctx, pipeline_name_prefix, wanted, after, descending)
        shown, more = PAGES.page(found, max_results, _SORT_KEYS[sort_by])
        return {"PipelineSummaries": [_summary(tx, each) for each in shown], **more}

    return await ctx.store.read(page)


def described(tx: Tx, pipeline: Pipeline) -> dict[str, Any]:
    """The pipeline as Describe and Search show it, without its definition and version."""
    return without_none(
        PipelineArn=pipeline.arn,
        PipelineName=pipeline.name,
        PipelineDisplayName=_display_name(pipeline),
        PipelineDescription=pipeline.description,
        RoleArn=pipeline.role_arn,
        PipelineStatus="Active",
        CreationTime=pipeline.created,
        LastModifiedTime=pipeline.modified,
        LastRunTime=executions.last_started(tx, pipeline.arn),
        CreatedBy=pipeline.created_by,
        LastModifiedBy=pipeline.modified_by,
        ParallelismConfiguration=pipeline.parallelism,
    )


async def _stubbed(ctx: Context, name: str) -> frozenset[str]:
    """The steps for which something is to stand when the pipeline is started next."""
    arn = arns.pipeline(ctx.region, ctx.account, name)
    return await ctx.store.read(lambda tx: stubs.names(tx, arn, ctx.clock()))


async def _validate_role(ctx: Context, name_or_arn: str, role_arn: str) -> None:
    """It asks as it will for an execution: the trust policies of the guide name `pipeline/<name>/*` as
    aws:SourceArn, which no pipeline's own ARN is like.

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    execution = f"{pipeline_arn(ctx, {'pipeline_name': name_or_arn})}/execution/*"
    await check_role(ctx, role_arn, _VALIDATION, execution)


def _create(tx: Tx, ctx: Context, pipeline: Pipeline, text: str) -> dict[str, Any]:
    pipeline = replace(pipeline, definition=definitions.keep(tx, text, owner=pipeline.arn))
    if not PIPELINES.add(tx, ctx.key(pipeline.name), pipeline):
        # Both generations of the SDK turn CreatePipeline into UpdatePipeline by parts of this sentence.
        message = (
            "Pipeline names must be unique within an AWS account and region. "
            f"Pipeline with name ({pipeline.name}) already exists."
        )
        raise Fault("ValidationException", message)
    versions.record(tx, ctx, pipeline)
    return {"PipelineArn": pipeline.arn}


def _update(tx: Tx, ctx: Context, name: str, text: str | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    before = require(tx, ctx, name)
    pipeline = replace(
        before,
        definition=before.definition if text is None else definitions.keep(tx, text, owner=before.arn),
        modified=ctx.clock(),
        modified_by=user_context(ctx.principal),
        version=before.version + 1,
        **changes,
    )
    PIPELINES.put(tx, ctx.key(before.name), pipeline)
    versions.record(tx, ctx, pipeline)
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": pipeline.version}


def _delete(tx: Tx, ctx: Context, name: str) -> dict[str, Any]:
    pipeline = require(tx, ctx, name)
    if executions.any_running(tx, pipeline.arn):
        message = f"Pipeline with name {pipeline.name} has executions that are running; stop them first."
        raise Fault("ConflictException", message)
    executions.delete_all(tx, pipeline.arn)
    versions.delete_all(tx, ctx, pipeline)
    stubs.delete_all(tx, pipeline.arn)
    PIPELINES.delete(tx, ctx.key(pipeline.name))
    return {"PipelineArn": pipeline.arn}


def _description(tx: Tx, pipeline: Pipeline, version: versions.Version) -> dict[str, Any]:
    return described(tx, pipeline) | without_none(
        PipelineDefinition=definitions.text_of(tx, pipeline.definition),
        PipelineVersionDisplayName=version.name,
        PipelineVersionDescription=version.note,
        PipelineVersionAliases=list(version.aliases) or None,
    )


def _summary(tx: Tx, pipeline: Pipeline) -> dict[str, Any]:
    return without_none(
        PipelineArn=pipeline.arn,
        PipelineName=pipeline.name,
        PipelineDisplayName=_display_name(pipeline),
        PipelineDescription=pipeline.description,
        RoleArn=pipeline.role_arn,
        CreationTime=pipeline.created,
        LastModifiedTime=pipeline.modified,
        LastExecutionTime=executions.last_started(tx, pipeline.arn),
    )


def _display_name(pipeline: Pipeline) -> str:
    """AWS answers with the pipeline's name where none was given (the SDK's recorded answers)."""
    return pipeline.name if pipeline.display_name is None else pipeline.display_name


def _by_name(
    tx: Tx,
    ctx: Context,
    prefix: str,
    wanted: Callable[[Pipeline], bool],
    after: tuple[Any, ...] | None,
    descending: bool,
    limit: int,
) -> Sequence[Pipeline]:
    return wanted_rows(
        lambda after, limit: PIPELINES.within(
            tx, *ctx.location, begins=prefix, after=after, limit=limit, descending=descending
        ),
        wanted,
        after="" if after is None else ctx.key(after[0]),
        limit=limit,
    )


def _by_time(
    tx: Tx,
    ctx: Context,
    prefix: str,
    wanted: Callable[[Pipeline], bool],
    after: tuple[Any, ...] | None,
    descending: bool,
) -> Sequence[Pipeline]:
    key = _SORT_KEYS["CreationTime"]
    rows = [each for _, each in PIPELINES.within(tx, *ctx.location, begins=prefix) if wanted(each)]
    rows.sort(key=key, reverse=descending)
    if after is None:
        return rows
    return [each for each in rows if (key(each) < after if descending else key(each) > after)]


_SORT_KINDS: Mapping[str, tuple[type, ...]] = {"Name": (str,), "CreationTime": (float, str)}
_SORT_KEYS: Mapping[str, Any] = {
    "Name": lambda pipeline: (pipeline.name,),
    "CreationTime": lambda pipeline: (pipeline.created, pipeline.name),
}
