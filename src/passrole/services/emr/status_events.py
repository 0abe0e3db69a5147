"""EMR's events: `EMR Step Status Change` and `EMR Cluster State Change`, with the messages of the
management guide.

BOOTSTRAPPING, TERMINATING and INTERRUPTED have no event in its tables, and emit none.
https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-cloudwatch-events.html
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from passrole import event_outbox
from passrole.services.emr.records import Cluster, EmrStep
from passrole.store import Tx

SOURCE = "aws.emr"
STEP_CHANGE = "EMR Step Status Change"
CLUSTER_CHANGE = "EMR Cluster State Change"

_STEP_SEVERITY: Mapping[str, str] = {
    "PENDING": "INFO",
    "RUNNING": "INFO",
    "COMPLETED": "INFO",
    "CANCEL_PENDING": "WARN",
    "CANCELLED": "WARN",
    "FAILED": "ERROR",
}
_STEP_WORDS: Mapping[str, str] = {
    "PENDING": "was added to Amazon EMR cluster {cluster} at {now} and is pending execution.",
    "RUNNING": "in Amazon EMR cluster {cluster} started running at {now}.",
    "COMPLETED": "in Amazon EMR cluster {cluster} completed execution at {now}. The step started running at"
    " {started} and took {minutes} minutes to complete.",
    "CANCEL_PENDING": "in Amazon EMR cluster {cluster} is pending cancellation at {now}.",
    "CANCELLED": "in Amazon EMR cluster {cluster} was canceled at {now}.",
    "FAILED": "in Amazon EMR cluster {cluster} failed at {now}.",
}
_CLUSTER_SEVERITY: Mapping[str, str] = {
    "STARTING": "INFO",
    "RUNNING": "INFO",
    "WAITING": "INFO",
    "TERMINATED": "INFO",
    "TERMINATED_WITH_ERRORS": "CRITICAL",
}
_CLUSTER_WORDS: Mapping[str, str] = {
    "STARTING": "was requested at {created} and is being created.",
    "RUNNING": "began running steps at {now}.",
    "WAITING": "has no steps to run and is waiting at {now}.",
    "TERMINATED": "has terminated at {now} with a reason of {reason}.",
    "TERMINATED_WITH_ERRORS": "has terminated with errors at {now} with a reason of {reason}.",
}


def emit_step(tx: Tx, cluster: Cluster, step: EmrStep, at: float) -> None:
    """Emit the event of the step's present state."""
    if step.state not in _STEP_WORDS:
        return
    words = _STEP_WORDS[step.state].format(
        cluster=f"{cluster.id} ({cluster.name})",
        now=_minute(at),
        started=_minute(step.started or at),
        minutes=int((at - (step.started or at)) // 60),
    )
    detail = {
        "severity": _STEP_SEVERITY[step.state],
        "actionOnFailure": step.on_failure,
        "stepId": step.id,
        "name": step.name,
        "clusterId": cluster.id,
        "state": step.state,
        "message": f"Step {step.id} ({step.name}) {words}",
    }
    _emit(tx, cluster, STEP_CHANGE, detail, at)


def emit_cluster(tx: Tx, cluster: Cluster, at: float) -> None:
    """Emit the event of the cluster's present state; the reason is JSON in a string, as on AWS."""
    if cluster.state not in _CLUSTER_WORDS:
        return
    words = _CLUSTER_WORDS[cluster.state].format(
        created=_minute(cluster.created), now=_minute(at), reason=cluster.reason
    )
    reason = {"code": cluster.reason} | ({"message": cluster.message} if cluster.message else {})
    detail = {
        "severity": _CLUSTER_SEVERITY[cluster.state],
        "stateChangeReason": json.dumps(reason, separators=(",", ":")),
        "name": cluster.name,
        "clusterId": cluster.id,
        "state": cluster.state,
        "message": f"Amazon EMR cluster {cluster.id} ({cluster.name}) {words}",
    }
    _emit(tx, cluster, CLUSTER_CHANGE, detail, at)


def _emit(tx: Tx, cluster: Cluster, detail_type: str, detail: Mapping[str, str], at: float) -> None:
    event_outbox.emit(
        tx,
        account=cluster.account,
        region=cluster.region,
        at=at,
        source=SOURCE,
        detail_type=detail_type,
        detail=detail,
    )


def _minute(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
