"""When schedules run next: a task for each, kept in step with the schedule.

What a server that was down has missed runs once when it starts, for the last time that was missed, if this
is no longer ago than the target's MaximumEventAgeInSeconds. Who runs them: worker/schedules.py.
"""

from passrole.services import planned_runs
from passrole.services.deliveries import retries_of
from passrole.services.planned_runs import PlannedRuns
from passrole.services.scheduler import invocations, timing
from passrole.services.scheduler.records import SCHEDULES, Schedule
from passrole.store import Tx

KIND = "schedule-of-scheduler"


def plan_first(tx: Tx, schedule: Schedule) -> None:
    """The schedule is new, or its times have changed."""
    _plan(tx, schedule, timing.first(schedule))


def forget(tx: Tx, schedule_key: str) -> None:
    """The schedule is gone."""
    planned_runs.plan(tx, KIND, schedule_key, None)


def _plan(tx: Tx, schedule: Schedule, at: float | None) -> None:
    due = None if at is None else timing.in_window(schedule, at)
    planned_runs.plan(tx, KIND, schedule.key, at, due)


def _plan_all(_tx: Tx, _now: float, _before: float) -> None:
    """The rows of a server that was down stay as they are: what is overdue runs now."""


def _run(tx: Tx, key: str, at: float, now: float) -> None:
    schedule = SCHEDULES.get(tx, key)
    if schedule is None:
        return
    at, following = _last_missed(schedule, at, now)
    completes = following is None and schedule.given["ActionAfterCompletion"] == "DELETE"
    if now - at <= retries_of(schedule.given["Target"].get("RetryPolicy")).age_seconds_max:
        invocations.begin(tx, schedule, at, now, completes=completes)
    elif completes:
        SCHEDULES.delete(tx, key)
        return
    _plan(tx, schedule, following)


def _last_missed(schedule: Schedule, at: float, now: float) -> tuple[float, float | None]:
    """The last time from `at` on that is over, and the one that follows it.

    Those that are older than an event may be are not counted through.
    """
    oldest = now - retries_of(schedule.given["Target"].get("RetryPolicy")).age_seconds_max
    following = timing.following(schedule, max(at, oldest))
    while following is not None and timing.in_window(schedule, following) <= now:
        at, following = following, timing.following(schedule, following)
    return at, following


SCHEDULE_RUNS = PlannedRuns(KIND, _plan_all, _run)
