"""What becomes of clusters and steps: the state machines of EMR, each change with its event.

    STARTING -> BOOTSTRAPPING -> RUNNING <-> WAITING -> TERMINATING -> TERMINATED | TERMINATED_WITH_ERRORS
                     `<------ its server is gone
    PENDING -> RUNNING -> COMPLETED | FAILED | INTERRUPTED
       |          `-> CANCEL_PENDING -> CANCELLED
       `-> CANCELLED

Functions of a transaction; what they call for outside is in the Todo that `settle` gives.
https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-overview.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from passrole.services.emr import status_events
from passrole.services.emr.records import (
    CHANNEL,
    CLUSTERS,
    OVER,
    STEP_OVER,
    STEPS,
    Cluster,
    EmrStep,
    active_steps,
    put_step,
)
from passrole.services.program_credentials import new_token
from passrole.store import Tx

TERMINATE = ("TERMINATE_CLUSTER", "TERMINATE_JOB_FLOW")
SIGTERM, SIGKILL = "SIGTERM", "SIGKILL"
COMING_UP = ("STARTING", "BOOTSTRAPPING")
_UP = ("RUNNING", "WAITING")
_WITHOUT_ERROR = ("USER_REQUEST", "ALL_STEPS_COMPLETED")
_LOST = {"Reason": "Unknown Error", "Message": "The server that ran the step is gone, and the step with it."}
_UNDER_WAY = ("RUNNING", "CANCEL_PENDING")


@dataclass(frozen=True)
class Todo:
    """What is to be done outside for a cluster, as it now is: steps to `start`; those that run already, which
    somebody must follow; and those among them that are to `end`.
    """

    cluster: Cluster
    start: tuple[EmrStep, ...] = ()
    running: tuple[EmrStep, ...] = ()
    end: tuple[EmrStep, ...] = ()


def change(tx: Tx, cluster: Cluster, state: str, at: float, reason: str = "", message: str = "") -> Cluster:
    """Store the new state, and emit its event."""
    after = replace(
        cluster,
        state=state,
        reason=reason or cluster.reason,
        message=message or cluster.message,
        ready=at if state in _UP and cluster.ready is None else cluster.ready,
        ended=at if state in OVER else cluster.ended,
        idle_since=at if state == "WAITING" else None,
    )
    CLUSTERS.put(tx, after.key, after)
    status_events.emit_cluster(tx, after, at)
    return after


def notify(tx: Tx, cluster: Cluster) -> None:
    """Notify the controller after the commit."""
    tx.notify(CHANNEL, cluster.key)


def terminate(tx: Tx, cluster: Cluster, at: float, reason: str, message: str) -> Cluster:
    """Begin the end of a cluster, unless it has begun: nothing new starts."""
    if cluster.state == "TERMINATING" or cluster.state in OVER:
        return cluster
    notify(tx, cluster)
    return change(tx, cluster, "TERMINATING", at, reason, message)


def move(tx: Tx, key: str, state: str, at: float) -> Cluster | None:
    """Store the next state of a cluster that is coming up; None where it is ending instead."""
    cluster = CLUSTERS.get(tx, key)
    if cluster is None or cluster.state not in COMING_UP:
        return None
    return change(tx, cluster, state, at)


def fail(tx: Tx, key: str, at: float, reason: str, message: str) -> None:
    """Begin the end of a cluster that cannot come up."""
    cluster = CLUSTERS.get(tx, key)
    if cluster is not None and cluster.state in COMING_UP:
        terminate(tx, cluster, at, reason, message)


def cancel(tx: Tx, cluster: Cluster, step: EmrStep, at: float, how: str) -> None:
    """Cancel a step that is not over: at once if it has not begun."""
    if step.state == "PENDING":
        _change_step(tx, cluster, replace(step, state="CANCELLED", ended=at), at)
    else:
        _change_step(tx, cluster, replace(step, state="CANCEL_PENDING", interrupted=how), at)
    notify(tx, cluster)


def end_step(
    tx: Tx, key: str, step_key: str, at: float, exit_code: int | None, details: Mapping[str, str]
) -> None:
    """The step's program ended, or could not be run (None); `details` are for a failure."""
    cluster, step = CLUSTERS.get(tx, key), STEPS.get(tx, step_key)
    if cluster is None or step is None or step.state in STEP_OVER:
        return
    state = _end_of(cluster, step, exit_code)
    after = replace(step, state=state, ended=at, details=dict(details) if state == "FAILED" else {})
    _change_step(tx, cluster, after, at)
    if state == "FAILED":
        _act_on_failure(tx, cluster, after, at)
    notify(tx, cluster)


