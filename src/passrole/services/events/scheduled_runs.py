"""When scheduled rules run next: a task for each, kept in step with the rule.

Who runs them: worker/schedules.py.
"""

from passrole.services.events.records import LISTENING, Rule
from passrole.services.events.schedules import parse_schedule
from passrole.store import Tx, tasks
from passrole.store.tasks import Task

KIND = "schedule"


def plan(tx: Tx, rule: Rule, after: float = 0.0) -> None:
    """Have the rule run when its schedule says, later than `after`, or not any more where it has none or
    is disabled.
    """
    due = None
    if rule.schedule is not None and rule.state in LISTENING:
        due = parse_schedule(rule.schedule).next(rule.since, max(after, rule.since))
    if due is None:
        forget(tx, rule.key)
    else:
        tasks.add(tx, KIND, rule.key, repr(due).encode(), due)


def forget(tx: Tx, rule_key: str) -> None:
    """The rule is gone."""
    tasks.done(tx, KIND, rule_key)


def planned_at(task: Task) -> float:
    """The moment that the schedule said, epoch seconds; the task itself may have been postponed."""
    return float(task.body)
