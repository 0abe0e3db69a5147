"""Who waits for whom: the edges between steps, and what follows from them.

Knows nothing of what steps do. A step depends on every step it names in DependsOn, on every step it
references anywhere, and on the condition in whose branch it stands (SDK's PipelineGraph). It waits for
the success of each, unless DependsOn names another Trigger.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from passrole.definition.expressions import StepRef, references
from passrole.definition.steps import ConditionStep, Step, Trigger, expressions_in


class Branch(NamedTuple):
    """The place of a step inside a condition: `outcome` is True in IfSteps, False in ElseSteps."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Graph:
    """`dependencies` and its inverse `dependents` have every step as a key, in document order.

    `triggers` has, for a step, those that it waits for otherwise than for their success.
    """

    dependencies: Mapping[str, tuple[str, ...]]
    branches: Mapping[str, Branch]
    triggers: Mapping[str, Mapping[str, Trigger]] = field(default_factory=dict)

    def trigger(self, name: str, needed: str) -> Trigger:
        """How `needed` must end for `name` to go on."""
        return (
            self.triggers[name].get(needed, Trigger.COMPLETED) if name in self.triggers else Trigger.COMPLETED
        )

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """For each step those that wait for it, in document order."""
        inverse: dict[str, list[str]] = {name: [] for name in self.dependencies}
        for name, needed in self.dependencies.items():
            for each in needed:
                inverse[each].append(name)
        return {name: tuple(waiting) for name, waiting in inverse.items()}

    def downstream(self, names: Iterable[str]) -> frozenset[str]:
        """Everything that waits for one of `names`, directly or not; they themselves not included."""
        seen: set[str] = set()
        frontier = deque(names)
        while frontier:
            for name in self.dependents[frontier.popleft()]:
                if name not in seen:
                    seen.add(name)
                    frontier.append(name)
        return frozenset(seen)

    def cycle(self) -> tuple[str, ...]:
        """The names along one cycle, each depending on the next; empty where there is none."""
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
        if isinstance(step, ConditionStep)
        for outcome, children in ((True, step.if_steps), (False, step.else_steps))
        for child in children
    }
    dependencies = {name: _needed(step, branches.get(name)) for name, step in steps.items()}
    others = {name: _other_triggers(step) for name, step in steps.items()}
    return Graph(dependencies, branches, {name: each for name, each in others.items() if each})


def _needed(step: Step, branch: Branch | None) -> tuple[str, ...]:
    names = dict.fromkeys(step.depends_on)
    for expression in expressions_in(step):
        names |= dict.fromkeys(ref.step for ref in references(expression) if isinstance(ref, StepRef))
    if branch:
        names[branch.condition] = None
    return tuple(names)


def _other_triggers(step: Step) -> dict[str, Trigger]:
    return {name: each for name, each in step.depends_on.items() if each is not Trigger.COMPLETED}


def _walk_cycle(dependencies: Mapping[str, tuple[str, ...]], stuck: set[str]) -> tuple[str, ...]:
    """Every stuck step depends on a stuck step, so walking along them must come back."""
    path: dict[str, int] = {}
    name = next(name for name in dependencies if name in stuck)
    while name not in path:
        path[name] = len(path)
        name = next(each for each in dependencies[name] if each in stuck)
    return tuple(path)[path[name] :]
