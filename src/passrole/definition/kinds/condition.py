"""Condition steps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

from passrole.definition.conditions import Condition, expressions_of, read_condition
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.step_members import read_shared
from passrole.definition.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionStep(Step):
    """Chooses between two branches (step names): the first if all conditions hold."""

    type_: ClassVar[str] = "Condition"

    conditions: tuple[Condition, ...]
    if_steps: tuple[str, ...] = ()
    else_steps: tuple[str, ...] = ()


def _read(node: Node) -> Iterator[Step | Node]:
    inner = node.object("Arguments") or Node({}, node.where, [])
    if_steps, else_steps = (tuple(inner.objects(key, required=False)) for key in ("IfSteps", "ElseSteps"))
    yield ConditionStep(
        **read_shared(node),
        conditions=tuple(read_condition(each) for each in inner.objects("Conditions")),
        if_steps=_names(if_steps),
        else_steps=_names(else_steps),
    )
    inner.close()
    yield from if_steps
    yield from else_steps


def _names(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The step names of a branch; their problems are reported when the steps themselves are read."""
    names = (node.any("Name", required=False) for node in nodes)
    return tuple(name for name in names if isinstance(name, str))


def _branches(step: ConditionStep) -> Iterable[tuple[str, bool]]:
    for outcome, names in ((True, step.if_steps), (False, step.else_steps)):
        yield from ((name, outcome) for name in names)


KIND = Kind(
    step=ConditionStep,
    read=_read,
    expressions=lambda step: chain.from_iterable(map(expressions_of, step.conditions)),
    offers=lambda _step, path: path == ("Outcome",),
    branches=_branches,
    ends_at_once=True,
)
