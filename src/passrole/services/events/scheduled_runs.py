"""When scheduled rules run next, and what their targets get then: a `Scheduled Event`.

What a server that was down has missed is not made up for; of several, another one runs it. Who runs them:
worker/schedules.py.
"""

from passrole import ids, iso8601
from passrole.services import planned_runs
from passrole.services.events.deliveries import deliver_to_targets
from passrole.services.events.records import LISTENING, RULES, Rule
from passrole.services.planned_runs import PlannedRuns
from passrole.services.schedule_expressions import parse_schedule
from passrole.store import Tx, tasks

KIND = "schedule"


def plan(tx: Tx, rule: Rule, after: float = 0.0) -> None:
    """Have the rule run when its schedule says, later than `after`, or not any more where it has none or
    is disabled.
    """
    due = None
    if rule.schedule is not None and rule.state in LISTENING:
        due = parse_schedule(rule.schedule).next(rule.since, max(after, rule.since))
    planned_runs.plan(tx, KIND, rule.key, due)


def forget(tx: Tx, rule_key: str) -> None:
    """The rule is gone."""
    planned_runs.plan(tx, KIND, rule_key, None)


def _plan_all(tx: Tx, now: float, before: float) -> None:
    for _, rule in RULES.all(tx):
        planned = tasks.find(tx, KIND, rule.key)
        if rule.schedule is not None and (planned is None or planned.due < before):
            plan(tx, rule, now)


def _run(tx: Tx, key: str, at: float, now: float) -> None:
    rule = RULES.get(tx, key)
    if rule is None or rule.schedule is None or rule.state not in LISTENING:
        return
    deliver_to_targets(tx, rule, _event(rule, at), now)
    plan(tx, rule, max(at, now))


def _event(rule: Rule, at: float) -> dict[str, object]:
    return {
        "version": "0",
        "id": ids.request_id(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account,
        "time": iso8601.seconds(at),
        "region": rule.region,
        "resources": [rule.arn],
        "detail": {},
    }


RULE_RUNS = PlannedRuns(KIND, _plan_all, _run)
