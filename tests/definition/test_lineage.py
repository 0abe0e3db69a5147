"""Lineage steps as definitions have them."""

import json
from typing import Any

import pytest

from passrole.definition import DefinitionError, LineageStep, parse

MODEL = "Unable to parse pipeline definition. Model Validation failed: "
ACTION = {"ActionName": "a", "ActionType": "t", "Source": {"SourceUri": {"Get": "Execution.PipelineName"}}}


def text(arguments: Any, **members: Any) -> str:
    step = {"Name": "S", "Type": "Lineage", "Arguments": arguments, **members}
    return json.dumps({"Version": "2020-12-01", "Steps": [step]})


def test_what_the_sdk_writes_is_read() -> None:
    step = parse(text({"Actions": [ACTION], "Contexts": [], "Associations": []})).steps["S"]
    assert isinstance(step, LineageStep) and step.retries == ()


@pytest.mark.parametrize(
    ("arguments", "where", "problem"),
    [
        ({}, "Steps[0].Arguments", "must have length greater than or equal to 1"),
        ({"Actions": [ACTION] * 6}, "Steps[0].Arguments.Actions", "less than or equal to 5"),
        ({"Associations": [{}] * 11}, "Steps[0].Arguments.Associations", "less than or equal to 10"),
        ({"Actions": [ACTION], "Trials": []}, "Steps[0].Arguments.Trials", "unknown property 'Trials'."),
        ({"Actions": ["a"]}, "Steps[0].Arguments.Actions[0]", "must be of type Object."),
        (None, "Steps[0].Arguments", "must be of type Object."),
    ],
)
def test_refused(arguments: Any, where: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(text(arguments))
    (found,) = refused.value.problems
    assert found.where == where and found.message.endswith(problem)


def test_only_what_the_metadata_have_may_be_referenced() -> None:
    def referring(path: str) -> str:
        step = {"Name": "L", "Type": "Lambda", "FunctionArn": "f", "Arguments": {"x": {"Get": path}}}
        return json.dumps({**json.loads(text({"Actions": [ACTION]})), "Steps": [
            *json.loads(text({"Actions": [ACTION]}))["Steps"], step]})  # fmt: skip

    assert list(parse(referring("Steps.S.ActionArns['a']")).steps) == ["S", "L"]
    with pytest.raises(DefinitionError, match="not an output of that step"):
        parse(referring("Steps.S.Arns['a']"))