def keys_under_way(tx: Tx, key: str) -> set[str]:
    """The keys of a cluster's steps that have begun and are not over."""
    return {step.key for step in _under_way(active_steps(tx, key))}


def lose(tx: Tx, key: str, at: float) -> None:
    """The server that ran the cluster's steps is gone: what ran has failed, what waits can be run.

    What bootstrap actions have installed for the steps is on the machine that is gone. So a cluster that has
    some runs them where it is now, and no step before. On AWS they run on each node that is added to one
    that runs; BOOTSTRAPPING is shown only before the first step.
    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-bootstrap.html
    """
    for step in _under_way(active_steps(tx, key)):
        end_step(tx, key, step.key, at, None, _LOST)
    cluster = CLUSTERS.get(tx, key)
    if cluster is not None and cluster.bootstrap and cluster.state in _UP:
        change(tx, cluster, "BOOTSTRAPPING", at)


def settle(tx: Tx, key: str, at: float) -> Todo | None:
    """Advance a cluster by its state and its active steps; None where there is no such cluster.

    It may be called at any time, and as often: what was started before is in `running`.
    """
    cluster = CLUSTERS.get(tx, key)
    if cluster is None:
        return None
    steps = active_steps(tx, key)
    if cluster.state == "TERMINATING":
        return _wound_up(tx, cluster, steps, at)
    if cluster.state not in _UP:
        return Todo(cluster)
    under_way = _under_way(steps)
    room = max(0, cluster.concurrency - len(under_way))
    started = [_started(tx, cluster, step, at) for step in _pending(steps)[:room]]
    busy = bool(under_way or started)
    if not busy and _is_done_for(cluster, at):
        return Todo(terminate(tx, cluster, at, "ALL_STEPS_COMPLETED", "Steps completed"))
    if busy != (cluster.state == "RUNNING"):
        cluster = change(tx, cluster, "RUNNING" if busy else "WAITING", at)
    interrupted = tuple(step for step in under_way if step.interrupted)
    return Todo(cluster, tuple(started), tuple(under_way), interrupted)


def _is_done_for(cluster: Cluster, at: float) -> bool:
    """Whether a cluster without work ends: it is not kept alive, or its idle timeout is over."""
    if not cluster.keep_alive:
        return True
    idle = cluster.idle_seconds is not None and cluster.idle_since is not None
    return idle and at >= (cluster.idle_since or 0) + (cluster.idle_seconds or 0)


def _under_way(steps: list[EmrStep]) -> list[EmrStep]:
    return [step for step in steps if step.state in _UNDER_WAY]


def _pending(steps: list[EmrStep]) -> list[EmrStep]:
    return [step for step in steps if step.state == "PENDING"]


def _started(tx: Tx, cluster: Cluster, step: EmrStep, at: float) -> EmrStep:
    after = replace(step, state="RUNNING", started=at, token=new_token()[0])
    _change_step(tx, cluster, after, at)
    return after


def _change_step(tx: Tx, cluster: Cluster, step: EmrStep, at: float) -> None:
    put_step(tx, step)
    status_events.emit_step(tx, cluster, step, at)


def _end_of(cluster: Cluster, step: EmrStep, exit_code: int | None) -> str:
    if exit_code == 0:
        return "COMPLETED"
    if cluster.state == "TERMINATING" and step.state == "RUNNING":
        return "INTERRUPTED"
    return "CANCELLED" if step.state == "CANCEL_PENDING" else "FAILED"


def _act_on_failure(tx: Tx, cluster: Cluster, step: EmrStep, at: float) -> None:
    """ActionOnFailure; with several steps at once EMR ignores it."""
    if cluster.concurrency > 1:
        return
    if step.on_failure in TERMINATE:
        terminate(tx, cluster, at, "STEP_FAILURE", "Shut down as step failed")
    elif step.on_failure == "CANCEL_AND_WAIT":
        for each in _pending(active_steps(tx, cluster.key)):
            cancel(tx, cluster, each, at, SIGTERM)


def _wound_up(tx: Tx, cluster: Cluster, steps: list[EmrStep], at: float) -> Todo:
    """Of a cluster that ends: what has not begun is cancelled, what runs is to be ended, then it is over."""
    for step in _pending(steps):
        _change_step(tx, cluster, replace(step, state="CANCELLED", ended=at), at)
    under_way = tuple(_under_way(steps))
    if under_way:
        return Todo(cluster, running=under_way, end=under_way)
    state = "TERMINATED" if cluster.reason in _WITHOUT_ERROR else "TERMINATED_WITH_ERRORS"
    return Todo(change(tx, cluster, state, at))
