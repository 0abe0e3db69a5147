"""The checks of `make chaos` find what they are for, in what clients were told by a run of one execution."""

from collections.abc import Callable

import pytest
from tests.chaos.checks import CHECKS, Found, violations
from tests.chaos.mishaps import KINDS, plan
from tests.chaos.told import Befell, Noted, Seen, Told

ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/chaos/execution/x"
STOPPED = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/chaos-stops/execution/s"
OUTPUTS = {"First": "r1", "Ask": "yes", "Then": "r2", "Last": "r3"}
RUNS = [("First", "r1", ""), ("Work", "job", "r1"), ("Then", "r2", "r1,yes"), ("Last", "r3", "r2")]


def whole() -> tuple[Told, Found]:
    """A run in which all is as it should be."""
    told = Told(calls=["c1", "c2"], ended={ARN: "Succeeded"}, objects={"o": "text"})
    told.started["1"].add(ARN)
    for name in ("First", "Work", "Ask", "Then", "Last"):
        told.succeeded["x", name] = Seen(10.0, {"n": OUTPUTS[name]} if name in OUTPUTS else {})
    told.asked["t"] = ("x", "Ask")
    told.tried["t"] |= {"yes", "no"}
    told.answered["t"] = ["yes"]
    told.sent["plain"] |= {"m0"}
    told.received["plain"] = ["m0"]
    told.received["chaos-ends"] = [ARN]
    told.received["q.fifo"] = ["red-0", "red-1", "blue-0", "red-1", "red-2"]
    notes = [Noted("x", step, run, "begin", 5.0, given) for step, run, given in RUNS]
    return told, Found(notes, {ARN: "x1"}, {"c1", "c2", "c3"}, {"o": "text"})


def lost_execution(told: Told, found: Found) -> None:
    found.listed.clear()


def two_executions(told: Told, _: Found) -> None:
    told.started["1"].add(f"{ARN}2")
    told.ended[f"{ARN}2"] = "Succeeded"


def stuck(told: Told, _: Found) -> None:
    del told.ended[ARN]


def missing_step(told: Told, _: Found) -> None:
    del told.succeeded["x", "Work"]


def run_again(_: Told, found: Found) -> None:
    found.notes.append(Noted("x", "First", "r9", "begin", 11.0, ""))  # type: ignore[attr-defined]


def job_twice(_: Told, found: Found) -> None:
    found.notes.append(Noted("x", "Work", "job", "begin", 6.0, "r1"))  # type: ignore[attr-defined]


def cluster_twice(_: Told, found: Found) -> None:
    found.notes.extend([Noted("y", "Cluster", "emr", "begin", 6.0, "")] * 2)  # type: ignore[attr-defined]


def cluster_failed(told: Told, _: Found) -> None:
    arn = ARN.replace("/chaos/", "/chaos-emr/")
    told.started["e"].add(arn)
    told.ended[arn] = "Failed: ['Unknown Error']"


def lost_job(told: Told, _: Found) -> None:
    told.ended[ARN] = "Failed: ['The server that ran the step is gone, and the step with it.']"


def other_result(told: Told, _: Found) -> None:
    told.succeeded["x", "Last"] = Seen(10.0, {"n": "nobody's"})


def other_answer(told: Told, _: Found) -> None:
    told.answered["t"].append("no")


def stopped_by_nobody(told: Told, _: Found) -> None:
    told.ended[ARN] = "Stopped: []"


def lost_result(told: Told, found: Found) -> None:
    told.ended[STOPPED] = "Stopped: []"
    told.started["s"].add(STOPPED)
    found.notes.append(Noted("s", "Slow0", "r5", "end", 100.0, "", "http://node1"))  # type: ignore[attr-defined]


def two_runs_of_a_minute(told: Told, _: Found) -> None:
    told.minutes[60.0] = {"e1", "e2"}


