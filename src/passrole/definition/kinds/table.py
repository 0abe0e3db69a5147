"""The types of steps that run here, and what is read by their rows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from passrole.definition import problems as problem
from passrole.definition.expressions import Expression
from passrole.definition.kinds import (
    callback,
    condition,
    emr,
    fail,
    lambda_,
    model,
    processing,
    register_model,
    training,
    unsupported,
)
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.steps import Step

_ROWS: Final[tuple[Kind[Any], ...]] = (
    lambda_.KIND,
    callback.KIND,
    emr.KIND,
    processing.KIND,
    training.KIND,
    model.KIND,
    register_model.KIND,
    condition.KIND,
    fail.KIND,
)

KINDS: Final[Mapping[str, Kind[Any]]] = {kind.step.type_: kind for kind in _ROWS}
"""The rows by SageMaker's names of the types, in the order in which messages list them."""

KNOWN_BUT_UNSUPPORTED: Final = frozenset(
    {
        "Athena",
        "AutoML",
        "Bedrock",
        "BedrockCustomModel",
        "BedrockCustomModelDeployment",
        "BedrockModelImport",
        "BedrockProvisionedModelThroughput",
        "ClarifyCheck",
        "Cleanup",
        "EMRServerless",
        "Endpoint",
        "EndpointConfig",
        "ForEach",
        "HubContent",
        "InferenceComponent",
        "Job",
        "Lineage",
        "QualityCheck",
        "Transform",
        "Tuning",
    }
)
"""SageMaker's step types that passrole does not run; they are refused by name, not as unknown types."""


NEVER_READ: Final = frozenset({"ForEach"})
"""Types of which not even a stub can be run: the steps inside one are not steps of the pipeline."""

UNSUPPORTED: Final[Mapping[str, Kind[Any]]] = {
    type_: unsupported.kind(type_) for type_ in sorted(KNOWN_BUT_UNSUPPORTED - NEVER_READ)
}
"""The rows of those that run as stubs only."""


def kind_of(step: Step) -> Kind[Any]:
    """The row of the step's type."""
    return KINDS.get(step.type_) or UNSUPPORTED[step.type_]


def expressions_in(step: Step) -> Iterable[Expression]:
    """Every expression of a step."""
    return kind_of(step).expressions(step)


def read_steps(nodes: Iterable[Node]) -> Iterator[Step]:
    """The steps of a list; those inside a step follow it."""
    for node in nodes:
        type_ = node.text("Type")
        if type_ in KNOWN_BUT_UNSUPPORTED:
            where = node.path("Type")
            node.found.append(problem.unsupported_step_type(where, type_, KINDS, never=NEVER_READ))
        kind = KINDS.get(type_ or "") or UNSUPPORTED.get(type_ or "")
        if kind is not None:
            yield from _read(kind, node)
        elif type_ in NEVER_READ:
            pass
        elif type_ is not None:
            node.found.append(problem.not_in_enum(node.path("Type"), type_, "Type", KINDS))


def _read(kind: Kind[Any], node: Node) -> Iterator[Step]:
    read = tuple(kind.read(node))
    node.close()
    for each in read:
        if isinstance(each, Node):
            yield from read_steps((each,))
        else:
            yield each
