"""The engine beside an interpreter that was written from the guide (oracle.py).

Pipelines have nested conditions, every trigger, references to outputs and outcomes, Fail steps and slots;
what happens has results of all kinds, stops, retries, selective executions, duplicates and late facts.
"""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.oracle import AT_ONCE, RETRIES, NoValue, Oracle

from passrole.definition import Pipeline, parse
from passrole.engine import State, begin, decide, facts
from passrole.engine.commands import InvokeFunction, SendCallback
from passrole.engine.facts import Fact, InputFact, Output, StepStarted
from passrole.engine.selection import Unselectable, reused_steps

Json = Any
Started = Callable[..., facts.ExecutionStarted]
Replay = Callable[[Pipeline, list[Fact]], State]
OUTPUTS = [{"OutputName": "s", "OutputType": "String"}, {"OutputName": "i", "OutputType": "Integer"}]
KINDS = ["Lambda", "Lambda", "Lambda", "Callback", "EMR", "Processing", "Condition", "Fail"]
LOST = "SageMaker.JOB_INTERNAL_ERROR"
POLICY = {"ExceptionType": [LOST], "IntervalSeconds": 1, "MaxAttempts": RETRIES}
MOVES_MAX = 150
TRIGGERS = ("Completed", "Failed", "Stopped", "Any")
RESULTS: list[dict[str, Json]] = [
    {"s": "x", "i": 7},
    {"s": "7"},
    {"i": "seven"},
    {"i": 3, "s": {"a": [1]}},
    {},
]


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """Up to nine steps; each may wait for and refer to those before it, and stand in a branch."""
    steps: dict[str, Json] = {}
    top: list[Json] = []
    conditions: list[str] = []
    for number in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(KINDS))
        name = f"{kind[0].lower()}{number}"
        others = [each for each, step in steps.items() if step["Type"] != "Fail"]
        step = {"Name": name, "Type": kind, "DependsOn": draw(dependencies(others))} | draw(
            members(kind, {each: steps[each]["Type"] for each in others})
        )
        home = draw(st.sampled_from([None, *conditions]))
        steps[name] = step
        if home is None:
            top.append(step)
        else:
            steps[home]["Arguments"][draw(st.sampled_from(["IfSteps", "ElseSteps"]))].append(step)
            step["DependsOn"] = [each for each in step["DependsOn"] if each != home and _named(each) != home]
        if kind == "Condition":
            conditions.append(name)
    return {"Version": "2020-12-01", "Steps": top}


def dependencies(others: list[str]) -> st.SearchStrategy[list[Json]]:
    if not others:
        return st.just([])
    plain = st.sampled_from(others)
    triggered = st.builds(lambda step, how: {"Step": step, "Trigger": how}, plain, st.sampled_from(TRIGGERS))
    return st.lists(plain | triggered, max_size=2, unique_by=_named)


def _named(dependency: Json) -> str:
    return str(dependency if isinstance(dependency, str) else dependency["Step"])


def members(kind: str, others: dict[str, str]) -> st.SearchStrategy[Json]:
    """What a step of this type has beside its name."""
    value = values(others)
    if kind == "Condition":
        return st.builds(
            lambda each: {"Arguments": {"Conditions": [each], "IfSteps": [], "ElseSteps": []}},
            condition(value),
        )
    if kind == "Fail":
        return st.builds(lambda each: {"Arguments": {"ErrorMessage": _joined(each)}}, value)
    if kind == "EMR":
        config = {"HadoopJarStep": {"Jar": "j"}}
        return st.just({"Arguments": {"ClusterId": "j-1", "StepConfig": config}})
    if kind == "Processing":
        return st.builds(lambda each: {"Arguments": {"Environment": each}, "RetryPolicies": [POLICY]}, value)
    given = {"FunctionArn": "arn:f"} if kind == "Lambda" else {"SqsQueueUrl": "https://q"}
    return st.builds(lambda each: {"Arguments": {"v": each}, "OutputParameters": OUTPUTS, **given}, value)


def values(others: dict[str, str]) -> st.SearchStrategy[Json]:
    """A literal, or a reference to another step, perhaps inside a text."""
    references = [
        {"Get": f"Steps.{name}.{what}"}
        for name, kind in others.items()
        for what in {
            "Condition": ("Outcome",),
            "EMR": (),
            "Processing": (),
        }.get(kind, ("OutputParameters['s']", "OutputParameters['i']"))
    ]
    literal: st.SearchStrategy[Json] = st.sampled_from([1, 7, "7", "x", True])
    simple = literal | st.sampled_from(references) if references else literal
    return simple | simple.map(_joined)


