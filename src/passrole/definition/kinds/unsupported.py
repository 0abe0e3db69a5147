"""Step types of SageMaker that passrole does not run: their definitions are read as far as a stub needs it.

A new definition with such a step is refused, unless the step is stubbed. What may be referenced of it is
not checked, and neither are its members.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from passrole.definition.expressions import Expression
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.step_members import read_shared
from passrole.definition.steps import Step

_READ = ("Type", "Name", "DisplayName", "Description", "DependsOn", "Arguments")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsupportedStep(Step):
    """A step of one of these types. `others` are its members that passrole does not know."""

    arguments: Expression
    others: tuple[Expression, ...] = ()


def kind(type_: str) -> Kind[Any]:
    """The row of a type, by SageMaker's name."""
    members = {"type_": type_, "__slots__": (), "__module__": __name__, "__doc__": f"A {type_} step."}
    step: type[UnsupportedStep] = type(f"{type_}Step", (UnsupportedStep,), members)
    return Kind(
        step=step,
        read=_reader(step),
        expressions=lambda each: (each.arguments, *each.others),
        offers=lambda _step, _path: True,
    )


def _reader(step: type[UnsupportedStep]) -> Callable[[Node], Iterator[Step]]:
    def read(node: Node) -> Iterator[Step]:
        others = tuple(node.expression(key) for key in node.names if key not in _READ)
        yield step(**read_shared(node), arguments=node.expression("Arguments", required=False), others=others)

    return read
