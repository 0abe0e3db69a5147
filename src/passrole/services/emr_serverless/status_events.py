"""EMR Serverless's events of applications and job runs, in the forms of its user guide.

https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/using-eventbridge.html
"""

from collections.abc import Mapping
from typing import Any

from passrole import event_outbox, iso8601
from passrole.members import without_none
from passrole.services.emr_serverless.records import IDLE_MINUTES, Application, JobRun
from passrole.store import Tx

SOURCE = "aws.emr-serverless"
APPLICATION_CHANGE = "EMR Serverless Application State Change"
JOB_RUN_CHANGE = "EMR Serverless Job Run State Change"
JOB_RUN_RETRY = "EMR Serverless Job Run Retry"


def emit_application(tx: Tx, application: Application, at: float) -> None:
    """Emit the event of the application's present state."""
    auto_stop = application.asked.get("autoStopConfiguration", {})
    detail = without_none(
        applicationId=application.id,
        applicationName=application.name,
        arn=application.arn,
        releaseLabel=application.release,
        state=application.state,
        type="SPARK",
        createdAt=iso8601.microseconds(application.created),
        updatedAt=iso8601.microseconds(application.updated),
        autoStopConfig={
            "enabled": auto_stop.get("enabled", True),
            "idleTimeout": auto_stop.get("idleTimeoutMinutes", IDLE_MINUTES),
        },
        autoStartConfig={"enabled": application.starts_itself},
    )
    _emit(tx, application, APPLICATION_CHANGE, detail, at)


def emit_job_run(tx: Tx, run: JobRun, previous: str | None, at: float) -> None:
    """Emit the event of the job run's present state."""
    detail = {**_of_run(run), **without_none(state=run.state, previousState=previous)}
    _emit(tx, run, JOB_RUN_CHANGE, detail, at)


def emit_retry(tx: Tx, run: JobRun, at: float) -> None:
    """Emit the event of a new attempt."""
    last = run.past[-1]
    detail = {
        **_of_run(run),
        "previousAttempt": last["attempt"],
        "previousAttemptState": last["state"],
        "previousAttemptCreatedAt": iso8601.microseconds(last["createdAt"]),
        "previousAttemptEndedAt": iso8601.microseconds(last["updatedAt"]),
        "newAttempt": run.attempt,
        "newAttemptCreatedAt": iso8601.microseconds(run.attempted),
    }
    _emit(tx, run, JOB_RUN_RETRY, detail, at)


def _of_run(run: JobRun) -> dict[str, Any]:
    return without_none(
        jobRunId=run.id,
        jobRunName=run.asked.get("name"),
        applicationId=run.application_id,
        arn=run.arn,
        releaseLabel=run.release,
        createdBy=run.created_by,
        updatedAt=iso8601.microseconds(run.updated),
        createdAt=iso8601.microseconds(run.created),
    )


def _emit(tx: Tx, of: Application | JobRun, detail_type: str, detail: Mapping[str, Any], at: float) -> None:
    event_outbox.emit(
        tx,
        account=of.account,
        region=of.region,
        at=at,
        source=SOURCE,
        detail_type=detail_type,
        detail=detail,
    )
