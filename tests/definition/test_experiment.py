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
    ("config", "sentence"),
    [
        ({"Extra": 1}, "unknown property 'Extra'"),
        ("text", "Object"),
        ({"TrialName": {"Get": "Parameters.unknown"}}, "unknown"),
        ({"TrialName": {"Get": "Steps.a.OutputParameters['o']"}}, "is not supported here"),
    ],
)
def test_what_names_no_experiment_is_a_problem(
    text_of: TextOf, problems_of: ProblemsOf, config: Any, sentence: str
) -> None:
    (problem,) = problems_of(text_of(PipelineExperimentConfig=config))
    assert sentence in problem
