"""Scripts: pipelines and what happens to them, written as aligned lines.

A pipeline is a line of steps. The first letter of a name says the type: l Lambda, c Callback,
q Condition, f Fail, p Processing, which is tried again twice where its job is lost, k the same with
caching, m Model, which is tried again once over a limit; `<a,b:Failed>` what it depends on, and by which
end; `?yes{l1,f1|l2}` how a condition decides (yes, no or bad: its values cannot be compared) and its
branches.

    l1 c1<l1> q1<c1>?yes{l2|f1}

A script has a line per input fact: who, what, and after the arrow what the engine asks for. A minus is
nothing, `ignored` an empty decision, `l1!` an invocation, `c1!` a message saying Executing, `c1~` one
saying Stopping, `p1!` a job to submit, `p1~` one to cancel, `p1/2:` a wait for the next one, `k1?` a
search for a result; the end of the execution is the last word.

    l1 ok | l1 returns <json> | l1 breaks | l1 times-out | l1 withdrawn
    c1 sent | c1 told | c1 yes | c1 no | c1 breaks | c1 mute        (told: the Stopping message was sent;
    m1 made | m1 limited
    p1 taken | p1 cancelled | p1 done | p1 lost | p1 wrong | p1/2 due | k1 hit | k1 miss
    start | start 2 | limit 2 | stop | retry | retry 2               mute: it could not be)

A later attempt than the first is written behind a slash: `l1/2 ok`, `l1/2!`.
"""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from passrole.definition import Pipeline, parse
from passrole.engine import Decision, State, begin, decide, facts, fold
from passrole.engine.commands import AwaitRetry, Command, SearchCache, status_of
from passrole.engine.facts import InputFact

Document = dict[str, Any]
LOST = "SageMaker.JOB_INTERNAL_ERROR"
LIMIT = "SageMaker.RESOURCE_LIMIT"
HANDLE = {"ProcessingJob": {"Arn": "arn:job"}}


@pytest.fixture(scope="session")
def pipeline_of() -> Callable[[str], Pipeline]:
    """The pipeline that a line of steps spells."""
    return _pipeline


@pytest.fixture(scope="session")
def started() -> Callable[..., facts.ExecutionStarted]:
    """The start of an execution with these parameters."""
    return _started


@pytest.fixture(scope="session")
def play() -> Callable[[str, str], State]:
    """Runs a script on a pipeline, compares what is asked for, and gives the state at its end."""
    return _play


@pytest.fixture(scope="session")
def replay() -> Callable[[Pipeline, list[facts.Fact]], State]:
    """The state that a journal gives after it was written to JSON and read again."""

    def run(pipeline: Pipeline, journal: list[facts.Fact]) -> State:
        stored = [orjson.dumps(facts.to_json(fact)) for fact in journal]
        return fold(begin(pipeline), [facts.from_json(orjson.loads(row)) for row in stored])

    return run


def _play(steps: str, script: str) -> State:
    state = begin(_pipeline(steps))
    for at, line in enumerate(script.strip().splitlines()):
        words, _, expected = line.partition("->")
        decision = decide(state, _fact(words.split(), float(at)))
        assert _asked(decision) == expected.split(), line
        state = decision.state
    return state


def _asked(decision: Decision) -> list[str]:
    if not decision.facts:
        return ["ignored"]
    ended = [fact.status for fact in decision.facts if isinstance(fact, facts.ExecutionEnded)]
    return [*map(_shown, decision.commands), *ended] or ["-"]


def _shown(command: Command) -> str:
    name = command.step if command.attempt == 1 else f"{command.step}/{command.attempt}"
    if isinstance(command, AwaitRetry | SearchCache):
        return f"{name}{':' if isinstance(command, AwaitRetry) else '?'}"
    return f"{name}{'~' if status_of(command) == 'Stopping' else '!'}"


def _started(
    at: float = 0, max_parallel_steps: int | None = None, **parameters: Any
) -> facts.ExecutionStarted:
    return facts.ExecutionStarted(
        at=at,
        seed="5eed",
        pipeline_name="P",
        pipeline_arn="arn:pipeline/P",
        execution_id="e1",
        execution_arn="arn:pipeline/P/execution/e1",
        parameters=parameters,
        max_parallel_steps=max_parallel_steps,
    )


def _fact(words: list[str], at: float) -> InputFact:
    if words[0] == "start":
        return _started(at, int(words[1]) if len(words) > 1 else None)
    if words[0] == "limit":
        return facts.ParallelismChanged(at=at, max_parallel_steps=int(words[1]))
    if words[0] == "retry":
        return facts.ExecutionRetried(at=at, max_parallel_steps=int(words[1]) if len(words) > 1 else None)
    if words[0] == "stop":
        return facts.StopRequested(at=at)
    step, what, *rest = words
    name, _, attempt = step.partition("/")
    return _ANSWERS[what]({"at": at, "step": name, "attempt": int(attempt or 1)}, " ".join(rest))


