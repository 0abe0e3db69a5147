"""What checks need beside their job: an earlier baseline, and the shadow endpoint of a model."""

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from passrole.definition import parse
from passrole.engine import begin, decide
from passrole.engine.commands import FindBaseline
from passrole.engine.facts import ExecutionStarted
from passrole.needs import (
    Definition,
    Need,
    Place,
    RawStep,
    needs_of_job_roles,
    needs_of_role,
    read_definition,
)
from passrole.needs.checks import baseline_of

PLACE = Place("us-west-2", "123456789012")
GET: Any = {"Get": "Parameters.Flag"}
URIS = {"SuppliedBaselineConstraints": "s3://b/c.json", "SuppliedBaselineStatistics": "s3://b/s.json"}
ONE = {"SuppliedBaselineConstraints": "s3://b/c.json"}
LOOKS = ("sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage")


def definition(type_: str = "QualityCheck", **members: Any) -> Any:
    given = {"ModelPackageGroupName": "g", "Arguments": {"RoleArn": "jobs"}, **members}
    step = {"Name": "C", "Type": type_, **given}
    parameters = [{"Name": "Flag", "Type": "Boolean"}, {"Name": "Text", "Type": "String"}]
    return read_definition(json.dumps({"Parameters": parameters, "Steps": [step]}), {})


def looks(**members: Any) -> list[str]:
    """The look-ups of the execution's role that are required, and `maybe` for those that depend on a run."""
    found = [each for each in needs_of_role(definition(**members), PLACE) if each.action in LOOKS]
    return [each.action.rpartition(":")[2] if each.is_required else "maybe" for each in found]


def of_job(type_: str = "QualityCheck", **members: Any) -> list[Need]:
    return needs_of_job_roles(definition(type_, **members), PLACE)


def reads(**members: Any) -> list[tuple[str, bool]]:
    found = [each for each in of_job(**members) if each.why == "reads the earlier baseline"]
    return [(each.resource, each.is_required) for each in found if each.action == "s3:GetObject"]


BOTH, MAYBE = ["ListModelPackages", "DescribeModelPackage"], ["maybe", "maybe"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, BOTH),
        ({"RegisterNewBaseline": True}, BOTH),
        ({"SkipCheck": True}, BOTH),
        ({"SkipCheck": True, "RegisterNewBaseline": True}, []),
        ({"ModelPackageGroupName": None}, []),
        (ONE, BOTH),
        (URIS, []),
        ({**URIS, "SuppliedBaselineStatistics": ""}, BOTH),
        ({**URIS, "SuppliedBaselineStatistics": {"Get": "Parameters.Text"}}, MAYBE),
        ({"SkipCheck": GET, "RegisterNewBaseline": GET}, MAYBE),
        ({"SkipCheck": GET, "RegisterNewBaseline": False}, BOTH),
        ({"SkipCheck": False, "RegisterNewBaseline": GET}, BOTH),
    ],
)
def test_an_earlier_baseline_is_looked_for_only_where_it_is_needed(members: Any, expected: list[str]) -> None:
    assert looks(**members) == expected


def test_a_clarify_check_has_one_file_to_supply() -> None:
    assert looks(type_="ClarifyCheck", **ONE) == []


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (URIS, [("arn:aws:s3:::b/s.json*", True), ("arn:aws:s3:::b/c.json*", True)]),
        ({**URIS, "SkipCheck": GET}, [("arn:aws:s3:::b/s.json*", False), ("arn:aws:s3:::b/c.json*", False)]),
        ({**URIS, "SkipCheck": True}, []),
        ({}, [("arn:aws:s3:::*/*", False)]),
        (ONE, [("arn:aws:s3:::b/c.json*", True), ("arn:aws:s3:::*/*", False)]),
        ({"SkipCheck": True}, []),
    ],
)
def test_the_jobs_role_reads_what_it_compares_with(members: Any, expected: list[tuple[str, bool]]) -> None:
    assert reads(**members) == expected


