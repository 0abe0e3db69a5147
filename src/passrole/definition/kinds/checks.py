"""QualityCheck and ClarifyCheck steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-quality-check
https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-clarify-check
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

from passrole.definition import problems as problem
from passrole.definition.expressions import Constant, Expression
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Properties
from passrole.definition.step_members import JobMembers, read_job
from passrole.definition.steps import JobStep, Step

_GROUP_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStep(JobStep):
    """Calculates a baseline of a dataset or model, and may compare it with an earlier one.

    `arguments` is CreateProcessingJob's request. The three flags are truth values at run time; `group` is the
    model package group whose latest approved package has the earlier baseline, where that is not supplied.
    """

    baseline_files: ClassVar[tuple[str, ...]]
    """What a baseline consists of."""

    check_type: str
    skip: Expression
    fail_on_violation: Expression
    register: Expression
    group: Expression | None = None
    supplied_constraints: Expression | None = None
    supplied_statistics: Expression | None = None
    model: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheckStep(CheckStep):
    """Checks the quality of data, or of a model's predictions."""

    type_: ClassVar[str] = "QualityCheck"
    baseline_files: ClassVar[tuple[str, ...]] = ("Statistics", "Constraints")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarifyCheckStep(CheckStep):
    """Checks the bias of data or of a model, or what a model's predictions come from."""

    type_: ClassVar[str] = "ClarifyCheck"
    baseline_files: ClassVar[tuple[str, ...]] = ("Constraints",)


class _Members(JobMembers):
    check_type: str
    skip: Expression
    fail_on_violation: Expression
    register: Expression
    group: Expression | None
    supplied_constraints: Expression | None


class _Given(TypedDict):
    supplied_statistics: Expression | None


def _read_quality(node: Node) -> Iterator[Step]:
    given = _Given(supplied_statistics=_optional(node, "SuppliedBaselineStatistics"))
    yield QualityCheckStep(**_members(node, ("DATA_QUALITY", "MODEL_QUALITY")), **given)


def _read_clarify(node: Node) -> Iterator[Step]:
    members = _members(node, ("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"))
    yield ClarifyCheckStep(**members, model=_optional(node, "ModelName"))


def _members(node: Node, check_types: tuple[str, ...]) -> _Members:
    return _Members(
        **read_job(node),
        check_type=node.choice("CheckType", check_types) or "",
        skip=_flag(node, "SkipCheck", absent=False),
        fail_on_violation=_flag(node, "FailOnViolation", absent=True),
        register=_flag(node, "RegisterNewBaseline", absent=False),
        group=_group(node),
        supplied_constraints=_optional(node, "SuppliedBaselineConstraints"),
    )


def _flag(node: Node, key: str, *, absent: bool) -> Expression:
    """A boolean or an expression; SDKs send null for what is not given."""
    value = node.any(key, required=False)
    if value is None:
        return Constant(absent)
    if not isinstance(value, bool | dict):
        node.found.append(problem.wrong_type(node.path(key), key, "Boolean"))
    return node.expression(key)


def _group(node: Node) -> Expression | None:
    key = "ModelPackageGroupName"
    group = _optional(node, key)
    literal = group.value if isinstance(group, Constant) else None
    if isinstance(literal, str) and len(literal) > _GROUP_MAX:
        node.found.append(problem.too_many_characters(node.path(key), key, _GROUP_MAX))
    return group


def _optional(node: Node, key: str) -> Expression | None:
    """A text or an expression; null and the empty text are absent, as SDKs send both."""
    return node.text_expression(key) if node.any(key, required=False) not in (None, "") else None


def _expressions(step: CheckStep) -> Iterable[Expression]:
    given = (
        step.arguments,
        step.skip,
        step.fail_on_violation,
        step.register,
        step.group,
        step.supplied_constraints,
        step.supplied_statistics,
        step.model,
    )
    return (each for each in given if each is not None)


def _kind(step: type[CheckStep], read: Any) -> Kind[Any]:
    """The properties are the files of both baselines, and nothing of the job.

    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
    """
    baselines = ("CalculatedBaseline", "BaselineUsedForDriftCheck")
    names = tuple(f"{baseline}{file}" for baseline in baselines for file in step.baseline_files)
    properties = Properties(names)
    return Kind(
        step=step,
        read=read,
        expressions=_expressions,
        offers=lambda _step, path: len(path) == 1 and properties.has(path),
        properties=properties,
    )


QUALITY = _kind(QualityCheckStep, _read_quality)
CLARIFY = _kind(ClarifyCheckStep, _read_clarify)