def _joined(value: Json) -> Json:
    return {"Std:Join": {"On": "-", "Values": ["t", value]}}


def condition(value: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    plain = st.builds(
        lambda kind, left, right: {"Type": kind, "LeftValue": left, "RightValue": right},
        st.sampled_from(["Equals", "GreaterThan"]),
        value,
        st.sampled_from([7, "x", "t-x"]),
    ).filter(lambda each: not isinstance(each["LeftValue"], bool) and each["LeftValue"] is not True)
    return (
        plain
        | plain.map(lambda each: {"Type": "Not", "Condition": each})
        | st.lists(plain, min_size=1, max_size=2).map(lambda each: {"Type": "Or", "Conditions": each})
    )


class Trial:
    """The engine and the oracle, told the same."""

    def __init__(self, document: Json, replay: Replay) -> None:
        self.document = document
        self.pipeline = parse(json.dumps(document))
        self.replay = replay

    def begin(
        self, started: Started, slots: int | None, selected: frozenset[str] = frozenset(), **given: Any
    ) -> None:
        self.oracle = Oracle(self.document, slots, selected)
        self.state = begin(self.pipeline)
        self.journal: list[Fact] = []
        self.past: list[InputFact] = []
        self.sent: set[str] = set()
        self.given = given
        self.first = started(0, slots)

    def tell(self, fact: InputFact) -> None:
        decision = decide(self.state, fact)
        assert decision.facts, f"{fact} was news"
        self.journal += decision.facts
        self.state = decision.state
        self._follow(decision.facts[1:], {command.step: command for command in decision.commands})
        assert self.replay(self.pipeline, self.journal) == self.state

    def _follow(self, happened: tuple[Fact, ...], commands: dict[str, Any]) -> None:
        oracle = self.oracle
        wanted = oracle.ready() if oracle.execution == "Executing" and not oracle.fail_reached else set()
        free = wanted if oracle.slots is None else set()
        for fact in happened:
            if isinstance(fact, StepStarted):
                is_at_once = oracle.steps[fact.step]["Type"] in AT_ONCE
                assert fact.step in oracle.ready(), f"{fact.step} was not ready"
                assert is_at_once or oracle.has_slot(), f"{fact.step} has no slot"
                assert oracle.execution == "Executing"
                assert not oracle.fail_reached
                assert fact.attempt == oracle.attempt[fact.step]
                self._check_payload(commands.get(fact.step))
                oracle.start(fact.step)
        if oracle.execution == "Executing" and not oracle.fail_reached:
            left = oracle.ready()
            assert not {name for name in left if oracle.steps[name]["Type"] in AT_ONCE}
            assert not left or not oracle.has_slot(), f"{left} could have started"
        elif free and oracle.fail_reached:
            kept = {name for name in free if oracle.steps[name]["Type"] not in AT_ONCE}
            assert kept <= set(oracle.status), "what was ready with the Fail step starts beside it"
        shown = {name: step.status for name, step in self.state.steps.items()}
        assert shown == oracle.status
        assert self.state.is_over == (not oracle.running())
        if self.state.is_over:
            assert self.state.status == oracle.verdict()

    def _check_payload(self, command: Any) -> None:
        if isinstance(command, InvokeFunction):
            assert command.payload == self.oracle.value(self.oracle.steps[command.step]["Arguments"])
        if isinstance(command, SendCallback) and command.status == "Executing":
            assert command.arguments == self.oracle.value(self.oracle.steps[command.step]["Arguments"])

    def move(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        """One thing that can happen now."""
        step = draw(st.sampled_from(sorted(self.oracle.running())))
        kind, attempt = self.oracle.steps[step]["Type"], self.oracle.attempt[step]
        of: Any = {"at": 1.0, "step": step, "attempt": attempt}
        well, result = draw(st.booleans()), draw(st.sampled_from(RESULTS))
        fact: InputFact
        if kind == "Lambda":
            fact = self._of_function(of, well, result, draw(st.booleans()))
        elif kind == "Callback":
            outputs = tuple(Output(key, value) for key, value in result.items() if isinstance(value, str))
            fact = facts.CallbackAnswered(**of, outcome="success" if well else "failure", outputs=outputs)
            self.oracle.end(step, well=well, result=dict(outputs))
        else:
            fact = self._of_job(of, well, draw(st.booleans()))
        self.tell(fact)
        self.past.append(fact)

    def _of_function(self, of: Any, well: bool, result: Json, is_late: bool) -> InputFact:
        self.oracle.end(of["step"], well=well, result=result)
        if well:
            return facts.LambdaReturned(**of, payload=json.dumps(result))
        if is_late:
            self.oracle.limit_passed |= self.oracle.execution == "Stopping"
            return facts.LambdaTimedOut(**of)
        return facts.EffectFailed(**of, reason="ClientError: broken")

    def _of_job(self, of: Any, well: bool, is_known: bool) -> InputFact:
        key = f"{of['step']}/{of['attempt']}"
        is_emr = self.oracle.steps[of["step"]]["Type"] == "EMR"
        if of["step"] in self.oracle.waiting:
            self.oracle.begin_again(of["step"])
            return facts.RetryDue(**of)
        if key not in self.sent:
            self.sent.add(key)
            handle = {"ClusterId": "j-1", "StepId": "s-1", "StepName": "n"} if is_emr else {"Arn": "a"}
            return facts.JobSubmitted(**of, handle={"EMR" if is_emr else "ProcessingJob": handle})
        if not (well or is_emr or is_known):
            self.oracle.lose(of["step"])
            return facts.JobEnded(**of, succeeded=False, reason="lost", error=LOST)
        self.oracle.end(of["step"], well=well)
        return facts.JobEnded(**of, succeeded=well, reason=None if well else "ClientError: ended")

    def stop(self) -> None:
        self.oracle.stop()
        self.tell(facts.StopRequested(at=1.0))

    def retry(self) -> bool:
        """Whether it could be retried."""
        fact = facts.ExecutionRetried(at=1.0)
        if self.oracle.verdict() == "Succeeded" or self.oracle.fail_reached:
            assert decide(self.state, fact).facts == ()
            return False
        self.oracle.retry()
        self.tell(fact)
        return True


def run(trial: Trial, data: st.DataObject, *, may_stop: bool) -> None:
    """Until the execution is over; facts come again, and late ones of earlier attempts."""
    for _ in range(MOVES_MAX):
        if trial.state.is_over:
            return
        if trial.past and data.draw(st.integers(0, 3)) == 0:
            old = data.draw(st.sampled_from(trial.past))
            assert decide(trial.state, old).facts == (), f"{old} is old news"
        if may_stop and trial.oracle.execution == "Executing" and data.draw(st.integers(0, 9)) == 0:
            trial.stop()
        else:
            trial.move(data.draw)
    raise AssertionError("it does not end")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents(), slots=st.none() | st.integers(1, 3), may_stop=st.booleans(), data=st.data())
def test_the_engine_does_what_the_guide_says(
    started: Started,
    replay: Replay,
    document: Json,
    slots: int | None,
    may_stop: bool,
    data: st.DataObject,
) -> None:
    trial = Trial(document, replay)
    trial.begin(started, slots)
    trial.tell(trial.first)
    run(trial, data, may_stop=may_stop)
    for _ in range(2):
        if not trial.retry():
            break
        run(trial, data, may_stop=may_stop)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents(), data=st.data())