@pytest.mark.parametrize("check", ["MODEL_BIAS", "MODEL_EXPLAINABILITY"])
def test_the_job_of_a_models_check_makes_and_deletes_an_endpoint(check: str) -> None:
    found = of_job("ClarifyCheck", CheckType=check, ModelName="m", **ONE)
    own = {(each.action, each.resource.rpartition(":")[2]) for each in found if "sm-clarify" in each.resource}
    config, endpoint = "endpoint-config/sm-clarify-config-*", "endpoint/sm-clarify-*"
    assert own == {
        ("sagemaker:CreateEndpointConfig", config),
        ("sagemaker:AddTags", config),
        ("sagemaker:CreateEndpoint", endpoint),
        ("sagemaker:CreateEndpoint", config),
        ("sagemaker:AddTags", endpoint),
        ("sagemaker:DescribeEndpoint", endpoint),
        ("sagemaker:InvokeEndpoint", endpoint),
        ("sagemaker:DeleteEndpoint", endpoint),
        ("sagemaker:DeleteEndpointConfig", config),
    }
    (creation,) = [each for each in found if each.action == "sagemaker:CreateEndpointConfig"]
    assert creation.context["sagemaker:ModelArn"] == "arn:aws:sagemaker:us-west-2:123456789012:model/m"
    assert [each.action for each in found if each.optional and "Delete" in each.action] == [
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig",
    ]


def test_a_check_of_data_makes_none() -> None:
    assert not [each for each in of_job("ClarifyCheck", CheckType="DATA_BIAS") if "Endpoint" in each.action]


FLAGS: Any = (None, False, True, {"Get": "Parameters.Skip"}, {"Get": "Parameters.New"})
TEXTS: Any = (None, "", "s3://b/f.json", {"Get": "Parameters.Text"})


@pytest.mark.parametrize("type_", ["QualityCheck", "ClarifyCheck"])
def test_what_is_said_of_a_baseline_is_what_an_execution_asks(type_: str) -> None:
    """Over every way to write the members, and every value that an execution gives to parameters."""
    second = TEXTS if type_ == "QualityCheck" else (None,)
    for skip, new, constraints, statistics, group in product(FLAGS, FLAGS, TEXTS, second, (None, "g")):
        members = {"SkipCheck": skip, "RegisterNewBaseline": new, "ModelPackageGroupName": group}
        files = {"SuppliedBaselineConstraints": constraints, "SuppliedBaselineStatistics": statistics}
        given = {name: each for name, each in (members | files).items() if each is not None}
        check = "DATA_QUALITY" if type_ == "QualityCheck" else "DATA_BIAS"
        step = {"Name": "C", "Type": type_, "CheckType": check, "Arguments": {"RoleArn": "r"}, **given}
        types = {"Skip": "Boolean", "New": "Boolean", "Text": "String"}
        parameters = [{"Name": name, "Type": each} for name, each in types.items()]
        text = json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [step]})
        said = baseline_of(*_only_step(text))
        asked = {
            asks_for_baseline(text, {"Skip": one, "New": other, "Text": uri})
            for one, other, uri in product((False, True), (False, True), ("", "s3://b/p.json"))
        }
        assert said.is_sought in (asked if len(asked) == 1 else {None}), (step, asked)


def _only_step(text: str) -> tuple[RawStep, Definition]:
    read = read_definition(text, {})
    return read.steps[0], read


def asks_for_baseline(text: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the engine asks the registry when an execution with these parameters starts."""
    started = ExecutionStarted(
        at=1.0,
        seed="s",
        pipeline_name="p",
        pipeline_arn="arn:p",
        execution_id="abcdefghijkl",
        execution_arn="arn:p/execution/abcdefghijkl",
        parameters=parameters,
    )
    asked = decide(begin(parse(text)), started).commands
    return any(isinstance(each, FindBaseline) for each in asked)
