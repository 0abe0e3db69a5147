"""QualityCheck and ClarifyCheck steps: their members, and what may be referred to."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from passrole.definition import ClarifyCheckStep, QualityCheckStep, parse
from passrole.definition.expressions import Constant, ParameterRef

TextOf = Callable[..., str]
ProblemsOf = Callable[[str], Sequence[str]]
FILES = ("SuppliedBaselineConstraints", "SuppliedBaselineStatistics")
OPTIONAL = (
    "ModelPackageGroupName",
    "SkipCheck",
    "FailOnViolation",
    "RegisterNewBaseline",
    "CacheConfig",
    "RetryPolicies",
    "SuppliedBaselineConstraints",
)


def check(type_: str = "QualityCheck", check: str = "DATA_QUALITY", **members: Any) -> dict[str, Any]:
    return {"Name": "C", "Type": type_, "CheckType": check, "Arguments": {}, **members}


def clarify(**members: Any) -> dict[str, Any]:
    return check("ClarifyCheck", "DATA_BIAS", **members)


@pytest.mark.parametrize("given", [{}, dict.fromkeys(OPTIONAL), {"SuppliedBaselineConstraints": ""}])
def test_what_is_absent_null_or_empty_has_a_default(given: Any, text_of: TextOf) -> None:
    quality = parse(text_of(check(**given))).steps["C"]
    assert quality == QualityCheckStep(
        name="C",
        where="Steps[0]",
        arguments=Constant({}),
        check_type="DATA_QUALITY",
        skip=Constant(False),
        fail_on_violation=Constant(True),
        register=Constant(False),
    )
    assert isinstance(parse(text_of(clarify(**given))).steps["C"], ClarifyCheckStep)


def test_every_member_may_be_a_parameter(text_of: TextOf) -> None:
    flags = ("SkipCheck", "FailOnViolation", "RegisterNewBaseline")
    members: Any = {name: {"Get": f"Parameters.{name}"} for name in (*flags, "ModelPackageGroupName", *FILES)}
    declared = [{"Name": name, "Type": "Boolean" if name in flags else "String"} for name in members]
    step = parse(text_of(check(**members), Parameters=declared)).steps["C"]
    assert isinstance(step, QualityCheckStep)
    assert (step.skip, step.group) == (ParameterRef("SkipCheck"), ParameterRef("ModelPackageGroupName"))
    assert step.supplied_statistics == ParameterRef("SuppliedBaselineStatistics")


@pytest.mark.parametrize(
    ("document", "ending"),
    [
        (check(CheckType=None), "Value for 'CheckType' must be of type String."),
        (
            check(CheckType="DATA_BIAS"),
            "for 'CheckType' failed to satisfy enum value set: [DATA_QUALITY, MODEL_QUALITY]",
        ),
        (
            clarify(CheckType="DATA_QUALITY"),
            "failed to satisfy enum value set: [DATA_BIAS, MODEL_BIAS, MODEL_EXPLAINABILITY]",
        ),
        (check(SkipCheck="true"), "Value for 'SkipCheck' must be of type Boolean."),
        (check(FailOnViolation=1), "Value for 'FailOnViolation' must be of type Boolean."),
        (check(ModelPackageGroupName=3), "Value for 'ModelPackageGroupName' must be of type String."),
        (
            check(ModelPackageGroupName="g" * 257),
            "Value for 'ModelPackageGroupName' failed to satisfy constraint: "
            "Member must have length less than or equal to 256",
        ),
        (clarify(SuppliedBaselineStatistics="s3://b/k"), "unknown property 'SuppliedBaselineStatistics'."),
        (check(ModelName="m"), "unknown property 'ModelName'."),
        (check(PropertyFiles=[]), "unknown property 'PropertyFiles'."),
    ],
    ids=str,
)
def test_bad_members_are_problems(
    document: Any, ending: str, text_of: TextOf, problems_of: ProblemsOf
) -> None:
    (message,) = problems_of(text_of(document))
    assert message.endswith(ending)


@pytest.mark.parametrize("baseline", ["CalculatedBaseline", "BaselineUsedForDriftCheck"])
@pytest.mark.parametrize(
    ("step", "file", "holds"),
    [
        (check(), "Constraints", True),
        (check(), "Statistics", True),
        (clarify(), "Constraints", True),
        (clarify(), "Statistics", False),
        (check(), "Constraints.S3Uri", False),
        (check(), "", False),
    ],
)
def test_the_files_of_both_baselines_may_be_referred_to(
    step: Any, file: str, holds: bool, baseline: str, text_of: TextOf, problems_of: ProblemsOf
) -> None:
    event = {"uri": {"Get": f"Steps.C.{baseline}{file}"}}
    reads = {"Name": "L", "Type": "Lambda", "FunctionArn": "f", "Arguments": event}
    assert (problems_of(text_of(step, reads)) == []) is holds


def test_nothing_of_the_job_may_be_referred_to(text_of: TextOf, problems_of: ProblemsOf) -> None:
    event = {"uri": {"Get": "Steps.C.ProcessingJobName"}}
    reads = {"Name": "L", "Type": "Lambda", "FunctionArn": "f", "Arguments": event}
    assert len(problems_of(text_of(check(), reads))) == 1
