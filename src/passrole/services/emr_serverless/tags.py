"""Tags of applications and job runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.services.context import Context
from passrole.services.emr_serverless import refusals
from passrole.services.emr_serverless.records import APPLICATIONS, RUNS, TAGS, Application, JobRun
from passrole.services.operation import Parameters, operation
from passrole.services.tags import Tags, removed_keys
from passrole.store import Tx

_APPLICATIONS, _RUNS = "/applications/", "/jobruns/"


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the application or job run with an ARN; none where there is none."""
    found = await ctx.store.read(lambda tx: _find(tx, ctx, arn))
    return found.tags if found else {}


def _resource(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["resource_arn"])


@operation("emr-serverless:TagResource", resource=_resource, keys=TAGS.checked_request_keys)
async def tag_resource(ctx: Context, *, resource_arn: str, tags: Tags) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    return await _change(ctx, resource_arn, lambda present: TAGS.added(present, tags))


@operation("emr-serverless:UntagResource", resource=_resource, keys=removed_keys)
async def untag_resource(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; unknown keys are ignored."""
    return await _change(ctx, resource_arn, lambda present: TAGS.removed(present, tag_keys))


@operation("emr-serverless:ListTagsForResource", resource=_resource)
async def list_tags_for_resource(ctx: Context, *, resource_arn: str) -> dict[str, Any]:
    """The tags of an application or a job run."""
    found = await ctx.store.read(lambda tx: _require(tx, ctx, resource_arn))
    return {"tags": dict(found.tags)}


async def _change(ctx: Context, arn: str, change: Callable[[Tags], dict[str, str]]) -> dict[str, Any]:
    def write(tx: Tx) -> None:
        found = _require(tx, ctx, arn)
        if isinstance(found, Application):
            APPLICATIONS.put(tx, found.key, replace(found, tags=change(found.tags)))
        else:
            RUNS.put(tx, found.key, replace(found, tags=change(found.tags)))

    await ctx.store.write(write)
    return {}


def _require(tx: Tx, ctx: Context, arn: str) -> Application | JobRun:
    found = _find(tx, ctx, arn)
    if found is None:
        raise refusals.no_resource(arn)
    return found


def _find(tx: Tx, ctx: Context, arn: str) -> Application | JobRun | None:
    parsed = arns.parse(arn)
    if parsed is None or (parsed.account, parsed.region) != ctx.location:
        return None
    application_id, _, run_id = parsed.resource.removeprefix(_APPLICATIONS).partition(_RUNS)
    if "/" in application_id or "/" in run_id:
        return None
    key = ctx.key(application_id)
    return RUNS.get(tx, RUNS.child(key, run_id)) if run_id else APPLICATIONS.get(tx, key)
