"""All steps of a pipeline in the order of its graph, also those that an execution has not reached.

AWS lists a step once it has started; a plan knows the others from the definition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

from passrole.client.progress import Step
from passrole.definition import CallbackStep, Pipeline
from passrole.definition.steps import OutputParameter

PENDING: Final = "Pending"
"""The status of a step that has not started."""
SKIPPED: Final = "Skipped"
"""The status of a step that will not start: its branch was not taken, or it depends on such a step."""

_TAKEN = {"True": True, "False": False}


@dataclass(frozen=True)
class Plan:
    """The steps of one definition."""

    pipeline: Pipeline

    def steps(self, listed: Sequence[Step]) -> list[Step]:
        """Every step in the order of the graph, those of iterations after their loop.

        One that is not listed is Pending or Skipped.
        """
        known = {step.name: step for step in listed}
        skipped = self._skipped(known)
        status = {name: SKIPPED if name in skipped else PENDING for name in self._order}
        inside: dict[str, list[Step]] = {}
        for step in listed:
            if step.name not in status:
                inside.setdefault(step.iteration.loop if step.iteration else "", []).append(step)
        steps: list[Step] = []
        for name in self._order:
            steps += [known.get(name) or Step(name, status[name]), *inside.pop(name, ())]
        return [*steps, *chain.from_iterable(inside.values())]

    def outputs(self, step: str) -> Sequence[OutputParameter]:
        """The outputs that a callback declares."""
        found = self.pipeline.find(step)
        return found.outputs if isinstance(found, CallbackStep) else ()

    @cached_property
    def _order(self) -> tuple[str, ...]:
        return self.pipeline.graph.order()

    def _skipped(self, known: dict[str, Step]) -> set[str]:
        graph, skipped = self.pipeline.graph, set[str]()
        for name in self._order:
            branch = graph.branches.get(name)
            condition = known.get(branch.condition) if branch else None
            taken = _TAKEN.get(condition.outcome) if condition else None
            is_other = branch is not None and taken is not None and taken is not branch.outcome
            if is_other or not skipped.isdisjoint(graph.dependencies[name]):
                skipped.add(name)
        return skipped
