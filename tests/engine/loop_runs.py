"""Pipelines with loops, and an execution of one whose effects are answered by name."""

import json
from collections.abc import Callable
from typing import Any

from passrole.definition import Pipeline, parse
from passrole.engine import State, begin, commands, decide, facts
from passrole.engine.facts import Fact, InputFact

Json = Any
Started = Callable[..., facts.ExecutionStarted]
Replay = Callable[[Pipeline, list[Fact]], State]
SCORE = [{"OutputName": "score", "OutputType": "Integer"}]
ITEM = {"Get": "ForEach.CurrentItem"}


def lambda_step(name: str, arguments: Json = None, **members: Json) -> Json:
    of: Json = {"FunctionArn": "arn:f", "Arguments": arguments or {}, "OutputParameters": SCORE}
    return {"Name": name, "Type": "Lambda", **of, **members}


def loop(name: str, items: Json, *body: Json, at_once: int = 50, **members: Json) -> Json:
    selector = {"Selector": members.pop("Selector")} if "Selector" in members else {}
    arguments = {"IterableItems": items, "MaxConcurrency": at_once, "ForEachBody": list(body), **selector}
    return {"Name": name, "Type": "ForEach", "Arguments": arguments, **members}


def pipeline_of(*steps: Json, parameters: Json = ()) -> Pipeline:
    declared = [{"Name": name, "Type": type_} for name, type_ in parameters]
    return parse(json.dumps({"Version": "2020-12-01", "Parameters": declared, "Steps": list(steps)}))


class Run:
    """An execution whose effects are answered by name. Everything that it knows went through JSON."""

    def __init__(self, pipeline: Pipeline, started: facts.ExecutionStarted) -> None:
        self.pipeline, self.state = pipeline, begin(pipeline)
        self.journal: list[Fact] = []
        self.open: dict[str, commands.Command] = {}
        self.most = 0
        self.tell(started)

    def tell(self, fact: InputFact) -> bool:
        decision = decide(self.state, fact)
        self.journal += decision.facts
        self.state = decision.state
        for command in decision.commands:
            self.open[command.step] = commands.from_json(json.loads(json.dumps(commands.to_json(command))))
        self.most = max(self.most, len(self.open))
        return bool(decision.facts)

    def returns(self, step: str, payload: Json = None) -> None:
        command = self.open.pop(step)
        attempt = command.attempt
        assert self.tell(
            facts.LambdaReturned(at=1, step=step, attempt=attempt, payload=json.dumps(payload or {}))
        )

    def breaks(self, step: str) -> None:
        attempt = self.open.pop(step).attempt
        assert self.tell(facts.EffectFailed(at=1, step=step, attempt=attempt, reason="ClientError: broken"))

    def payload(self, step: str) -> Json:
        command = self.open[step]
        assert isinstance(command, commands.InvokeFunction)
        return command.payload

    @property
    def status(self) -> str:
        """Of the execution."""
        return self.state.status

    @property
    def statuses(self) -> dict[str, str]:
        return {name: step.status for name, step in self.state.steps.items()}

    def metadata(self, name: str = "F") -> Json:
        return dict(self.state.steps[name].metadata["ForEach"])