def test_a_selective_execution_runs_what_is_selected_on_what_succeeded(
    started: Started, replay: Replay, document: Json, data: st.DataObject
) -> None:
    whole = Trial(document, replay)
    whole.begin(started, None)
    whole.tell(whole.first)
    run(whole, data, may_stop=False)
    names = sorted(whole.oracle.steps)
    selected = frozenset(data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))
    needed = {each for name in selected for each in needs(whole.oracle, name)} - selected
    try:
        reused = reused_steps(whole.pipeline, sorted(selected), whole.state)
    except Unselectable:
        return
    assert set(reused) == needed
    assert all(whole.oracle.status[name] == "Succeeded" for name in needed)
    part = Trial(document, replay)
    part.begin(started, None, selected)
    part.oracle.reuse(whole.oracle, iter(needed))
    part.tell(
        facts.ExecutionStarted(
            **{
                name: getattr(part.first, name)
                for name in ("at", "seed", "pipeline_name", "pipeline_arn", "execution_id", "execution_arn")
            },
            selected=tuple(sorted(selected)),
            source="arn:source",
            reused={name: step.metadata for name, step in reused.items()},
        )
    )
    run(part, data, may_stop=False)


def needs(oracle: Oracle, name: str) -> set[str]:
    """What a step waits for, the condition in whose branch it stands included."""
    home = {oracle.parent[name][0]} if name in oracle.parent else set()
    return {*oracle.needs(name), *home}


def test_the_oracle_itself_fails_a_value_that_is_not_there() -> None:
    step = {"Name": "q", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}}
    oracle = Oracle({"Steps": [step]}, None)
    try:
        oracle.value({"Get": "Steps.q.Outcome"})
    except NoValue:
        return
    raise AssertionError("a condition that has not decided has no outcome")
