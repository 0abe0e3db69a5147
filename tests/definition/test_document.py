import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from passrole.definition import ConditionStep, DefinitionError, parse
from passrole.definition.document import CHARACTERS_MAX, DEPTH_MAX

HERE = Path(__file__).parent
REFUSED: list[dict[str, Any]] = json.loads((HERE / "refused.json").read_text())
TextOf = Callable[..., str]
ProblemsOf = Callable[[str], Sequence[str]]
LambdaStep = Callable[..., dict[str, Any]]

RECORDED = {  # what the SDK wrote -> its steps in order, or the problem AWS finds in it; `v3-`: of version 3
    "callback": ["C1", "C2"],
    "condition-all": ["L1", "Cond", "IfL", "F1", "F2", "After"],
    "depends-on": ["A", "B", "C"],
    "execution-variables": ["L"],
    "experiment-config-custom": ["L1"],
    "experiment-config-none": ["L1"],
    "experiment-config-props": ["L"],
    "foreach": ["FE", "FE2", "Z"],
    "fail": "F1 can not depends on F0",
    "lambda": ["L1", "L2"],
    "lambda-minimal": ["L1"],
    "mlflow-config": ["L1"],
    "parameters": ["L1"],
    "step-dependency-trigger": ["A", "B", "C", "D"],
    "to-string": ["L"],
    "emr-cluster-config": ["E1"],
    "emr-cluster-config-fleets": ["E1"],
    "emr-cluster-id": ["E1", "E2", "L"],
    "emr-output-args": ["E1", "L"],
    "emr-retry": ["E1"],
    "emr-serverless": ["ES1", "ES2", "L"],
}


@pytest.mark.parametrize("name", sorted(path.stem for path in (HERE / "recorded").iterdir()))
def test_what_the_sdk_writes_is_read(name: str) -> None:
    text = (HERE / "recorded" / f"{name}.json").read_text()
    try:
        read: list[str] | str = list(parse(text).steps)
    except DefinitionError as error:
        read = error.message
    assert read == RECORDED[name.removeprefix("v3-")]


def test_every_recorded_definition_is_tested() -> None:
    assert {path.stem.removeprefix("v3-") for path in (HERE / "recorded").iterdir()} == set(RECORDED)


@pytest.mark.parametrize("case", REFUSED, ids=[case["holds"] for case in REFUSED])
def test_refused(case: dict[str, Any], text_of: TextOf, problems_of: ProblemsOf) -> None:
    assert problems_of(text_of(*case["steps"], Parameters=case.get("parameters", []))) == [case["problem"]]


@pytest.mark.parametrize(
    ("text", "position"), [("", 0), ('{"a": 1,}', 7), ("{'a': 1}", 1), ('{"a": NaN}', 6), ('["\\ud800"]', 2)]
)
def test_malformed_json_tells_the_character_position(text: str, position: int) -> None:
    with pytest.raises(DefinitionError, match=f"^Unable to parse .* at character position {position}:"):
        parse(text)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"'])
def test_a_definition_is_an_object(text: str, problems_of: ProblemsOf) -> None:
    assert problems_of(text) == [
        "Unable to parse pipeline definition. Model Validation failed: "
        "Value for 'PipelineDefinition' must be of type Object."
    ]


def test_a_definition_has_at_most_a_mebi_of_characters(text_of: TextOf, problems_of: ProblemsOf) -> None:
    text = text_of()
    assert not problems_of(text.ljust(CHARACTERS_MAX))
    assert "maximum is 1048576" in problems_of(text.ljust(CHARACTERS_MAX + 1))[0]


@pytest.mark.parametrize("levels", [DEPTH_MAX, 1000, 100_000])
def test_deep_nesting_is_a_problem_and_not_a_crash(levels: int, problems_of: ProblemsOf) -> None:
    assert len(problems_of('{"Steps":' + "[" * levels + "]" * levels + "}")) == 1


def test_top_level_members_of_the_sdk_are_let_through(text_of: TextOf, problems_of: ProblemsOf) -> None:
    lenient: dict[str, Any] = {
        "Metadata": {"a": 1},
        "PipelineExperimentConfig": None,
        "MlflowConfig": {"x": []},
    }
    assert not problems_of(text_of(**lenient))
    assert problems_of(text_of(Extra=1)) == [
        "Unable to parse pipeline definition. Cannot parse object, unknown property 'Extra'."
    ]


def test_the_version_is_checked(text_of: TextOf, problems_of: ProblemsOf) -> None:
    assert problems_of(text_of(Version="2021-01-01")) == [
        "Unable to parse pipeline definition. Model Validation failed: "
        "Value '2021-01-01' for 'Version' failed to satisfy enum value set: [2020-12-01]"
    ]


def test_all_problems_are_found_and_placed(text_of: TextOf, lambda_step: LambdaStep) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(text_of(lambda_step("a", X=1), lambda_step("b c"), {"Name": "d"}))
    assert [problem.where for problem in caught.value.problems] == ["Steps[0].X", "Steps[1].Name", "Steps[2]"]


def test_conditions_nest(text_of: TextOf, lambda_step: LambdaStep) -> None:
    inner = {
        "Name": "Q2",
        "Type": "Condition",
        "Arguments": {"Conditions": [], "ElseSteps": [lambda_step("b")]},
    }
    outer = {"Conditions": [], "IfSteps": [lambda_step("a"), inner]}
    pipeline = parse(text_of({"Name": "Q1", "Type": "Condition", "Arguments": outer}))
    assert list(pipeline.steps) == ["Q1", "a", "Q2", "b"]
    first = pipeline.steps["Q1"]
    assert isinstance(first, ConditionStep)
    assert (first.if_steps, first.else_steps) == (("a", "Q2"), ())
    assert pipeline.graph.dependencies == {"Q1": (), "a": ("Q1",), "Q2": ("Q1",), "b": ("Q2",)}


def test_a_path_into_an_output_is_left_to_run_time(text_of: TextOf, lambda_step: LambdaStep) -> None:
    """The guide: a reference into a nested value fails the step that makes it."""
    output = {"OutputName": "o", "OutputType": "String"}
    get = {"Get": "Steps.a.OutputParameters['o'].x[0]"}
    pipeline = parse(
        text_of(lambda_step("a", OutputParameters=[output]), lambda_step("b", Arguments={"x": get}))
    )
    assert pipeline.graph.dependencies["b"] == ("a",)
