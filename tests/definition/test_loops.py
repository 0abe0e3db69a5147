"""ForEach steps as definitions have them: what is read, and what is refused where."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from passrole.definition import DefinitionError, ForEachStep, LambdaStep, parse
from passrole.definition.expressions import Constant, Join, ListOf, StepRef
from passrole.definition.kinds.for_each import Selector
from passrole.definition.loops import iteration_of

Json = Any
Build = Callable[..., Json]
OUTPUTS = [{"OutputName": "o", "OutputType": "Integer"}]
ITEM = {"Get": "ForEach.CurrentItem"}
NAME = {"Get": "Execution.PipelineName"}
PARSE = "Unable to parse pipeline definition. "
MODEL = PARSE + "Model Validation failed: "


@pytest.fixture
def problems() -> Callable[..., list[tuple[str, str]]]:
    """Where something is wrong with these steps, and what."""

    def read(*steps: Json) -> list[tuple[str, str]]:
        try:
            parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))
        except DefinitionError as error:
            return [(each.where, each.message) for each in error.problems]
        return []

    return read


def loop(*body: Json, **arguments: Json) -> Json:
    given = {"IterableItems": ["x"], "MaxConcurrency": 1, "ForEachBody": list(body), **arguments}
    return {"Name": "F", "Type": "ForEach", "Arguments": {k: v for k, v in given.items() if v is not None}}


def test_a_loop_with_everything(lambda_step: Build) -> None:
    field = {"Get": "IterationOutput.A.OutputParameters['o']"}
    step = loop(
        lambda_step("A", Arguments={"i": ITEM}, OutputParameters=OUTPUTS),
        IterableItems=["x", 2, {"Get": "Execution.PipelineName"}],
        MaxConcurrency=50,
        Selector={"Pick": "MinBy", "Field": field},
    )
    read = parse(json.dumps({"Version": "2020-12-01", "Steps": [step]}))
    assert list(read.steps) == ["F"], "a step of a body is no step of the pipeline"
    found = read.steps["F"]
    assert isinstance(found, ForEachStep)
    assert isinstance(found.items, ListOf) and found.concurrency == 50
    path = ("OutputParameters", "o")
    assert found.selector == Selector("MinBy", StepRef("A", path, field["Get"]))
    assert [each.name for each in read.all_steps] == ["F", "A"]
    assert read.find("A-7") == read.find("A") and read.find("A-x") is None


def test_the_step_of_an_iteration_has_its_item_and_the_neighbours_of_its_iteration(
    lambda_step: Build,
) -> None:
    arguments = {
        "text": {"Std:Join": {"On": "-", "Values": [{"Get": "ForEach.CurrentItem.n"}, ITEM]}},
        "before": {"Get": "Steps.A.OutputParameters['o']"},
        "outside": {"Get": "Steps.L.OutputParameters['o']"},
    }
    body = (lambda_step("A", OutputParameters=OUTPUTS), lambda_step("B", Arguments=arguments))
    steps = [lambda_step("L", OutputParameters=OUTPUTS), loop(*body)]
    pipeline = parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))
    made = pipeline.bodies["F"].step("B", 3, {"n": 5})
    assert isinstance(made, LambdaStep) and made.name == "B-3"
    values = dict(made.arguments.members)  # type: ignore[union-attr]  # an object of expressions
    assert values["text"] == Join("-", (Constant(5), Constant({"n": 5})))
    assert values["before"].step == "A-3" and values["outside"].step == "L"
    assert pipeline.graph.dependencies["F"] == ("L",)
    assert pipeline.bodies["F"].graph.dependencies["B"] == ("A",)


@pytest.mark.parametrize(
    ("name", "found"), [("A-0", 0), ("A-12", 12), ("A-01", None), ("A-", None), ("A", None), ("B-1", None)]
)
def test_names_of_iterations(name: str, found: int | None) -> None:
    iteration = iteration_of(name, {"A": "F"})
    assert (iteration.index if iteration else None) == found


def inside(type_: str) -> Json:
    return {"Name": "X", "Type": type_, "Arguments": {}}


LAMBDA = {"Name": "A", "Type": "Lambda", "FunctionArn": "arn:f", "OutputParameters": OUTPUTS}
OTHER = {**LAMBDA, "Name": "B"}


def selecting(**members: Json) -> Json:
    given = {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.A.OutputParameters['o']"}} | members
    return loop(LAMBDA, Selector=given)


def asking(path: str) -> Json:
    return {**OTHER, "Name": "Z", "Arguments": {"x": {"Get": path}}}


def size(word: str, limit: int) -> str:
    return f"failed to satisfy constraint: Member must have {word} than or equal to {limit}"


ALLOWED = "is not allowed in ForEachBody. Disallowed types: Condition, Fail, ForEach."
FIELD = (
    f"{MODEL}Selector.Field must be an IterationOutput reference to a body step of this ForEach step [A], "
)
REFUSED: Sequence[tuple[str, Sequence[Json], str, str]] = (
    ("no items", [loop(LAMBDA, IterableItems=None)], "Steps[0].Arguments",
     f"{MODEL}Missing required property 'IterableItems'."),
    ("a list of nothing", [loop(LAMBDA, IterableItems=[])], "Steps[0].Arguments.IterableItems",
     f"{MODEL}Value for 'IterableItems' {size('length greater', 1)}"),
    ("101 items", [loop(LAMBDA, IterableItems=[1] * 101)], "Steps[0].Arguments.IterableItems",
     f"{MODEL}Value for 'IterableItems' {size('length less', 100)}"),
    ("a literal text", [loop(LAMBDA, IterableItems='["a"]')], "Steps[0].Arguments.IterableItems",
     f"{MODEL}Value for 'IterableItems' must be of type List."),
    ("an item that is an object", [loop(LAMBDA, IterableItems=["x", {"a": 1}])],
     "Steps[0].Arguments.IterableItems[1]", f"{MODEL}Value for 'IterableItems' must be of type String."),
    ("an item of an object with a reference", [loop(LAMBDA, IterableItems=[{"a": NAME}])],
     "Steps[0].Arguments.IterableItems[0]", f"{MODEL}Value for 'IterableItems' must be of type String."),
    ("no concurrency", [loop(LAMBDA, MaxConcurrency=None)], "Steps[0].Arguments",
     f"{MODEL}Missing required property 'MaxConcurrency'."),
    ("concurrency 0", [loop(LAMBDA, MaxConcurrency=0)], "Steps[0].Arguments.MaxConcurrency",
     f"{MODEL}Value for 'MaxConcurrency' {size('value greater', 1)}"),
    ("concurrency 51", [loop(LAMBDA, MaxConcurrency=51)], "Steps[0].Arguments.MaxConcurrency",
     f"{MODEL}Value for 'MaxConcurrency' {size('value less', 50)}"),
    ("concurrency by reference", [loop(LAMBDA, MaxConcurrency={"Get": "Parameters.N"})],
     "Steps[0].Arguments.MaxConcurrency", f"{MODEL}Value for 'MaxConcurrency' must be of type Number."),
    ("no body", [loop(ForEachBody=None)], "Steps[0].Arguments",
     f"{MODEL}Missing required property 'ForEachBody'."),
    ("an empty body", [loop()], "Steps[0].Arguments.ForEachBody",
     f"{MODEL}Value for 'ForEachBody' {size('length greater', 1)}"),
    *((f"a {type_} inside", [loop(LAMBDA, inside(type_))], "Steps[0].Arguments.ForEachBody[1].Type",
       f"{PARSE}Step type '{type_}' {ALLOWED}") for type_ in ("Condition", "Fail", "ForEach")),
    ("an unknown member", [loop(LAMBDA, Parallel=1)], "Steps[0].Arguments.Parallel",
     f"{PARSE}Cannot parse object, unknown property 'Parallel'."),
    ("retries", [{**loop(LAMBDA), "RetryPolicies": []}], "Steps[0].RetryPolicies",
     f"{PARSE}Cannot parse object, unknown property 'RetryPolicies'."),
    ("a mistake in the body", [loop({**LAMBDA, "Function": 1})], "Steps[0].Arguments.ForEachBody[0].Function",
     f"{PARSE}Cannot parse object, unknown property 'Function'."),
    ("another pick", [selecting(Pick="First")], "Steps[0].Arguments.Selector.Pick",
     f"{MODEL}Value 'First' for 'Pick' failed to satisfy enum value set: [MaxBy, MinBy]"),
    ("a field of a step", [selecting(Field={"Get": "Steps.A.OutputParameters['o']"})],
     "Steps[0].Arguments.Selector.Field",
     f"{FIELD}at least one member deep. Got: Steps.A.OutputParameters['o']."),
    ("a field of another body", [selecting(Field={"Get": "IterationOutput.B.Id"})],
     "Steps[0].Arguments.Selector.Field", f"{FIELD}at least one member deep. Got: IterationOutput.B.Id."),
    ("a field that is no output", [selecting(Field={"Get": "IterationOutput.A.OutputParameters['p']"})],
     "Steps[0]",
     "Step 'F' references 'IterationOutput.A.OutputParameters['p']', which is not an output of that step."),
    ("the item outside of a body", [{**LAMBDA, "Arguments": {"i": ITEM}}], "Steps[0]",
     f"{PARSE}Cannot parse expression 'ForEach.CurrentItem'."),
    ("an iteration's output outside of a selector", [asking("IterationOutput.A.Id")],
     "Steps[0].Arguments.x", f"{PARSE}Cannot parse expression 'IterationOutput.A.Id'."),
    ("a step of the body from outside", [loop(LAMBDA), asking("Steps.A.OutputParameters['o']")], "Steps[1]",
     "Step 'Z' depends on step 'A', which runs once for each item of ForEach step 'F': depend on 'F', or "
     "reference 'Steps.F.IterationOutputs[<index>].A'."),
    ("an output that the step of the body has not",
     [loop(LAMBDA), asking("Steps.F.IterationOutputs[0].A.OutputParameters['p']")], "Steps[1]",
     "Step 'Z' references 'Steps.F.IterationOutputs[0].A.OutputParameters['p']', "
     "which is not an output of that step."),
    ("outputs without an index", [loop(LAMBDA), asking("Steps.F.IterationOutputs.A.Id")], "Steps[1]",
     "Step 'Z' references 'Steps.F.IterationOutputs.A.Id', which is not an output of that step."),
    ("what is selected where nothing is", [loop(LAMBDA), asking("Steps.F.Selected.OutputParameters['o']")],
     "Steps[1]",
     "Step 'Z' references 'Steps.F.Selected.OutputParameters['o']', which is not an output of that step."),
    ("the name of an iteration", [loop(LAMBDA), {**OTHER, "Name": "A-3"}], "Steps[1]",
     "Step name 'A-3' is not unique: the iterations of step 'A' are named 'A-<index>'."),
    ("the same name in a body", [loop(LAMBDA), LAMBDA], "Steps[1]",
     "Step name 'A' is not unique: a name may appear only once in a pipeline."),
    ("steps of a body that wait for each other",
     [loop({**LAMBDA, "DependsOn": ["B"]}, {**OTHER, "DependsOn": ["A"]})], "Steps",
     "The pipeline contains a cycle: A -> B -> A"),
    ("a body that waits for its loop", [loop({**LAMBDA, "DependsOn": ["F"]})], "Steps",
     "The pipeline contains a cycle: F -> F"),
    ("a body that waits for nobody's step", [loop({**LAMBDA, "DependsOn": ["N"]})],
     "Steps[0].Arguments.ForEachBody[0]",
     "Step 'A' depends on step 'N', which does not exist in the pipeline."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "where", "message"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused(
    steps: Sequence[Json], where: str, message: str, problems: Callable[..., list[tuple[str, str]]]
) -> None:
    assert problems(*steps) == [(where, message)]


def test_a_body_step_of_a_type_that_is_not_run_is_refused_unless_it_is_stubbed() -> None:
    text = json.dumps({"Version": "2020-12-01", "Steps": [loop(inside("Cleanup"))]})
    with pytest.raises(DefinitionError, match="Step type 'Cleanup' is not supported here"):
        parse(text)
    assert parse(text, stubbed={"X"}).find("X-0") is not None


def test_a_property_file_of_a_neighbour_is_looked_up() -> None:
    outputs = {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": "s3://b/k"}}]}
    files = [{"PropertyFileName": "P", "OutputName": "out", "FilePath": "m.json"}]
    first = {"Name": "A", "Type": "Processing", "PropertyFiles": files}
    get = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.PropertyFiles.P"}, "Path": "a"}}
    steps = [
        loop({**first, "Arguments": {"ProcessingOutputConfig": outputs}}, {**OTHER, "Arguments": {"v": get}})
    ]
    pipeline = parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))
    (found,) = pipeline.json_gets["B"]
    assert (found.file, found.s3_uri.step) == ("m.json", "A")  # type: ignore[union-attr]  # a StepRef
