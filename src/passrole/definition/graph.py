"""The dependency graph of steps.

A step depends on the steps in its DependsOn, on every step that it references, and on the Condition step
whose branch contains it. It waits for the success of each, unless DependsOn names another Trigger. The same
as PipelineGraph in src/sagemaker/workflow/pipeline.py of https://github.com/aws/sagemaker-python-sdk.

A loop also depends on what the steps of its body depend on. Among themselves these have a graph of their own.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import NamedTuple

from passrole.definition.expressions import StepRef, references
from passrole.definition.kinds import expressions_in, kind_of, with_its_body
from passrole.definition.steps import Step, Trigger


class Branch(NamedTuple):
    """The branch of a Condition step with a step: `outcome` is True in IfSteps, False in ElseSteps."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Graph:
    """`dependencies` and its inverse `dependents` have every step as a key, in document order.

    `triggers` has, for a step, the dependencies for which it does not wait for success.
    """

    dependencies: Mapping[str, tuple[str, ...]]
    branches: Mapping[str, Branch]
    triggers: Mapping[str, Mapping[str, Trigger]] = field(default_factory=dict)

    def trigger(self, name: str, needed: str) -> Trigger:
        """How `needed` must end so that `name` can start."""
        return (
            self.triggers[name].get(needed, Trigger.COMPLETED) if name in self.triggers else Trigger.COMPLETED
        )

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """The direct dependents of each step, in document order."""
        inverse: dict[str, list[str]] = {name: [] for name in self.dependencies}
        for name, needed in self.dependencies.items():
            for each in needed:
                inverse[each].append(name)
        return {name: tuple(waiting) for name, waiting in inverse.items()}

    def downstream(self, names: Iterable[str]) -> frozenset[str]:
        """All direct and indirect dependents of `names`, without these."""
        seen: set[str] = set()
        frontier = deque(names)
        while frontier:
            for name in self.dependents[frontier.popleft()]:
                if name not in seen:
                    seen.add(name)
                    frontier.append(name)
        return frozenset(seen)

    def order(self) -> tuple[str, ...]:
        """All steps of a graph without a cycle: each after what it depends on, else in document order."""
        place = {name: number for number, name in enumerate(self.dependencies)}
        left = {name: len(needed) for name, needed in self.dependencies.items()}
        free = [place[name] for name, count in left.items() if count == 0]
        names, ordered = tuple(self.dependencies), []
        while free:
            name = names[heappop(free)]
            ordered.append(name)
            for each in self.dependents[name]:
                left[each] -= 1
                if left[each] == 0:
                    heappush(free, place[each])
        return tuple(ordered)

    def cycle(self) -> tuple[str, ...]:
        """The names along one cycle, each depending on the next; empty if there is none."""
        left = {name: len(needed) for name, needed in self.dependencies.items()}
        free = deque(name for name, count in left.items() if count == 0)
        while free:
            for name in self.dependents[free.popleft()]:
                left[name] -= 1
                if left[name] == 0:
                    free.append(name)
        stuck = {name for name, count in left.items() if count > 0}
        return _walk_cycle(self.dependencies, stuck) if stuck else ()


def build(steps: Mapping[str, Step]) -> Graph:
    """The graph of steps whose references and dependencies are known to exist."""
    branches = {
        child: Branch(step.name, outcome)
        for step in steps.values()
        for child, outcome in kind_of(step).branches(step)
    }
    dependencies = {name: _needed(step, branches.get(name)) for name, step in steps.items()}
    others = {name: _other_triggers(step) for name, step in steps.items()}
    return Graph(dependencies, branches, {name: each for name, each in others.items() if each})


def of_body(body: Iterable[Step]) -> Graph:
    """The graph of the steps of a loop's body among themselves."""
    steps = {step.name: step for step in body}
    needed = {name: tuple(each for each in _named(step) if each in steps) for name, step in steps.items()}
    others = {
        name: {each: how for each, how in _other_triggers(step).items() if each in steps}
        for name, step in steps.items()
    }
    return Graph(needed, {}, {name: each for name, each in others.items() if each})


def _needed(step: Step, branch: Branch | None) -> tuple[str, ...]:
    inside = {each.name for each in kind_of(step).body(step)}
    named = (name for each in with_its_body(step) for name in _named(each))
    names = dict.fromkeys(name for name in named if name not in inside)
    if branch:
        names[branch.condition] = None
    return tuple(names)


def _named(step: Step) -> Iterator[str]:
    """The steps in its DependsOn, and those that it references."""
    yield from step.depends_on
    for expression in expressions_in(step):
        yield from (ref.step for ref in references(expression) if isinstance(ref, StepRef))


def _other_triggers(step: Step) -> dict[str, Trigger]:
    inside = {each.name for each in kind_of(step).body(step)}
    return {
        name: how
        for each in with_its_body(step)
        for name, how in each.depends_on.items()
        if how is not Trigger.COMPLETED and name not in inside
    }


def _walk_cycle(dependencies: Mapping[str, tuple[str, ...]], stuck: set[str]) -> tuple[str, ...]:
    """A path in a cycle: each stuck step depends on another stuck step, so the path must repeat."""
    path: dict[str, int] = {}
    name = next(name for name in dependencies if name in stuck)
    while name not in path:
        path[name] = len(path)
        name = next(each for each in dependencies[name] if each in stuck)
    return tuple(path)[path[name] :]
