"""Definitions for the tests of this room."""

from typing import Any

Json = dict[str, Any]


def pipeline(*steps: Json, **parameters: float | str) -> Json:
    """A definition of the steps; a parameter's type follows from its default."""
    types = {float: "Float", int: "Integer", str: "String"}
    declared = [
        {"Name": name, "Type": types[type(value)], "DefaultValue": value}
        for name, value in parameters.items()
    ]
    return {"Version": "2020-12-01", "Parameters": declared, "Steps": list(steps)}


def callback(name: str, queue_url: str, *outputs: str, **members: Any) -> Json:
    return {
        "Name": name,
        "Type": "Callback",
        "SqsQueueUrl": queue_url,
        "Arguments": {},
        "OutputParameters": [{"OutputName": each, "OutputType": "Float"} for each in outputs],
        **members,
    }


def lambda_(name: str, function_arn: str, *outputs: str, **members: Any) -> Json:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": function_arn,
        "Arguments": {},
        "OutputParameters": [{"OutputName": each, "OutputType": "Float"} for each in outputs],
        **members,
    }


def condition(name: str, left: str, right: Any, *, then: list[Json], otherwise: list[Json]) -> Json:
    """Whether the reference `left` is at least `right`."""
    test = {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Get": left}, "RightValue": right}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [test], "IfSteps": then, "ElseSteps": otherwise},
    }


def fail(name: str, message: str) -> Json:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}
