"""Job runs: started, described, listed, cancelled; their attempts."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole import ids
from passrole.services.context import Context
from passrole.services.emr_serverless import commands, lifecycle, refusals, shapes
from passrole.services.emr_serverless.paging import PAGE_ITEMS, page
from passrole.services.emr_serverless.records import (
    GRACE_SECONDS,
    OVER,
    RUN_TOKENS,
    RUNS,
    STARTED,
    TAGS,
    Application,
    JobRun,
    RunToken,
    require_application,
    require_job_run,
    require_living,
    the_application,
    the_job_run,
)
from passrole.services.operation import PassRole, operation
from passrole.services.tags import Tags, tagging
from passrole.store import Tx

SERVICE = "emr-serverless.amazonaws.com"
_BATCH = "BATCH"


@operation(
    "emr-serverless:StartJobRun",
    resource=the_application,
    passes=(PassRole("execution_role_arn", SERVICE),),
    keys=TAGS.checked_request_keys,
    also=tagging("emr-serverless:TagResource", the_application, TAGS.checked_request_keys),
    keeps=("name", "jobDriver", "configurationOverrides", "executionTimeoutMinutes", "mode", "retryPolicy"),
)
async def start_job_run(
    ctx: Context,
    *,
    application_id: str,
    client_token: str,
    execution_role_arn: str,
    kept: Mapping[str, Any],
    tags: Tags | None = None,
) -> dict[str, Any]:
    """Submit a job run. The same token again is the same job run. Raises ConflictException,
    ResourceNotFoundException, ValidationException.
    """
    _check(kept)
    now, tagged = ctx.clock(), TAGS.added({}, tags or {})

    def submit(tx: Tx) -> JobRun:
        application = require_living(tx, ctx, application_id)
        token_key = RUN_TOKENS.child(application.key, client_token)
        used = RUN_TOKENS.get(tx, token_key)
        if used is not None:
            present = require_job_run(tx, ctx, application_id, used.job_run_id)
            if (present.role, present.asked) != (execution_role_arn, kept):
                raise refusals.other_request(client_token)
            return present
        if application.state != STARTED and not application.starts_itself:
            raise refusals.not_started(application_id, application.state)
        run = _run(ctx, application, client_token, execution_role_arn, kept, tagged, now)
        RUN_TOKENS.put(tx, token_key, RunToken(run.id))
        lifecycle.submit(tx, application, run)
        return run

    run = await ctx.store.write(submit)
    return {"applicationId": application_id, "jobRunId": run.id, "arn": run.arn}


@operation("emr-serverless:GetJobRun", resource=the_job_run)
async def get_job_run(
    ctx: Context, *, application_id: str, job_run_id: str, attempt: int | None = None
) -> dict[str, Any]:
    """Everything about a job run, or about one of its attempts."""
    run = await ctx.store.read(lambda tx: require_job_run(tx, ctx, application_id, job_run_id))
    if attempt in (None, run.attempt):
        return {"jobRun": shapes.job_run(run)}
    if attempt is None or attempt > run.attempt:
        raise refusals.invalid(f"Job run {job_run_id} has no attempt {attempt}.")
    return {"jobRun": shapes.job_run_of_attempt(run, attempt)}


@operation("emr-serverless:ListJobRuns", resource=the_application)
async def list_job_runs(
    ctx: Context,
    *,
    application_id: str,
    states: Sequence[str] = (),
    mode: str = _BATCH,
    created_at_after: float | None = None,
    created_at_before: float | None = None,
    next_token: str | None = None,
    max_results: int = PAGE_ITEMS,
) -> dict[str, Any]:
    """The job runs of an application, newest first."""

    def find(tx: Tx) -> list[JobRun]:
        application = require_application(tx, ctx, application_id)
        return [run for _, run in RUNS.children(tx, application.key)]

    wanted = [
        run
        for run in await ctx.store.read(find)
        if (not states or run.state in states)
        and mode == _BATCH
        and (created_at_after is None or run.created >= created_at_after)
        and (created_at_before is None or run.created <= created_at_before)
    ]
    wanted.sort(key=lambda run: (run.created, run.id), reverse=True)
    return page("jobRuns", wanted, lambda run: run.id, shapes.job_run_summary, next_token, max_results)


@operation("emr-serverless:ListJobRunAttempts", resource=the_job_run)
async def list_job_run_attempts(
    ctx: Context,
    *,
    application_id: str,
    job_run_id: str,
    next_token: str | None = None,
    max_results: int = PAGE_ITEMS,
) -> dict[str, Any]:
    """The attempts of a job run, newest first."""
    run = await ctx.store.read(lambda tx: require_job_run(tx, ctx, application_id, job_run_id))
    rows = shapes.attempts(run)
    return page(
        "jobRunAttempts", rows, lambda row: str(row["attempt"]), lambda row: row, next_token, max_results
    )


@operation("emr-serverless:CancelJobRun", resource=the_job_run)
async def cancel_job_run(
    ctx: Context,
    *,
    application_id: str,
    job_run_id: str,
    shutdown_grace_period_in_seconds: int = GRACE_SECONDS,
) -> dict[str, Any]:
    """Ask a job run to end. Raises ValidationException where it is over."""

    def cancel(tx: Tx) -> None:
        run = require_job_run(tx, ctx, application_id, job_run_id)
        if run.state in OVER:
            raise refusals.job_run_is_over(job_run_id, run.state)
        lifecycle.cancel(tx, run, ctx.clock(), float(shutdown_grace_period_in_seconds))

    await ctx.store.write(cancel)
    return {"applicationId": application_id, "jobRunId": job_run_id}


def _run(
    ctx: Context,
    application: Application,
    token: str,
    role: str,
    kept: Mapping[str, Any],
    tags: Mapping[str, str],
    now: float,
) -> JobRun:
    return JobRun(
        application=application.key,
        account=ctx.account,
        region=ctx.region,
        application_id=application.id,
        id=ids.serverless_id(),
        created=now,
        updated=now,
        created_by=ctx.principal.arn,
        role=role,
        release=application.release,
        token=token,
        asked=kept,
        runtime=application.asked.get("runtimeConfiguration", ()),
        monitoring=application.asked.get("monitoringConfiguration", {}),
        attempted=now,
        tags=tags,
    )


def _check(kept: Mapping[str, Any]) -> None:
    """Refuse what cannot be run here. Raises ValidationException."""
    driver = kept.get("jobDriver") or {}
    if "hive" in driver:
        advice = "its job runs are Spark's; use jobDriver.sparkSubmit"
        raise refusals.unsupported("job runs of Hive", advice)
    if "sparkSubmit" not in driver:
        raise refusals.invalid("jobDriver must have the member sparkSubmit.")
    if kept.get("mode", _BATCH) != _BATCH:
        raise refusals.unsupported(f"the mode {kept['mode']}", f"its job runs are of the mode {_BATCH}")
    if kept.get("executionTimeoutMinutes") == 0:
        raise refusals.invalid("executionTimeoutMinutes must be at least 1 for job runs of the mode BATCH.")
    try:
        commands.spark_submit(driver)
    except ValueError as error:
        raise refusals.invalid(f"sparkSubmitParameters cannot be read: {error}") from error
