"""Which branches of which conditions the tests have taken: what no test took, no test has tried.

A Condition step that was stubbed has decided nothing, and does not count.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from passrole import history
from passrole.definition import ConditionStep, Pipeline
from passrole.engine import State
from passrole.engine.stubs import is_stubbed
from passrole.history import definitions
from passrole.services.sagemaker.records import PIPELINES
from passrole.store import Tx


class Branch(NamedTuple):
    """One outcome of a Condition step, and the steps that it lets run."""

    pipeline: str
    condition: str
    outcome: bool
    steps: tuple[str, ...]


class Branches:
    """The branches of all pipelines that tests deployed, and how often each was taken."""

    def __init__(self) -> None:
        self._taken: dict[Branch, int] = {}

    def note(self, seen: Mapping[Branch, int]) -> None:
        """Count what a test has taken."""
        for branch, times in seen.items():
            self._taken[branch] = self._taken.get(branch, 0) + times

    @property
    def taken(self) -> list[Branch]:
        """Those that some execution has taken."""
        return [branch for branch, times in self._taken.items() if times]

    @property
    def untaken(self) -> list[Branch]:
        """Those that none has taken."""
        return [branch for branch, times in self._taken.items() if not times]

    def lines(self) -> Iterator[str]:
        """A summary for people."""
        yield f"{len(self.taken)} of {len(self._taken)} branches taken"
        for branch in self.untaken:
            what = ", ".join(branch.steps) or "nothing"
            yield f"{branch.pipeline}: {branch.condition} was never {branch.outcome} (which runs {what})"

    def to_json(self) -> list[list[Any]]:
        """For another process; see `note_json`."""
        return [[*branch[:3], list(branch.steps), times] for branch, times in self._taken.items()]

    def note_json(self, seen: Iterable[Iterable[Any]]) -> None:
        """Count what another process has seen."""
        for pipeline, condition, outcome, steps, times in seen:
            self.note({Branch(pipeline, condition, outcome, tuple(steps)): times})


def seen(tx: Tx) -> dict[Branch, int]:
    """The branches of the pipelines in the store, and how many executions took each."""
    found: dict[Branch, int] = {}
    for _, pipeline in PIPELINES.all(tx):
        for branch in _branches(pipeline.name, definitions.pipeline_of(tx, pipeline.definition)):
            found.setdefault(branch, 0)
    for (arn,) in tx.all("SELECT execution FROM executions"):
        state = history.load(tx, arn).state
        for branch in _taken(state):
            found[branch] = found.get(branch, 0) + 1
    return found


def _branches(name: str, pipeline: Pipeline) -> Iterator[Branch]:
    for step in pipeline.steps.values():
        if isinstance(step, ConditionStep):
            for outcome in (True, False):
                within = pipeline.graph.branches.items()
                steps = tuple(child for child, branch in within if branch == (step.name, outcome))
                yield Branch(name, step.name, outcome, steps)


def _taken(state: State) -> Iterator[Branch]:
    assert state.origin is not None, "what is in the journal has begun"
    for branch in _branches(state.origin.pipeline_name, state.pipeline):
        step = state.steps.get(branch.condition)
        has_decided = (
            step is not None and step.status == "Succeeded" and not is_stubbed(state, branch.condition)
        )
        if step is not None and has_decided and step.outcome == branch.outcome:
            yield branch
