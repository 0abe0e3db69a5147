"""Fail steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.expressions import Constant, Expression
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.step_members import read_shared
from passrole.definition.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class FailStep(Step):
    """Ends the execution as Failed with a message."""

    type_: ClassVar[str] = "Fail"

    error_message: Expression


def _read(node: Node) -> Iterator[Step]:
    inner = node.object("Arguments", required=False)
    yield FailStep(**read_shared(node), error_message=_error_message(inner))
    if inner:
        inner.close()


def _error_message(arguments: Node | None) -> Expression:
    if arguments is None or arguments.any("ErrorMessage", required=False) is None:
        return Constant("")
    return arguments.text_expression("ErrorMessage")


KIND = Kind(
    step=FailStep,
    read=_read,
    expressions=lambda step: (step.error_message,),
    offers=lambda _step, _path: False,
    ends_at_once=True,
    ends_execution=True,
)
