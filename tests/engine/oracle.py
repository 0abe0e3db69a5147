"""An interpreter of pipelines, written from the developer guide and not from the engine.

It knows a definition as JSON and what happened, and works everything out anew each time: it has no counters
and no queues. What the guide leaves open, which of several ready steps takes a slot, it takes from whom it
judges. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-overview.html
"""

import json
from collections.abc import Iterator
from typing import Any

Json = Any
LETS_GO_ON = {
    "Completed": {"Succeeded"},
    "Failed": {"Failed"},
    "Stopped": {"Stopped"},
    "Any": {"Succeeded", "Failed", "Stopped"},
}
AT_ONCE = ("Condition", "Fail")
RUNNING = ("Executing", "Stopping")
RETRIES = 2
"""Of jobs that are lost."""


class NoValue(Exception):
    """A step asks for something that is not to be had: it fails."""


class Oracle:
    """One execution, judged fact by fact."""

    def __init__(self, document: Json, slots: int | None, selected: frozenset[str] = frozenset()) -> None:
        self.steps: dict[str, Json] = {}
        self.parent: dict[str, tuple[str, bool]] = {}
        self._collect(document["Steps"])
        self.slots = slots
        self.selected = selected or frozenset(self.steps)
        self.status: dict[str, str] = {}
        self.attempt: dict[str, int] = dict.fromkeys(self.steps, 1)
        self.outcome: dict[str, bool] = {}
        self.outputs: dict[str, dict[str, str]] = {}
        self.waiting: set[str] = set()
        self.retried: dict[str, int] = {}
        self.execution = "Executing"
        self.fail_reached = self.limit_passed = False

    def reuse(self, other: "Oracle", names: Iterator[str]) -> None:
        """Take steps that succeeded over from an earlier execution."""
        for name in names:
            self.status[name] = "Succeeded"
            self.outcome |= {name: other.outcome[name]} if name in other.outcome else {}
            self.outputs |= {name: other.outputs[name]} if name in other.outputs else {}

    # what a step waits for

    def needs(self, name: str) -> dict[str, str]:
        """The steps that it waits for, and how each must end."""
        named = dict.fromkeys(_references(self._own(name)), "Completed")
        for each in self.steps[name].get("DependsOn", []):
            named |= {each: "Completed"} if isinstance(each, str) else {each["Step"]: each["Trigger"]}
        return named

    def ready(self) -> set[str]:
        """The steps that have not started and whose dependencies are all as they must be."""
        return {
            name
            for name in self.selected
            if name not in self.status
            and all(self.status.get(each) in LETS_GO_ON[how] for each, how in self.needs(name).items())
            and self._is_in_branch(name)
        }

    def running(self) -> set[str]:
        """The steps that something outside is to be heard of."""
        return {name for name, status in self.status.items() if status in RUNNING}

    def has_slot(self) -> bool:
        """Whether one more step may run."""
        return self.slots is None or len(self.running()) < self.slots

    # what happens

    def start(self, name: str) -> None:
        """It starts, and is over at once where it needs nobody outside."""
        step = self.steps[name]
        try:
            if step["Type"] == "Condition":
                self.outcome[name] = all(map(self._holds, step["Arguments"]["Conditions"]))
                self.status[name] = "Succeeded"
            elif step["Type"] == "Fail":
                self.value(step["Arguments"]["ErrorMessage"])
                self.status[name], self.fail_reached = "Failed", True
            else:
                self.value(step["Arguments"])
                self.status[name] = "Executing"
        except NoValue:
            self.status[name] = "Failed"
            self.fail_reached |= step["Type"] == "Fail"

    def end(self, name: str, *, well: bool, result: dict[str, Json] | None = None) -> None:
        """What was outside came to an end."""
        if self.status[name] == "Stopping":
            self.status[name] = "Stopped"
        else:
            self.status[name] = "Succeeded" if well else "Failed"
        declared = {each["OutputName"] for each in self.steps[name].get("OutputParameters", [])}
        if well and result is not None:
            self.outputs[name] = {key: _text(value) for key, value in result.items() if key in declared}

    def lose(self, name: str) -> None:
        """Its job failed in a way that its policy names: another follows after a wait, if any may begin."""
        if self.status[name] == "Stopping" or self.fail_reached or self.retried.get(name, 0) >= RETRIES:
            self.end(name, well=False)
            return
        self.retried[name] = self.retried.get(name, 0) + 1
        self.attempt[name] += 1
        self.waiting.add(name)

    def begin_again(self, name: str) -> None:
        """The wait is over."""
        self.waiting.remove(name)
        if self.fail_reached:
            self.status[name] = "Stopped"

    def stop(self) -> None:
        """Nothing starts any more; callbacks and jobs are asked to end, functions cannot; waits are over."""
        self.execution = "Stopping"
        for name in self.waiting:
            self.status[name] = "Stopped"
        self.waiting.clear()
        for name in self.running():
            if self.steps[name]["Type"] != "Lambda":
                self.status[name] = "Stopping"

    def retry(self) -> None:
        """What succeeded is kept, everything else is as if it had not started."""
        self.execution, self.limit_passed = "Executing", False
        self.retried.clear()
        for name, status in list(self.status.items()):
            if status != "Succeeded":
                del self.status[name]
                self.attempt[name] += 1

    def verdict(self) -> str:
        """How an execution ends in which nothing runs."""
        if self.execution == "Stopping" and not self.limit_passed:
            return "Stopped"
        failed = [name for name, status in self.status.items() if status == "Failed"]
        if not failed:
            return "Succeeded"
        triggers = [self.needs(name) for name in self.steps]
        any_other = any(how != "Completed" for each in triggers for how in each.values())
        return "CompletedWithFailures" if any_other and all(map(self._is_handled, failed)) else "Failed"

    # values

    def value(self, expression: Json) -> Json:
        """The value of arguments. Raises NoValue."""
        if isinstance(expression, dict) and set(expression) == {"Get"}:
            return self._get(expression["Get"])
        if isinstance(expression, dict) and set(expression) == {"Std:Join"}:
            join = expression["Std:Join"]
            return join["On"].join(_text(self.value(each)) for each in join["Values"])
        if isinstance(expression, dict):
            return {key: self.value(each) for key, each in expression.items()}
        if isinstance(expression, list):
            return [self.value(each) for each in expression]
        return expression

    def _get(self, path: str) -> Json:
        _, name, what = path.split(".", 2)
        if what == "Outcome":
            if self.status.get(name) != "Succeeded":
                raise NoValue(path)
            return self.outcome[name]
        output = what.removeprefix("OutputParameters['").removesuffix("']")
        text = self.outputs.get(name, {}).get(output) if self.status.get(name) == "Succeeded" else None
        if text is None:
            raise NoValue(path)
        declared = self.steps[name]["OutputParameters"]
        (kind,) = [each["OutputType"] for each in declared if each["OutputName"] == output]
        if kind == "String":
            return text
        try:
            return int(text)
        except ValueError:
            raise NoValue(path) from None

    def _holds(self, condition: Json) -> bool:
        kind = condition["Type"]
        if kind == "Not":
            return not self._holds(condition["Condition"])
        if kind == "Or":
            return any(self._holds(each) for each in condition["Conditions"])
        left, right = self.value(condition["LeftValue"]), self.value(condition["RightValue"])
        if type(left) is not type(right):
            raise NoValue("unlike")
        return bool(left == right) if kind == "Equals" else bool(left > right)

    def _own(self, name: str) -> Json:
        """The step without those in its branches, which refer for themselves."""
        step = dict(self.steps[name])
        if step["Type"] == "Condition":
            step["Arguments"] = step["Arguments"]["Conditions"]
        return step

    def _is_in_branch(self, name: str) -> bool:
        if name not in self.parent:
            return True
        condition, wanted = self.parent[name]
        return self.status.get(condition) == "Succeeded" and self.outcome[condition] is wanted

    def _is_handled(self, failed: str) -> bool:
        return any(
            name in self.status
            and "Failed" in LETS_GO_ON[self.needs(name)[failed]]
            and self._is_in_branch(name)
            for name in self.steps
            if failed in self.needs(name)
        )

    def _collect(self, steps: list[Json]) -> None:
        for step in steps:
            self.steps[step["Name"]] = step
            for branch, wanted in (("IfSteps", True), ("ElseSteps", False)):
                inner = step["Arguments"].get(branch, []) if step["Type"] == "Condition" else []
                self._collect(inner)
                self.parent |= {each["Name"]: (step["Name"], wanted) for each in inner}


def _references(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"].split(".")[1]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
