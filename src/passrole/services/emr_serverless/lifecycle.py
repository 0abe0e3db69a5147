"""What becomes of applications and job runs: EMR Serverless's state machines, each change with its event.

    CREATING -> CREATED -> STARTING -> STARTED <-> STOPPING, STOPPED -> TERMINATED
    SUBMITTED -> (QUEUED) -> PENDING -> SCHEDULED -> RUNNING -> SUCCESS | FAILED
         |                                              `-> CANCELLING -> CANCELLED
         `-> CANCELLED

An application has no capacity here, so that it passes the states in between at once. Functions of a
transaction; what they call for outside is in the Todo that `settle` gives.
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/job-states.html
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/applications.html#application-states
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from passrole.services.emr_serverless import status_events
from passrole.services.emr_serverless.records import (
    APPLICATIONS,
    CANCELLED,
    CANCELLING,
    CHANNEL,
    ENDS,
    FAILED,
    OVER,
    QUEUED,
    RUNNING,
    RUNS,
    STARTED,
    STOPPED,
    SUBMITTED,
    SUCCESS,
    WAITING,
    Application,
    JobRun,
    active_runs,
    put_run,
)
from passrole.services.program_credentials import new_token
from passrole.store import Tx

CONCURRENT_RUNS, QUEUE_MINUTES = 15, 360
_DETAILS_MAX = 256
_LOST = "The server that ran the job run is gone, and the job run with it."
_UNDER_WAY = (RUNNING, CANCELLING)


@dataclass(frozen=True)
class Todo:
    """What is to be done outside for a job run, as it now is: its program is to `start`, or goes on and must
    be followed; `ends`: it is to end. It is looked at again when it is `due`, epoch seconds.
    """

    run: JobRun | None = None
    start: bool = False
    ends: bool = False
    due: float | None = None


def create(tx: Tx, application: Application) -> None:
    """Store a new application."""
    _pass_through(tx, application, ("CREATING", application.state), application.created)


def start(tx: Tx, application: Application, at: float) -> Application:
    """Start an application that is not started."""
    started = replace(application, idle_since=at, details="")
    tx.notify(CHANNEL, application.key)
    return _pass_through(tx, started, ("STARTING", STARTED), at)


def stop(tx: Tx, application: Application, at: float, details: str = "") -> Application:
    """Stop an application that has no job runs."""
    stopped = replace(application, idle_since=None, details=details)
    return _pass_through(tx, stopped, ("STOPPING", STOPPED), at)


def terminate(tx: Tx, application: Application, at: float) -> None:
    """Delete an application; its row stays, for its job runs."""
    _pass_through(tx, application, ("TERMINATED",), at)


def submit(tx: Tx, application: Application, run: JobRun) -> None:
    """Store a new job run, and start its application if need be."""
    if application.state != STARTED:
        start(tx, application, run.created)
    put_run(tx, run)
    status_events.emit_job_run(tx, run, None, run.created)
    tx.notify(CHANNEL, run.key)


def cancel(tx: Tx, run: JobRun, at: float, grace: float, details: str = "") -> None:
    """Cancel a job run that is not over: at once if it has not begun."""
    if run.state in WAITING:
        _end(tx, run, CANCELLED, at, details)
    elif run.state != CANCELLING:
        _change(tx, replace(run, grace=grace), CANCELLING, at, details)
        tx.notify(CHANNEL, run.key)


def end(tx: Tx, key: str, attempt: int, at: float, exit_code: int | None, details: str) -> None:
    """The program of an attempt ended, or could not be run (None); `details` are for a failure.

    Nothing becomes of it where the attempt was lost, and another one has begun or the job run is over.
    """
    run = RUNS.get(tx, key)
    if run is None or not _is_under_way(run, attempt):
        return
    if run.state == CANCELLING:
        _end(tx, run, CANCELLED, at, run.details)
    elif exit_code == 0:
        _end(tx, run, SUCCESS, at, "")
    elif run.attempt < run.attempts_max:
        _try_again(tx, run, at, details)
    else:
        _end(tx, run, FAILED, at, details)


def is_under_way(tx: Tx, key: str, attempt: int) -> bool:
    """Whether an attempt of a job run has begun, and is not over."""
    run = RUNS.get(tx, key)
    return run is not None and _is_under_way(run, attempt)


def lose(tx: Tx, key: str, at: float) -> None:
    """The server that ran the job run is gone: what ran has failed, what waits can be run."""
    run = RUNS.get(tx, key)
    if run is not None:
        end(tx, key, run.attempt, at, None, _LOST)


def settle(tx: Tx, key: str, at: float) -> Todo:
    """Advance the application or job run under the key. It may be called at any time, and as often."""
    application, run = APPLICATIONS.get(tx, key), RUNS.get(tx, key)
    if application is not None:
        return Todo(due=_stopped_when_idle(tx, application, at))
    if run is None or run.state in OVER:
        return Todo()
    if run.state in WAITING:
        return _begun(tx, run, at)
    until = (run.started or at) + run.timeout_seconds
    if run.state == RUNNING and at >= until:
        minutes = int(run.timeout_seconds // 60)
        run = _change(tx, run, CANCELLING, at, f"The job run exceeded its timeout of {minutes} minutes.")
    if run.state == CANCELLING:
        return Todo(run, ends=True)
    return Todo(run, due=until)


def _is_under_way(run: JobRun, attempt: int) -> bool:
    return run.attempt == attempt and run.state in _UNDER_WAY


def _begun(tx: Tx, run: JobRun, at: float) -> Todo:
    """A job run that waits begins where there is room for it, in the order of submission."""
    application = APPLICATIONS.get(tx, run.application)
    scheduler = application.asked.get("schedulerConfiguration") if application else None
    if scheduler is not None:
        active = active_runs(tx, run.application)
        before = [each for each in active if each.state not in WAITING or each.created < run.created]
        if len([each for each in before if each.id != run.id]) >= scheduler.get(
            "maxConcurrentRuns", CONCURRENT_RUNS
        ):
            until = run.attempted + scheduler.get("queueTimeoutMinutes", QUEUE_MINUTES) * 60
            if at >= until:
                _end(tx, run, FAILED, at, "The job run waited in the queue for longer than its timeout.")
                return Todo()
            if run.state == SUBMITTED:
                run = _change(tx, run, QUEUED, at)
            return Todo(due=until)
    for state in ("PENDING", "SCHEDULED"):
        run = _change(tx, run, state, at)
    run = _change(tx, replace(run, started=at, secret=new_token()[0]), RUNNING, at)
    return Todo(run, start=True, due=at + run.timeout_seconds)


def _try_again(tx: Tx, run: JobRun, at: float, details: str) -> None:
    failed = {
        "attempt": run.attempt,
        "state": FAILED,
        "stateDetails": details[:_DETAILS_MAX],
        "createdAt": run.attempted,
        "updatedAt": at,
    }
    again = replace(run, attempt=run.attempt + 1, attempted=at, started=None, past=[*run.past, failed])
    again = _change(tx, again, SUBMITTED, at)
    status_events.emit_retry(tx, again, at)
    tx.notify(CHANNEL, run.key)


def _end(tx: Tx, run: JobRun, state: str, at: float, details: str) -> None:
    _change(tx, replace(run, ended=at), state, at, details)
    tx.notify(ENDS, run.arn)
    application = APPLICATIONS.get(tx, run.application)
    if application is None:
        return
    waiting = [each for each in active_runs(tx, run.application) if each.state in WAITING]
    for each in waiting:
        tx.notify(CHANNEL, each.key)
    APPLICATIONS.put(tx, application.key, replace(application, idle_since=at))
    tx.notify(CHANNEL, application.key)


def _change(tx: Tx, run: JobRun, state: str, at: float, details: str = "") -> JobRun:
    changed = replace(run, state=state, details=details[:_DETAILS_MAX], updated=at)
    put_run(tx, changed)
    status_events.emit_job_run(tx, changed, run.state, at)
    return changed


def _stopped_when_idle(tx: Tx, application: Application, at: float) -> float | None:
    """Stop an application that has been idle for long enough; when to look again, if at all."""
    idle_seconds = application.idle_seconds
    if application.state != STARTED or idle_seconds is None or active_runs(tx, application.key):
        return None
    until = (application.idle_since or at) + idle_seconds
    if at < until:
        return until
    stop(tx, application, at, "The application was stopped because it was idle.")
    return None


def _pass_through(tx: Tx, application: Application, states: Sequence[str], at: float) -> Application:
    """Emit the event of each state, and store the last one."""
    for state in states:
        application = replace(application, state=state, updated=at)
        status_events.emit_application(tx, application, at)
    APPLICATIONS.put(tx, application.key, application)
    return application
