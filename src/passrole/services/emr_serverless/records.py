"""Applications and their job runs as they are kept, and how a call finds the one that it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Account, Region, resource_key
from passrole.services.context import Context
from passrole.services.emr_serverless import refusals
from passrole.services.operation import Parameters
from passrole.services.tags import TAGS_MAX, TagRules
from passrole.store import Collection, Tx

CHANNEL = "emr-serverless"
"""Its notices are keys of applications and job runs for which there is something to do."""

ENDS = "emr-serverless-ends"
"""Its notices are the ARNs of job runs that have ended."""

CREATED, STARTED, STOPPED, TERMINATED = "CREATED", "STARTED", "STOPPED", "TERMINATED"
SUBMITTED, QUEUED, RUNNING, CANCELLING = "SUBMITTED", "QUEUED", "RUNNING", "CANCELLING"
SUCCESS, FAILED, CANCELLED = "SUCCESS", "FAILED", "CANCELLED"
WAITING = (SUBMITTED, QUEUED)
OVER = (SUCCESS, FAILED, CANCELLED)

TIMEOUT_MINUTES = 720
IDLE_MINUTES = 15
GRACE_SECONDS = 120

TAGS = TagRules(
    reserved=refusals.invalid,
    too_many=lambda _, __: refusals.invalid(f"A resource can have {TAGS_MAX} tags at most."),
)


@dataclass(frozen=True)
class Application:
    """An application. Times are epoch seconds; `asked` holds members of CreateApplication, as they came.

    `token` is the client token of the call that made it. `idle_since` is when it last had nothing to do.
    """

    account: Account
    region: Region
    id: str
    name: str | None
    release: str
    created: float
    updated: float
    token: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    state: str = CREATED
    details: str = ""
    idle_since: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The application's key in the store."""
        return resource_key(self.account, self.region, self.id)

    @property
    def arn(self) -> str:
        """The application's ARN."""
        return arns.serverless_application(self.region, self.account, self.id)

    @property
    def starts_itself(self) -> bool:
        """Whether a job run starts it."""
        return bool(self.asked.get("autoStartConfiguration", {}).get("enabled", True))

    @property
    def idle_seconds(self) -> float | None:
        """After how long without job runs it stops; None where it does not."""
        given = self.asked.get("autoStopConfiguration", {})
        minutes = given.get("idleTimeoutMinutes", IDLE_MINUTES)
        return float(minutes) * 60 if given.get("enabled", True) else None


@dataclass(frozen=True)
class JobRun:
    """A job run of an application (its key). `asked` holds members of StartJobRun, as they came.

    `runtime` and `monitoring` are what the application's configurations were when it was started.
    `attempted` and `changed` are when its present attempt began and last changed; `past` are the attempts
    before. `grace` is how long a program that is cancelled has to end. By `secret` the
    program of its attempt gets the credentials of its role (credentials.py).
    """

    application: str
    account: Account
    region: Region
    application_id: str
    id: str
    created: float
    updated: float
    created_by: str
    role: str
    release: str
    token: str
    asked: Mapping[str, Any]
    runtime: Sequence[Mapping[str, Any]] = ()
    monitoring: Mapping[str, Any] = field(default_factory=dict)
    state: str = SUBMITTED
    details: str = ""
    attempt: int = 1
    attempted: float = 0.0
    started: float | None = None
    ended: float | None = None
    grace: float = GRACE_SECONDS
    past: Sequence[Mapping[str, Any]] = ()
    secret: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The job run's key in the store."""
        return RUNS.child(self.application, self.id)

    @property
    def arn(self) -> str:
        """The job run's ARN."""
        return arns.serverless_job_run(self.region, self.account, self.application_id, self.id)

    @property
    def attempts_max(self) -> int:
        """How often it is tried."""
        return int(self.asked.get("retryPolicy", {}).get("maxAttempts", 1))

    @property
    def timeout_seconds(self) -> float:
        """How long an attempt may run."""
        return float(self.asked.get("executionTimeoutMinutes", TIMEOUT_MINUTES)) * 60


@dataclass(frozen=True)
class ActiveRun:
    """Says that the job run under the same key is not over."""


@dataclass(frozen=True)
class RunToken:
    """Which job run of an application a client token has started."""

    job_run_id: str


APPLICATIONS = Collection("emr-serverless-application", Application)
RUNS = Collection("emr-serverless-job-run", JobRun)
ACTIVE_RUNS = Collection("emr-serverless-active-run", ActiveRun)
RUN_TOKENS = Collection("emr-serverless-run-token", RunToken)


def require_application(tx: Tx, ctx: Context, application_id: str) -> Application:
    """The application. Raises ResourceNotFoundException."""
    return APPLICATIONS.require(tx, ctx.key(application_id), lambda: refusals.no_application(application_id))


def require_living(tx: Tx, ctx: Context, application_id: str) -> Application:
    """The application, unless it was deleted. Raises ResourceNotFoundException."""
    found = require_application(tx, ctx, application_id)
    if found.state == TERMINATED:
        raise refusals.no_application(application_id)
    return found


def require_job_run(tx: Tx, ctx: Context, application_id: str, job_run_id: str) -> JobRun:
    """The job run, also of an application that was deleted. Raises ResourceNotFoundException."""
    application = require_application(tx, ctx, application_id)
    key = RUNS.child(application.key, job_run_id)
    return RUNS.require(tx, key, lambda: refusals.no_job_run(application_id, job_run_id))


def active_runs(tx: Tx, application: str) -> list[JobRun]:
    """The job runs of an application (its key) that are not over, oldest first."""
    found = (RUNS.get(tx, key) for key, _ in ACTIVE_RUNS.children(tx, application))
    return sorted((run for run in found if run is not None), key=lambda run: (run.created, run.id))


def put_run(tx: Tx, run: JobRun) -> None:
    """Store a job run in its present state."""
    RUNS.put(tx, run.key, run)
    if run.state in OVER:
        ACTIVE_RUNS.delete(tx, run.key)
    else:
        ACTIVE_RUNS.put(tx, run.key, ActiveRun())


def every_application(ctx: Context, _parameters: Parameters) -> str:
    """The resource of calls that mean no application in particular."""
    return arns.all_of_serverless(ctx.region, ctx.account)


def the_application(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the application in the call, whether it exists or not."""
    return arns.serverless_application(ctx.region, ctx.account, str(parameters["application_id"]))


def the_job_run(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the job run in the call, whether it exists or not."""
    return arns.serverless_job_run(
        ctx.region, ctx.account, str(parameters["application_id"]), str(parameters["job_run_id"])
    )
