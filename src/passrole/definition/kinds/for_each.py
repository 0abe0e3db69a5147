"""ForEach steps: the steps of a body, run once for each item of a list.

AWS documents only the SDK's classes, whose checks are those here.
https://github.com/aws/sagemaker-python-sdk/pull/6074
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, TypeAlias

from passrole.definition import problems as problem
from passrole.definition.expressions import (
    Constant,
    Expression,
    ListOf,
    ObjectOf,
    StepRef,
    items_of,
    read_iteration_output,
)
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Path
from passrole.definition.step_members import read_shared
from passrole.definition.steps import Step

Pick: TypeAlias = Literal["MaxBy", "MinBy"]

LITERAL_ITEMS_MAX: Final = 100
CONCURRENCY_MAX: Final = 50
NOT_IN_A_BODY: Final = ("Condition", "Fail", "ForEach")
COUNTS: Final = (
    "InputItemCount",
    "TotalStepCount",
    "SucceededStepCount",
    "FailedStepCount",
    "StoppedStepCount",
)
"""The properties of the step that are numbers, as they are named in its metadata."""

ITERATION_OUTPUTS: Final = "IterationOutputs"
_SELECTED = "Selected"
_PICKS: dict[str, Pick] = {"MaxBy": "MaxBy", "MinBy": "MinBy"}


@dataclass(frozen=True, slots=True)
class Selector:
    """Which iteration is selected: the one with the largest or smallest value of a property of a step of
    the body, to which `field` refers as if that step were one of the pipeline.
    """

    pick: Pick
    field: StepRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEachStep(Step):
    """Runs the steps of its `body` once for each item, `concurrency` of them at a time.

    The steps of the body are no steps of the pipeline; those of an iteration are named `<step>-<index>`.
    """

    type_: ClassVar[str] = "ForEach"

    items: Expression
    concurrency: int
    selector: Selector | None = None
    body: tuple[Step, ...] = ()


def _read(node: Node) -> Iterator[Step | Node]:
    inner = node.object("Arguments") or Node({}, node.where, [])
    body = inner.objects("ForEachBody")
    if inner.has("ForEachBody") and not body:
        node.found.append(problem.too_few(inner.path("ForEachBody"), "ForEachBody", 1))
    names = [each.any("Name", required=False) for each in body]
    yield ForEachStep(
        **read_shared(node),
        items=_items(inner),
        concurrency=_concurrency(inner),
        selector=_selector(inner, [name for name in names if isinstance(name, str)]),
    )
    inner.close()
    for each in body:
        type_ = each.any("Type", required=False)
        if type_ in NOT_IN_A_BODY:
            node.found.append(problem.not_in_a_body(each.path("Type"), str(type_)))
        else:
            yield each


def _items(node: Node) -> Expression:
    """A reference to a list, or to its JSON text; or a list of scalars and references."""
    expression = node.expression("IterableItems")
    if not node.has("IterableItems"):
        return expression
    where = node.path("IterableItems")
    items = items_of(expression)
    if isinstance(expression, Constant) and not isinstance(expression.value, list):
        node.found.append(problem.wrong_type(where, "IterableItems", "List"))
    elif isinstance(expression, Constant | ListOf) and items is not None:
        if not items:
            node.found.append(problem.too_few(where, "IterableItems", 1))
        if len(items) > LITERAL_ITEMS_MAX:
            node.found.append(problem.too_many(where, "IterableItems", LITERAL_ITEMS_MAX))
        for index, item in enumerate(items):
            is_scalar = not isinstance(item, Constant) or isinstance(item.value, str | int | float)
            if not is_scalar or isinstance(item, ListOf | ObjectOf):
                node.found.append(problem.wrong_type(f"{where}[{index}]", "IterableItems", "String"))
    return expression


def _concurrency(node: Node) -> int:
    found = len(node.found)
    node.any("MaxConcurrency")
    value = node.whole_number("MaxConcurrency", limit=CONCURRENCY_MAX)
    where = node.path("MaxConcurrency")
    if value is None and len(node.found) == found:
        node.found.append(problem.wrong_type(where, "MaxConcurrency", "Integer"))
    elif value == 0:
        node.found.append(problem.too_small(where, "MaxConcurrency", 1))
    return value or 1


def _selector(node: Node, body: list[str]) -> Selector | None:
    inner = node.object("Selector", required=False)
    if inner is None:
        return None
    pick = inner.choice("Pick", tuple(_PICKS))
    given = inner.any("Field")
    field = read_iteration_output(given)
    inner.close()
    if field is None or field.step not in body:
        if inner.has("Field"):
            node.found.append(problem.bad_selector_field(inner.path("Field"), _shown(given), body))
        return None
    return Selector(_PICKS.get(pick or "", "MaxBy"), field)


def _shown(given: object) -> str:
    return str(given.get("Get")) if isinstance(given, dict) and "Get" in given else "a value"


def _leads_to(step: ForEachStep, path: Path) -> tuple[str, Path] | None:
    """The step of the body that a reference to the loop is about, and what it asks of that."""
    if path[0] == ITERATION_OUTPUTS and len(path) > 3 and isinstance(path[1], int):
        return str(path[2]), path[3:]
    if path[0] == _SELECTED and len(path) > 1 and step.selector is not None:
        return step.selector.field.step, path[1:]
    return None


KIND = Kind(
    step=ForEachStep,
    read=_read,
    expressions=lambda step: (step.items,),
    offers=lambda _step, path: len(path) == 1 and path[0] in ("Status", *COUNTS),
    body=lambda step: step.body,
    with_body=lambda step, body: replace(step, body=body),
    references_to_body=lambda step: (step.selector.field,) if step.selector else (),
    leads_to=_leads_to,
    waits_for_its_body=True,
)
