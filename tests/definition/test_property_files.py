"""A property file of a JsonGet becomes the output that it is in, and counts as a dependency on its step."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from passrole.definition import ConditionStep, parse
from passrole.definition.conditions import Comparison, Not, Or
from passrole.definition.expressions import Constant, JsonGet, StepRef

TextOf = Callable[..., str]
ProblemsOf = Callable[[str], Sequence[str]]
LambdaStep = Callable[..., dict[str, Any]]
OUTPUT = "ProcessingOutputConfig.Outputs['eval'].S3Output.S3Uri"
REPORT = JsonGet(
    StepRef(
        "Eval", ("ProcessingOutputConfig", "Outputs", "eval", "S3Output", "S3Uri"), f"Steps.Eval.{OUTPUT}"
    ),
    "metrics.mse",
    file="report.json",
)


def evaluation(name: str = "Report", output: str = "eval", **members: Any) -> Any:
    files = [{"PropertyFileName": name, "OutputName": output, "FilePath": "report.json"}]
    arguments = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "eval"}]}}
    step = {"Name": "Eval", "Type": "Processing", "Arguments": arguments, "PropertyFiles": files}
    return step | members


def get(reference: Any = "Steps.Eval.PropertyFiles.Report", **members: Any) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": reference}, "Path": "metrics.mse"} | members}


def condition(value: Any, **branches: Any) -> dict[str, Any]:
    nested = {"Type": "Equals", "LeftValue": 1, "RightValue": value}
    conditions = [{"Type": "Or", "Conditions": [{"Type": "Not", "Condition": nested}]}]
    return {"Name": "Q", "Type": "Condition", "Arguments": {"Conditions": conditions} | branches}


def test_in_a_condition(text_of: TextOf) -> None:
    pipeline = parse(text_of(evaluation(), condition(get())))
    step = pipeline.steps["Q"]
    assert isinstance(step, ConditionStep)
    assert step.conditions == (Or((Not(Comparison("Equals", Constant(1), REPORT)),)),)
    assert pipeline.json_gets == {"Q": (REPORT,)}
    assert pipeline.graph.dependencies["Q"] == ("Eval",)


@pytest.mark.parametrize(
    "inside",
    [
        lambda value: value,
        lambda value: [1, {"deep": value}],
        lambda value: {"Std:Join": {"On": "", "Values": ["a", value]}},
        lambda value: {"Std:JsonGet": {"S3Uri": value, "Path": "a"}},
    ],
)
def test_wherever_it_stands_in_arguments(
    inside: Callable[[Any], Any], text_of: TextOf, lambda_step: LambdaStep
) -> None:
    in_branch = lambda_step("b", Arguments={"x": inside(get()), "y": [1, {"z": None}]})
    reader = lambda_step("l", Arguments={"x": inside(get())})
    pipeline = parse(text_of(evaluation(), reader, condition(2, IfSteps=[in_branch])))
    assert REPORT in pipeline.json_gets["l"]
    assert REPORT in pipeline.json_gets["b"]
    assert pipeline.graph.dependencies["l"] == ("Eval",)
    assert pipeline.graph.dependencies["b"] == ("Eval", "Q")


def test_it_is_the_same_graph_as_with_the_output_itself(text_of: TextOf, lambda_step: LambdaStep) -> None:
    values = [{"Get": f"Steps.Eval.{OUTPUT}"}, "report.json"]
    by_hand = {"S3Uri": {"Std:Join": {"On": "/", "Values": values}}, "Path": "metrics.mse"}
    first, second = (
        parse(text_of(lambda_step("l", Arguments={"x": value}), condition(value), evaluation()))
        for value in (get(), {"Std:JsonGet": by_hand})
    )
    assert first.graph == second.graph
    assert first.json_gets.keys() == second.json_gets.keys()


@pytest.mark.parametrize("name", ["Report", "a report.json", "x['y']", "ü"])
def test_a_property_file_has_any_name(name: str, text_of: TextOf, lambda_step: LambdaStep) -> None:
    reader = lambda_step("l", Arguments={"x": get(f"Steps.Eval.PropertyFiles.{name}")})
    assert parse(text_of(reader, evaluation(name))).json_gets == {"l": (REPORT,)}


@pytest.mark.parametrize(
    ("uri", "document"),
    [("s3://b/eval", "s3://b/eval/report.json"), ("s3://b/eval/", "s3://b/eval/report.json")],
)
def test_a_slash_is_not_doubled(uri: str, document: str) -> None:
    assert REPORT.document(uri) == document


def test_the_uri_of_a_document_is_kept_as_it_is() -> None:
    assert JsonGet(Constant("s3://b/k/"), "a").document("s3://b/k/") == "s3://b/k/"


def test_a_json_get_of_an_object_in_s3_stays_as_it_is(text_of: TextOf, lambda_step: LambdaStep) -> None:
    value = {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a"}}
    pipeline = parse(text_of(lambda_step("l", Arguments={"x": value})))
    assert pipeline.json_gets == {"l": (JsonGet(Constant("s3://b/k"), "a"),)}


@pytest.mark.parametrize(
    ("target", "value", "problem"),
    [
        (
            evaluation(),
            get("Steps.Eval.PropertyFiles.Other"),
            "Invalid JsonGet function in step 'l'. Property file reference 'Other' is undefined in step "
            "'Eval'.",
        ),
        (
            evaluation(PropertyFiles=None),
            get(),
            "Invalid JsonGet function in step 'l'. Property file reference 'Report' is undefined in step "
            "'Eval'.",
        ),
        (
            evaluation(output="other"),
            get(),
            "Processing output name 'other' defined in property file 'Report' not found in processing step "
            "'Eval'.",
        ),
        (
            {"Name": "Eval", "Type": "Training", "Arguments": {}},
            get(),
            "Invalid JsonGet function with 'Steps.Eval.PropertyFiles.Report' in step 'l'. JsonGet function "
            "(with property_file) can only be evaluated on processing step outputs.",
        ),
        (
            {"Name": "Else", "Type": "Training", "Arguments": {}},
            get(),
            "Step 'l' depends on step 'Eval', which does not exist in the pipeline.",
        ),
        (
            evaluation(),
            get(f"Steps.Eval.{OUTPUT}"),
            f"Unable to parse pipeline definition. Cannot parse expression 'Steps.Eval.{OUTPUT}'.",
        ),
        (
            evaluation(),
            get(5),
            "Unable to parse pipeline definition. Cannot parse expression 'PropertyFile'.",
        ),
        (
            evaluation(),
            get(S3Uri="s3://b/k"),
            "Unable to parse pipeline definition. Cannot parse object, unknown property 'S3Uri'.",
        ),
        (
            evaluation(),
            get(Path="a[*]"),
            "Unable to parse pipeline definition. Invalid json path 'a[*]'",
        ),
        (
            evaluation(),
            {"Get": "Steps.Eval.PropertyFiles.Report"},
            "Step 'l' references 'Steps.Eval.PropertyFiles.Report', which is not an output of that step.",
        ),
    ],
)
def test_what_is_not_declared_is_one_problem(
    target: Any,
    value: Any,
    problem: str,
    text_of: TextOf,
    lambda_step: LambdaStep,
    problems_of: ProblemsOf,
) -> None:
    assert problems_of(text_of(target, lambda_step("l", Arguments={"x": value}))) == [problem]


def test_an_output_whose_name_is_an_expression_is_left_to_run_time(
    text_of: TextOf, lambda_step: LambdaStep
) -> None:
    outputs = [{"OutputName": {"Get": "Parameters.P"}}]
    target = evaluation(Arguments={"ProcessingOutputConfig": {"Outputs": outputs}})
    reader = lambda_step("l", Arguments={"x": get()})
    pipeline = parse(text_of(target, reader, Parameters=[{"Name": "P", "Type": "String"}]))
    assert pipeline.json_gets == {"l": (REPORT,)}
