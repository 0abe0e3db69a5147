"""Applications and job runs as the API shows them. It reads nothing."""

from typing import Any

from passrole.members import without_none
from passrole.services.emr_serverless.records import IDLE_MINUTES, OVER, TIMEOUT_MINUTES, Application, JobRun

TYPE = "Spark"
_AUTO_START = {"enabled": True}
_AUTO_STOP = {"enabled": True, "idleTimeoutMinutes": IDLE_MINUTES}
_ARCHITECTURE = "X86_64"


def application(one: Application) -> dict[str, Any]:
    """GetApplication's application."""
    return {
        "architecture": _ARCHITECTURE,
        **one.asked,
        **without_none(applicationId=one.id, name=one.name),
        **_of_application(one),
        "autoStartConfiguration": {**_AUTO_START, **one.asked.get("autoStartConfiguration", {})},
        "autoStopConfiguration": {**_AUTO_STOP, **one.asked.get("autoStopConfiguration", {})},
        "tags": dict(one.tags),
    }


def application_summary(one: Application) -> dict[str, Any]:
    """One of ListApplications's applications."""
    architecture = one.asked.get("architecture", _ARCHITECTURE)
    return {**without_none(id=one.id, name=one.name), **_of_application(one), "architecture": architecture}


def _of_application(one: Application) -> dict[str, Any]:
    return {
        "arn": one.arn,
        "releaseLabel": one.release,
        "type": TYPE,
        "state": one.state,
        "stateDetails": one.details,
        "createdAt": one.created,
        "updatedAt": one.updated,
    }


def job_run(one: JobRun) -> dict[str, Any]:
    """GetJobRun's jobRun."""
    seconds = int(one.ended - one.started) if one.ended and one.started else None
    return {
        "executionTimeoutMinutes": TIMEOUT_MINUTES,
        **one.asked,
        **without_none(
            applicationId=one.application_id,
            jobRunId=one.id,
            startedAt=one.started,
            endedAt=one.ended,
            totalExecutionDurationSeconds=seconds if one.state in OVER else None,
        ),
        **_of_run(one),
        "attempt": one.attempt,
        "attemptCreatedAt": one.attempted,
        "attemptUpdatedAt": one.updated,
        "tags": dict(one.tags),
    }


def job_run_of_attempt(one: JobRun, number: int) -> dict[str, Any]:
    """GetJobRun's jobRun as it was in an attempt that has failed."""
    past = next(each for each in one.past if each["attempt"] == number)
    return {
        **job_run(one),
        "attempt": number,
        "state": past["state"],
        "stateDetails": past["stateDetails"],
        "attemptCreatedAt": past["createdAt"],
        "attemptUpdatedAt": past["updatedAt"],
    }


def job_run_summary(one: JobRun) -> dict[str, Any]:
    """One of ListJobRuns's jobRuns."""
    return {
        **without_none(applicationId=one.application_id, id=one.id, name=one.asked.get("name")),
        **_of_run(one),
        "type": TYPE,
        "attempt": one.attempt,
        "attemptCreatedAt": one.attempted,
        "attemptUpdatedAt": one.updated,
    }


def attempts(one: JobRun) -> list[dict[str, Any]]:
    """ListJobRunAttempts's jobRunAttempts, the newest first."""
    present = {
        "attempt": one.attempt,
        "state": one.state,
        "stateDetails": one.details,
        "createdAt": one.attempted,
        "updatedAt": one.updated,
    }
    common = {**job_run_summary(one), "jobCreatedAt": one.created}
    for member in ("attemptCreatedAt", "attemptUpdatedAt"):
        del common[member]
    return [{**common, **each} for each in (present, *reversed(one.past))]


def _of_run(one: JobRun) -> dict[str, Any]:
    return {
        "arn": one.arn,
        "createdBy": one.created_by,
        "createdAt": one.created,
        "updatedAt": one.updated,
        "executionRole": one.role,
        "state": one.state,
        "stateDetails": one.details,
        "releaseLabel": one.release,
        "mode": "BATCH",
    }
