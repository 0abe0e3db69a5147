"""A loop beside an interpreter of its rules: whatever the order of answers, restarts, a stop and a retry."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.loop_runs import ITEM, Json, Replay, Run, Started, lambda_step, loop, pipeline_of

from passrole.engine import commands, facts
from passrole.engine.facts import InputFact, Output
from passrole.engine.packed_state import pack, unpack


@st.composite
def bodies(draw: st.DrawFn) -> list[Json]:
    """Up to four steps, each waiting for some of those before it, by any trigger or by reference."""
    body: list[Json] = []
    for number in range(draw(st.integers(1, 4))):
        name, others = "ABCD"[number], [each["Name"] for each in body]
        needed = draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else []
        triggers = [draw(st.sampled_from(["Completed", "Failed", "Any"])) for _ in needed]
        waits = [{"Step": each, "Trigger": how} for each, how in zip(needed, triggers, strict=True)]
        if draw(st.booleans()):
            queue = {"Name": name, "Type": "Callback", "SqsQueueUrl": "https://q", "DependsOn": waits}
            body.append({**queue, "Arguments": {"i": ITEM}, "OutputParameters": []})
        else:
            body.append(lambda_step(name, {"i": ITEM}, DependsOn=waits))
    return body


LETTING = {"Completed": {"Succeeded"}, "Failed": {"Failed"}, "Any": {"Succeeded", "Failed"}}


def expected(body: list[Json], count: int, broken: set[str]) -> dict[str, str]:
    """What becomes of the steps of all iterations, of the loop and of the execution, without a stop."""
    found: dict[str, str] = {}
    for index in range(count):
        for step in body:  # in an order in which each comes after what it waits for
            met = all(
                found.get(f"{each['Step']}-{index}") in LETTING[each["Trigger"]] for each in step["DependsOn"]
            )
            if met:
                name = f"{step['Name']}-{index}"
                found[name] = "Failed" if name in broken else "Succeeded"
    ended = "Failed" if "Failed" in found.values() else "Succeeded"
    return {
        **found,
        "F": ended,
        **({"Z": "Succeeded"} if ended == "Succeeded" else {}),
        "the execution": ended,
    }


def answers(run: Run, name: str, broken: set[str]) -> Iterator[InputFact]:
    command = run.open.pop(name)
    of: Any = {"at": 1, "step": name, "attempt": command.attempt}
    if isinstance(command, commands.SendCallback):
        yield facts.CallbackSent(**of, status=command.status)
        outcome: Any = "failure" if name in broken else "success"
        yield facts.CallbackAnswered(
            **of, outcome=outcome, outputs=() if name in broken else (Output("o", "1"),)
        )
    elif name in broken:
        yield facts.EffectFailed(**of, reason="ClientError: broken")
    else:
        yield facts.LambdaReturned(**of, payload="{}")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=bodies(),
    count=st.integers(0, 4),
    at_once=st.integers(1, 5),
    slots=st.none() | st.integers(1, 3),
    stops=st.booleans(),
    data=st.data(),
)
def test_whatever_the_order_a_loop_ends_as_the_rules_say(
    started: Started,
    replay: Replay,
    body: list[Json],
    count: int,
    at_once: int,
    slots: int | None,
    stops: bool,
    data: st.DataObject,
) -> None:
    every = [f"{step['Name']}-{index}" for index in range(count) for step in body]
    broken = set(data.draw(st.lists(st.sampled_from(every), max_size=3))) if every else set()
    items = {"Get": "Parameters.P"}
    pipeline = pipeline_of(
        loop("F", items, *body, at_once=at_once),
        lambda_step("Z", DependsOn=["F"]),
        parameters=[("P", "String")],
    )
    run = Run(pipeline, started(max_parallel_steps=slots, P=json.dumps(list(range(count)))))
    told: list[InputFact] = []
    left_to_stop = stops
    while run.open:
        name = data.draw(st.sampled_from(sorted(run.open)))
        if left_to_stop and data.draw(st.booleans()):
            run.tell(facts.StopRequested(at=1))
            left_to_stop = False
        for fact in answers(run, name, broken if not stops else set()):
            run.tell(fact)
            told.append(fact)
        running = [each for each, step in run.state.steps.items() if step.is_running and each in every]
        assert len(running) <= min(at_once, slots or at_once)
        if data.draw(st.booleans()):
            assert not run.tell(data.draw(st.sampled_from(told))), "what was told before is old news"
        run.state = unpack(pack(run.state), pipeline) if data.draw(st.booleans()) else run.state
    if run.state.status == "Stopped":
        run.tell(facts.ExecutionRetried(at=2))
        while run.open:
            for fact in answers(run, min(run.open), set()):
                run.tell(fact)
    shown = run.statuses | {"the execution": run.state.status}
    assert shown == expected(body, count, broken if not stops else set())
    assert replay(pipeline, run.journal) == run.state
