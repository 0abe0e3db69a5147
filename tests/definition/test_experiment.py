from collections.abc import Callable
from typing import Any

import pytest

from passrole.definition import parse
from passrole.definition.expressions import Constant, VariableRef

TextOf = Callable[..., str]
ProblemsOf = Callable[[str], list[str]]


def test_saying_nothing_names_the_experiment_after_the_pipeline(text_of: TextOf) -> None:
    assert parse(text_of()).experiment == {
        "ExperimentName": VariableRef("PipelineName"),
        "TrialName": VariableRef("PipelineExecutionId"),
    }


def test_null_is_no_experiment_and_a_part_is_a_part(text_of: TextOf) -> None:
    assert parse(text_of(PipelineExperimentConfig=None)).experiment == {}
    part = parse(text_of(PipelineExperimentConfig={"TrialName": "t"})).experiment
    assert part == {"TrialName": Constant("t")}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Extra": 1}, "unknown property 'Extra'"),
        ("text", "Object"),
        ({"TrialName": {"Get": "Parameters.unknown"}}, "unknown"),
        ({"TrialName": {"Get": "PipelineExperimentConfig.ExperimentName"}}, "Cannot parse expression"),
        ({"TrialName": {"Get": "Steps.a.OutputParameters['o']"}}, "is not supported here"),
    ],
)
def test_what_names_no_experiment_is_a_problem(
    text_of: TextOf, problems_of: ProblemsOf, config: Any, message: str
) -> None:
    (problem,) = problems_of(text_of(PipelineExperimentConfig=config))
    assert message in problem


def test_a_step_may_refer_to_what_the_definition_names_and_to_nothing_else(
    text_of: TextOf, problems_of: ProblemsOf, lambda_step: Callable[..., Any]
) -> None:
    step = lambda_step("a", Arguments={"x": {"Get": "PipelineExperimentConfig.ExperimentName"}})
    assert not problems_of(text_of(step))
    refused = ["Unable to parse pipeline definition. Cannot parse expression "]
    refused[0] += "'PipelineExperimentConfig.ExperimentName'."
    assert problems_of(text_of(step, PipelineExperimentConfig=None)) == refused
    assert problems_of(text_of(step, PipelineExperimentConfig={"TrialName": "t"})) == refused