_ANSWERS: dict[str, Callable[[Document, str], InputFact]] = {
    "ok": lambda of, _: facts.LambdaReturned(**of, payload="{}"),
    "returns": lambda of, payload: facts.LambdaReturned(**of, payload=payload),
    "times-out": lambda of, _: facts.LambdaTimedOut(**of),
    "withdrawn": lambda of, _: facts.CommandWithdrawn(**of),
    "breaks": lambda of, _: facts.EffectFailed(**of, reason="ClientError: broken"),
    "mute": lambda of, _: facts.EffectFailed(**of, reason="ClientError: no queue", status="Stopping"),
    "sent": lambda of, _: facts.CallbackSent(**of),
    "told": lambda of, _: facts.CallbackSent(**of, status="Stopping"),
    "yes": lambda of, _: facts.CallbackAnswered(**of, outcome="success"),
    "made": lambda of, _: facts.ResourceCreated(**of, metadata={"Model": {"Arn": "arn:m"}}),
    "limited": lambda of, _: facts.EffectFailed(**of, reason="full", error=LIMIT),
    "taken": lambda of, _: facts.JobSubmitted(**of, handle=HANDLE),
    "cancelled": lambda of, _: facts.JobCancelSent(**of),
    "done": lambda of, _: facts.JobEnded(**of, succeeded=True),
    "lost": lambda of, _: facts.JobEnded(**of, succeeded=False, reason="lost", error=LOST),
    "wrong": lambda of, _: facts.JobEnded(**of, succeeded=False, reason="wrong"),
    "due": lambda of, _: facts.RetryDue(**of),
    "hit": lambda of, _: facts.CacheSearched(**of, source="arn:earlier", metadata=HANDLE),
    "miss": lambda of, _: facts.CacheSearched(**of),
    "no": lambda of, _: facts.CallbackAnswered(**of, outcome="failure", reason="not today"),
}


def _pipeline(steps: str) -> Pipeline:
    built = dict(map(_step, steps.split()))
    inside: set[str] = set()
    for step in built.values():
        for key in ("IfSteps", "ElseSteps"):
            if names := step.get("Arguments", {}).get(key):
                inside.update(names)
                step["Arguments"][key] = [built[name] for name in names]
    top = [step for name, step in built.items() if name not in inside]
    return parse(json.dumps({"Version": "2020-12-01", "Steps": top}))


def _step(word: str) -> tuple[str, Document]:
    head, _, decision = word.partition("?")
    name, _, needed = head.rstrip(">").partition("<")
    step = {"Name": name} | _MEMBERS[name[0]](name, decision)
    return name, step | ({"DependsOn": [_dependency(each) for each in needed.split(",")]} if needed else {})


def _dependency(word: str) -> str | dict[str, str]:
    name, _, trigger = word.partition(":")
    return {"Step": name, "Trigger": trigger} if trigger else name


def _condition(_name: str, decision: str) -> Document:
    outcome, _, branches = decision.rstrip("}").partition("{")
    first, _, second = branches.partition("|")
    equals = {"Type": "Equals", "LeftValue": 1, "RightValue": {"yes": 1, "no": 2, "bad": "1"}[outcome]}
    named = {"IfSteps": [*filter(None, first.split(","))], "ElseSteps": [*filter(None, second.split(","))]}
    return {"Type": "Condition", "Arguments": {"Conditions": [equals]} | named}


def _processing(name: str, _decision: str) -> Document:
    policy = {"ExceptionType": [LOST], "IntervalSeconds": 1, "MaxAttempts": 2}
    arguments = {"AppSpecification": {"ImageUri": name}}
    return {"Type": "Processing", "Arguments": arguments, "RetryPolicies": [policy]}


def _model(name: str, _decision: str) -> Document:
    policy = {"ExceptionType": [LIMIT], "IntervalSeconds": 1, "MaxAttempts": 1}
    return {
        "Type": "Model",
        "Arguments": {"PrimaryContainer": {"Image": name}},
        "RetryPolicies": [policy],
    }


_MEMBERS: dict[str, Callable[[str, str], Document]] = {
    "l": lambda name, _: {"Type": "Lambda", "FunctionArn": f"arn:{name}", "Arguments": {}},
    "c": lambda name, _: {"Type": "Callback", "SqsQueueUrl": f"https://queue/{name}", "Arguments": {}},
    "f": lambda name, _: {"Type": "Fail", "Arguments": {"ErrorMessage": f"{name} says no"}},
    "q": _condition,
    "p": _processing,
    "m": _model,
    "k": lambda name, _: _processing(name, "") | {"CacheConfig": {"Enabled": True}},
}
