"""Applications: made, described, listed, changed, started, stopped, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import ids
from passrole.services.context import Context
from passrole.services.emr_serverless import lifecycle, refusals, shapes
from passrole.services.emr_serverless.paging import PAGE_ITEMS, page
from passrole.services.emr_serverless.records import (
    APPLICATIONS,
    CREATED,
    STARTED,
    STOPPED,
    TAGS,
    TERMINATED,
    Application,
    active_runs,
    every_application,
    require_application,
    require_living,
    the_application,
)
from passrole.services.operation import operation
from passrole.services.tags import Tags, tagging
from passrole.store import Tx

_AT_REST = (STOPPED, CREATED)
_CONFIGURATIONS = (
    "architecture",
    "autoStartConfiguration",
    "autoStopConfiguration",
    "imageConfiguration",
    "initialCapacity",
    "maximumCapacity",
    "monitoringConfiguration",
    "networkConfiguration",
    "runtimeConfiguration",
    "schedulerConfiguration",
    "workerTypeSpecifications",
)
_TYPE = "type"


@operation(
    "emr-serverless:CreateApplication",
    resource=every_application,
    keys=TAGS.checked_request_keys,
    also=tagging("emr-serverless:TagResource", every_application, TAGS.checked_request_keys),
    keeps=(_TYPE, *_CONFIGURATIONS),
)
async def create_application(
    ctx: Context,
    *,
    release_label: str,
    client_token: str,
    kept: Mapping[str, Any],
    name: str | None = None,
    tags: Tags | None = None,
) -> dict[str, Any]:
    """Make an application. The same token again is the same application. Raises ConflictException,
    ValidationException.
    """
    _check_type(str(kept[_TYPE]))
    asked = {member: value for member, value in kept.items() if member != _TYPE}
    now = ctx.clock()
    application = Application(
        account=ctx.account,
        region=ctx.region,
        id=ids.serverless_id(),
        name=name,
        release=release_label,
        created=now,
        updated=now,
        token=client_token,
        asked=asked,
        tags=TAGS.added({}, tags or {}),
    )

    def create(tx: Tx) -> Application:
        for _, present in APPLICATIONS.within(tx, *ctx.location):
            if present.token == client_token:
                if _request(present) != _request(application):
                    raise refusals.other_request(client_token)
                return present
        lifecycle.create(tx, application)
        return application

    made = await ctx.store.write(create)
    named = {} if made.name is None else {"name": made.name}
    return {"applicationId": made.id, "arn": made.arn, **named}


@operation("emr-serverless:GetApplication", resource=the_application)
async def get_application(ctx: Context, *, application_id: str) -> dict[str, Any]:
    """Everything about an application, also one that was deleted."""
    found = await ctx.store.read(lambda tx: require_application(tx, ctx, application_id))
    return {"application": shapes.application(found)}


@operation("emr-serverless:ListApplications", resource=every_application)
async def list_applications(
    ctx: Context,
    *,
    states: Sequence[str] = (),
    next_token: str | None = None,
    max_results: int = PAGE_ITEMS,
) -> dict[str, Any]:
    """Applications, newest first; those that were deleted only where their state is asked for."""
    found = await ctx.store.read(lambda tx: [each for _, each in APPLICATIONS.within(tx, *ctx.location)])
    wanted = [each for each in found if (each.state in states if states else each.state != TERMINATED)]
    wanted.sort(key=lambda each: (each.created, each.id), reverse=True)
    summary = shapes.application_summary
    return page("applications", wanted, lambda each: each.id, summary, next_token, max_results)


@operation(
    "emr-serverless:UpdateApplication",
    resource=the_application,
    ignores=("client_token",),
    keeps=_CONFIGURATIONS,
)
async def update_application(
    ctx: Context, *, application_id: str, kept: Mapping[str, Any], release_label: str | None = None
) -> dict[str, Any]:
    """Change the configurations that are given. Raises ValidationException while it is started."""

    def update(tx: Tx) -> Application:
        present = require_living(tx, ctx, application_id)
        if present.state not in _AT_REST:
            raise refusals.not_to_be_updated(application_id, _AT_REST, present.state)
        changed = replace(
            present,
            asked={**present.asked, **kept},
            release=release_label or present.release,
            updated=ctx.clock(),
        )
        APPLICATIONS.put(tx, changed.key, changed)
        return changed

    return {"application": shapes.application(await ctx.store.write(update))}


@operation("emr-serverless:StartApplication", resource=the_application)
async def start_application(ctx: Context, *, application_id: str) -> dict[str, Any]:
    """Start an application; one that is started stays so."""

    def begin(tx: Tx) -> None:
        present = require_living(tx, ctx, application_id)
        if present.state != STARTED:
            lifecycle.start(tx, present, ctx.clock())

    await ctx.store.write(begin)
    return {}


@operation("emr-serverless:StopApplication", resource=the_application)
async def stop_application(ctx: Context, *, application_id: str) -> dict[str, Any]:
    """Stop an application whose job runs are over. Raises ValidationException."""

    def end(tx: Tx) -> None:
        present = require_living(tx, ctx, application_id)
        if present.state != STARTED:
            raise refusals.cannot_be("STOPPED", ("STARTING", STARTED))
        if active_runs(tx, present.key):
            raise refusals.has_job_runs(application_id)
        lifecycle.stop(tx, present, ctx.clock())

    await ctx.store.write(end)
    return {}


@operation("emr-serverless:DeleteApplication", resource=the_application)
async def delete_application(ctx: Context, *, application_id: str) -> dict[str, Any]:
    """Delete an application that is not started. Raises ValidationException."""

    def delete(tx: Tx) -> None:
        present = require_living(tx, ctx, application_id)
        if present.state not in _AT_REST:
            raise refusals.cannot_be("TERMINATED", _AT_REST)
        lifecycle.terminate(tx, present, ctx.clock())

    await ctx.store.write(delete)
    return {}


def _check_type(type_: str) -> None:
    if type_.upper() != "SPARK":
        advice = "its applications run Spark; use the type SPARK"
        raise refusals.unsupported(f"applications of the type {type_}", advice)


def _request(application: Application) -> tuple[Any, ...]:
    return application.name, application.release, application.asked, application.tags
