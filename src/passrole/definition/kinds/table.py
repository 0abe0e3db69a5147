"""The types of steps that run here, and what is read by their rows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from passrole.definition import problems as problem
from passrole.definition.expressions import Expression
from passrole.definition.kinds import (
    callback,
    checks,
    condition,
    emr,
    emr_serverless,
    endpoint,
    endpoint_config,
    fail,
    for_each,
    lambda_,
    lineage,
    model,
    processing,
    register_model,
    training,
    transform,
    tuning,
    unsupported,
)
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Path
from passrole.definition.steps import Step

_ROWS: Final[tuple[Kind[Any], ...]] = (
    lambda_.KIND,
    callback.KIND,
    emr.KIND,
    emr_serverless.KIND,
    processing.KIND,
    training.KIND,
    tuning.KIND,
    transform.KIND,
    checks.QUALITY,
    checks.CLARIFY,
    model.KIND,
    register_model.KIND,
    endpoint_config.KIND,
    endpoint.KIND,
    condition.KIND,
    fail.KIND,
    for_each.KIND,
    lineage.KIND,
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
        "Cleanup",
        "HubContent",
        "InferenceComponent",
        "Job",
    }
)
"""SageMaker's step types that passrole does not run; they are refused by name, not as unknown types."""


UNSUPPORTED: Final[Mapping[str, Kind[Any]]] = {
    type_: unsupported.kind(type_) for type_ in sorted(KNOWN_BUT_UNSUPPORTED)
}
"""The rows of those that run as stubs only."""


def kind_of(step: Step) -> Kind[Any]:
    """The row of the step's type."""
    return KINDS.get(step.type_) or UNSUPPORTED[step.type_]


def expressions_in(step: Step) -> Iterable[Expression]:
    """Every expression of a step."""
    return kind_of(step).expressions(step)


def with_its_body(step: Step) -> tuple[Step, ...]:
    """The step and those that it keeps to itself."""
    return (step, *kind_of(step).body(step))


def is_offered(step: Step, path: Path) -> bool:
    """Whether a reference `Steps.X.<path>` to the step has a meaning."""
    kind = kind_of(step)
    lead = kind.leads_to(step, path)
    if lead is None:
        return kind.offers(step, path)
    inner = next((each for each in kind.body(step) if each.name == lead[0]), None)
    return inner is not None and is_offered(inner, lead[1])


def read_steps(nodes: Iterable[Node]) -> Iterator[Step]:
    """The steps of a list; those inside a step follow it."""
    for node in nodes:
        type_ = node.text("Type")
        if type_ in KNOWN_BUT_UNSUPPORTED:
            where = node.path("Type")
            node.found.append(problem.unsupported_step_type(where, type_, KINDS))
        kind = KINDS.get(type_ or "") or UNSUPPORTED.get(type_ or "")
        if kind is not None:
            yield from _read(kind, node)
        elif type_ is not None:
            node.found.append(problem.not_in_enum(node.path("Type"), type_, "Type", KINDS))


def _read(kind: Kind[Any], node: Node) -> Iterator[Step]:
    read = tuple(kind.read(node))
    node.close()
    own = (each for each in read if isinstance(each, Step))
    inner = tuple(read_steps(each for each in read if isinstance(each, Node)))
    if kind.with_body is not None:
        yield from (kind.with_body(each, inner) for each in own)
    else:
        yield from own
        yield from inner
