"""What the engine knows of a type of step: a row of KINDS, and what its answers have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from passrole.engine.decision import Draft
from passrole.engine.facts import CommandPhase, Fact, StepFailed
from passrole.engine.scope import Scope
from passrole.engine.state import State, StepState


class StepAnswer(Protocol):
    """A fact about one attempt of a step."""

    @property
    def at(self) -> float: ...
    @property
    def step(self) -> str: ...
    @property
    def attempt(self) -> int: ...


Start: TypeAlias = Callable[[Draft, Any, int, Scope], None]


class Answer(NamedTuple):
    """What a fact means to a step that runs: whether it is news, and what follows."""

    is_news: Callable[[StepState, Any], bool]
    rule: Callable[[Draft, Any], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of step. `start` begins it, for the number of the attempt.

    `answers` are the facts that it waits for. `end` asks for its end after a stop, once its work has begun
    outside; without one it is waited for. `is_one_call`: it asks for one thing, which begins and ends it.
    """

    start: Start
    answers: Mapping[type[Fact], Answer] = field(default_factory=dict)
    end: Callable[[Draft, StepState], None] | None = None
    is_one_call: bool = False


def running(state: State, fact: StepAnswer) -> StepState | None:
    """The step that a fact is about, if it is of this attempt and something is still to be heard of it."""
    progress = state.steps.get(fact.step)
    if progress is None or progress.attempt != fact.attempt or not progress.is_running:
        return None
    return progress


def message_due(progress: StepState) -> CommandPhase | None:
    """Which message is to be sent next, of a step that is told to begin and, after a stop, to end."""
    if progress.retry_due is not None:
        return None
    if progress.sent is None:
        return "Executing"
    return "Stopping" if progress.sent == "Executing" and progress.status == "Stopping" else None


def always(_progress: StepState, _fact: StepAnswer) -> bool:
    """A fact about a step that runs is news."""
    return True


def fail(draft: Draft, fact: StepAnswer, reason: str | None) -> None:
    """The step fails."""
    draft.record(StepFailed(at=fact.at, step=fact.step, attempt=fact.attempt, reason=reason))
