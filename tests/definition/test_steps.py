from collections.abc import Callable, Sequence
from typing import Any

import pytest

from passrole.definition import CallbackStep, FailStep, LambdaStep, parse
from passrole.definition.expressions import Constant, ParameterRef
from passrole.definition.kinds import KNOWN_BUT_UNSUPPORTED
from passrole.definition.steps import CacheConfig, OutputParameter

TextOf = Callable[..., str]
COMMON = {"DisplayName": "shown", "Description": "told"}


def test_a_lambda_step_with_everything(text_of: TextOf) -> None:
    document = COMMON | {
        "Name": "L",
        "Type": "Lambda",
        "FunctionArn": "arn:f",
        "Arguments": {"n": 1},
        "OutputParameters": [{"OutputName": "o", "OutputType": "Float"}],
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
        "RetryPolicies": [],
    }
    assert parse(text_of(document)).steps["L"] == LambdaStep(
        name="L",
        where="Steps[0]",
        display_name="shown",
        description="told",
        function_arn=Constant("arn:f"),
        arguments=Constant({"n": 1}),
        outputs=(OutputParameter("o", "Float"),),
        cache=CacheConfig(True, 30 * 86_400),
    )


def test_a_callback_step_may_take_its_queue_from_a_parameter(text_of: TextOf) -> None:
    document = {"Name": "C", "Type": "Callback", "SqsQueueUrl": {"Get": "Parameters.Q"}}
    step = parse(text_of(document, Parameters=[{"Name": "Q", "Type": "String"}])).steps["C"]
    assert step == CallbackStep(
        name="C", where="Steps[0]", queue_url=ParameterRef("Q"), arguments=Constant({})
    )


@pytest.mark.parametrize("members", [{}, {"Arguments": {}}, {"Arguments": {"ErrorMessage": None}}])
def test_a_fail_step_without_message_has_an_empty_one(text_of: TextOf, members: dict[str, Any]) -> None:
    step = parse(text_of({"Name": "F", "Type": "Fail"} | members)).steps["F"]
    assert step == FailStep(name="F", where="Steps[0]", error_message=Constant(""))


@pytest.mark.parametrize(
    ("members", "ending"),
    [
        ({"DisplayName": "x" * 257}, "less than or equal to 256"),
        ({"Description": "x" * 3073}, "less than or equal to 3072"),
        (
            {"OutputParameters": [{"OutputName": "x" * 257, "OutputType": "String"}]},
            "less than or equal to 256",
        ),
        (
            {"OutputParameters": [{"OutputName": str(n), "OutputType": "String"} for n in range(51)]},
            "A step can declare at most 50 output parameters.",
        ),
        (
            {"OutputParameters": [{"OutputName": "o", "OutputType": "String"}] * 2},
            "OutputName 'o' is not unique: a name may appear only once in a pipeline.",
        ),
        ({"CacheConfig": {"Enabled": "yes"}}, "Value for 'Enabled' must be of type Boolean."),
        ({"CacheConfig": {"Enabled": True, "For": 1}}, "Cannot parse object, unknown property 'For'."),
        ({"DependsOn": "a"}, "Value for 'DependsOn' must be of type List."),
        ({"DependsOn": [1]}, "Value for 'DependsOn' must be of type String."),
        ({"FunctionArn": 5}, "Value for 'FunctionArn' must be of type String."),
    ],
)
def test_limits_and_types_of_members(
    members: dict[str, Any],
    ending: str,
    text_of: TextOf,
    lambda_step: Callable[..., dict[str, Any]],
    problems_of: Callable[[str], Sequence[str]],
) -> None:
    (message,) = problems_of(text_of(lambda_step("L", **members)))
    assert message.endswith(ending)


@pytest.mark.parametrize("type_", sorted(KNOWN_BUT_UNSUPPORTED))
def test_every_type_that_is_known_but_unsupported_is_refused_by_name(
    type_: str, text_of: TextOf, problems_of: Callable[[str], Sequence[str]]
) -> None:
    (message,) = problems_of(text_of({"Name": "S", "Type": type_, "Arguments": {}, "Whatever": 1}))
    assert f"Step type '{type_}' is not supported here." in message
