"""All steps of a pipeline, also those that an execution has not reached."""

import json
from typing import Any

from passrole.client.plan import Plan
from passrole.client.progress import Iteration, Step
from passrole.definition import parse


def fail(name: str, *needed: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "m"}, "DependsOn": list(needed)}


def callback(name: str, *needed: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Callback",
        "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q",
        "Arguments": {},
        "OutputParameters": [{"OutputName": "n", "OutputType": "Integer"}],
        "DependsOn": list(needed),
    }


def condition(name: str, if_steps: list[Any], else_steps: list[Any]) -> dict[str, Any]:
    holds = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [holds], "IfSteps": if_steps, "ElseSteps": else_steps},
    }


def plan(*steps: dict[str, Any]) -> Plan:
    return Plan(parse(json.dumps({"Version": "2020-12-01", "Steps": steps})))


def told(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.name, step.status) for step in steps]


def test_a_step_that_has_not_started_is_pending_in_its_place() -> None:
    found = plan(callback("c", "a"), callback("a"), callback("b")).steps([Step("b", "Executing")])
    assert told(found) == [("a", "Pending"), ("c", "Pending"), ("b", "Executing")]


def test_the_branch_that_is_not_taken_is_skipped_with_all_that_depends_on_it() -> None:
    inner = condition("Inner", [callback("deep")], [])
    whole = plan(condition("If", [callback("yes")], [callback("no"), inner]), callback("after", "no"))
    assert {status for _, status in told(whole.steps([]))} == {"Pending"}
    found = dict(told(whole.steps([Step("If", "Succeeded", outcome="True")])))
    assert found == {
        "If": "Succeeded",
        "yes": "Pending",
        "no": "Skipped",
        "Inner": "Skipped",
        "deep": "Skipped",
        "after": "Skipped",
    }


def test_a_callback_has_outputs_also_inside_a_branch() -> None:
    whole = plan(condition("If", [callback("yes")], []), fail("f"))
    assert [(each.name, each.type_) for each in whole.outputs("yes")] == [("n", "Integer")]
    assert (whole.outputs("f"), whole.outputs("nobody")) == ((), ())


def test_steps_of_iterations_stand_behind_their_loop_in_the_order_of_their_start() -> None:
    body = {**callback("Ask"), "Arguments": {"item": {"Get": "ForEach.CurrentItem"}}}
    arguments = {"IterableItems": ["x", "y"], "MaxConcurrency": 2, "ForEachBody": [body]}
    loop = {"Name": "Each", "Type": "ForEach", "Arguments": arguments}
    found = plan(loop, fail("F", "Each"))
    inside = [Step(f"Ask-{i}", "Executing", iteration=Iteration("Each", i, "x")) for i in (1, 0)]
    listed = [Step("Each", "Executing"), *inside]
    assert [step.name for step in found.steps(listed)] == ["Each", "Ask-1", "Ask-0", "F"]
    assert [each.name for each in found.outputs("Ask-1")] == ["n"]
