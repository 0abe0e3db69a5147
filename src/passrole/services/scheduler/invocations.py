"""Invocations of targets, as they wait: a task for each time that a schedule was due.

Who performs them: worker/scheduled_invocations.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from passrole import exact_json, ids
from passrole.arns import Account, Region
from passrole.services.scheduler.records import SCHEDULES, Schedule
from passrole.store import Tx, tasks
from passrole.store.tasks import Task

KIND = "scheduled-invocation"


@dataclass(frozen=True)
class Invocation:
    """One invocation of the target that a schedule had when it was due `at`, in epoch seconds.

    `id` stays the same however often it is tried; `attempts` is how often it failed. `began` is when it was
    first to be tried. `completes`: it is the last of a schedule that is to be deleted then.
    """

    id: str
    schedule: str
    schedule_key: str
    group: str
    account: Account
    region: Region
    target: Mapping[str, Any]
    at: float
    began: float
    completes: bool = False
    modified: float = 0.0
    attempts: int = 0


def begin(tx: Tx, schedule: Schedule, at: float, now: float, *, completes: bool) -> None:
    """Have the target of the schedule invoked soon after this transaction."""
    invocation = Invocation(
        id=ids.request_id(),
        schedule=schedule.arn,
        schedule_key=schedule.key,
        group=schedule.group_arn,
        account=schedule.account,
        region=schedule.region,
        target=schedule.given["Target"],
        at=at,
        began=now,
        completes=completes,
        modified=schedule.modified,
    )
    keep(tx, invocation, now)


def keep(tx: Tx, invocation: Invocation, due: float) -> None:
    """Have it tried when it is due, epoch seconds."""
    tasks.add(tx, KIND, invocation.id, exact_json.dumps(invocation), due)


def read(task: Task) -> Invocation:
    """What the task keeps."""
    return Invocation(**exact_json.loads(task.body))


def completed(tx: Tx, invocation: Invocation) -> None:
    """Delete the schedule of a last invocation, unless somebody changed it meanwhile."""
    schedule = SCHEDULES.get(tx, invocation.schedule_key)
    if schedule is not None and schedule.modified == invocation.modified:
        SCHEDULES.delete(tx, schedule.key)
