"""What a definition must know of a type of step: a row of the table."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from passrole.definition.expressions import Expression, StepRef
from passrole.definition.node import Node
from passrole.definition.properties import Path, Properties
from passrole.definition.steps import Step

S = TypeVar("S", bound=Step)


def _no_branches(_step: Step) -> Iterable[tuple[str, bool]]:
    return ()


def _no_body(_step: Step) -> tuple[Step, ...]:
    return ()


def _no_references(_step: Step) -> tuple[StepRef, ...]:
    return ()


def _to_itself(_step: Step, _path: Path) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """A type of step.

    `read` gives the step of an object and then the objects of the steps inside it, which are still to be
    read. `expressions` gives every expression of a step. `offers` says whether a reference `Steps.X.<path>`
    to the step has a meaning.

    The steps inside it are steps of the pipeline, or its `body`: these it keeps to itself, by `with_body`.
    `leads_to` gives the step of the body that a reference is about, and what is referenced of that.
    """

    step: type[S]
    read: Callable[[Node], Iterator[Step | Node]]
    expressions: Callable[[S], Iterable[Expression]]
    offers: Callable[[S, Path], bool]
    branches: Callable[[S], Iterable[tuple[str, bool]]] = _no_branches
    """The names of the steps inside it, each with the outcome that lets it run."""
    body: Callable[[S], tuple[Step, ...]] = _no_body
    references_to_body: Callable[[S], tuple[StepRef, ...]] = _no_references
    with_body: Callable[[S, tuple[Step, ...]], S] | None = None
    leads_to: Callable[[S, Path], tuple[str, Path] | None] = _to_itself
    waits_for_its_body: bool = False
    """Whether it is over once the steps of its body are, and so takes no slot."""
    properties: Properties | None = None
    """What may be referenced of that which it starts, where this can be described."""
    ends_at_once: bool = False
    """Whether it ends in the instant it starts, and so takes no slot."""
    ends_execution: bool = False
    """Whether nothing can come after it, so that no other step may depend on it."""