def silent_rule(told: Told, _: Found) -> None:
    told.minutes |= {60.0: {"e1"}, 480.0: {"e2"}}


def lost_message(told: Told, _: Found) -> None:
    told.sent["plain"].add("m1")


def no_event(told: Told, _: Found) -> None:
    told.received["chaos-ends"].clear()


def out_of_order(told: Told, _: Found) -> None:
    told.received["q.fifo"].append("blue-2")


def other_object(told: Told, found: Found) -> None:
    found.objects["o"] = "other"


def no_line(told: Told, found: Found) -> None:
    found.audited.remove("c2")


def refused(told: Told, _: Found) -> None:
    told.wrong("a session is unknown")


def test_nothing_is_found_where_all_is_well() -> None:
    assert list(violations(*whole())) == []


def test_an_emr_step_may_be_lost_with_its_node() -> None:
    told, found = whole()
    arn = ARN.replace("/chaos/", "/chaos-emr/")
    told.started["e"].add(arn)
    told.ended[arn] = "Failed: ['The server that ran the step is gone, and the step with it.']"
    found.listed[arn] = "xe"
    assert list(violations(told, found)) == []


@pytest.mark.parametrize(
    "mishap, is_wrong",
    [
        (Befell("kill", "http://node1", 101.0, 104.0), False),  # before it was recorded
        (Befell("freeze", "http://node1", 80.0, 116.0), False),  # others had taken over
        (Befell("full disk", "http://node1", 99.0, 101.0), False),  # it could not be audited
        (Befell("freeze", "http://node1", 99.0, 101.0), True),
        (Befell("kill", "http://node2", 101.0, 104.0), True),
        (Befell("kill", "http://node1", 170.0, 172.0), True),
    ],
)
def test_the_result_of_a_function_may_be_lost_with_its_node_alone(mishap: Befell, is_wrong: bool) -> None:
    told, found = whole()
    lost_result(told, found)
    found.listed[STOPPED] = "xs"
    told.befell.append(mishap)
    assert [name for name, _ in violations(told, found)] == (
        ["every result of a stopped execution counts"] if is_wrong else []
    )


@pytest.mark.parametrize(
    "harm, check",
    [
        (lost_execution, "every execution is there once"),
        (two_executions, "every execution is there once"),
        (stuck, "every execution came to its end"),
        (missing_step, "every execution came to its end"),
        (run_again, "no finished step ran again"),
        (job_twice, "no program of a job began twice"),
        (cluster_twice, "no program of a job began twice"),
        (cluster_failed, "every execution came to its end"),
        (lost_job, "every execution came to its end"),
        (other_result, "every step had the result that counted"),
        (other_answer, "every callback was answered once"),
        (stopped_by_nobody, "every execution came to its end"),
        (lost_result, "every result of a stopped execution counts"),
        (two_runs_of_a_minute, "a rule runs when it is due and once"),
        (silent_rule, "a rule runs when it is due and once"),
        (lost_message, "no message was lost"),
        (no_event, "no message was lost"),
        (out_of_order, "fifo groups are in order"),
        (other_object, "every object is there"),
        (no_line, "every call is in the audit trail"),
        (refused, "nothing surprised a client"),
    ],
)
def test_a_check_finds_its_violation(harm: Callable[[Told, Found], None], check: str) -> None:
    told, found = whole()
    harm(told, found)
    assert check in {name for name, _ in violations(told, found)}
    assert check.replace(" ", "_") in {each.__name__ for each in CHECKS}


def test_a_plan_follows_from_its_seed_and_has_as_many_mishaps_as_were_asked_for() -> None:
    first, again, other = (list(plan(seed, 200, 3, KINDS)) for seed in (7, 7, 8))
    assert first == again != other
    assert sum(len(each.mishaps) for each in first) == 200
    assert {mishap.kind for each in first for mishap in each.mishaps} == set(KINDS)
    assert {mishap.node for each in first for mishap in each.mishaps} == {0, 1, 2, 3}
