"""Which values an answer may carry."""

import pytest

from passrole.client.callbacks import unusable_output
from passrole.definition.steps import OutputParameter, OutputType


@pytest.mark.parametrize(
    "type_, value, problem",
    [
        ("String", "", None),
        ("String", "any", None),
        ("Integer", "-3", None),
        ("Integer", "3.5", "`3.5` is not an integer"),
        ("Integer", "", "give an integer"),
        ("Float", "0.8", None),
        ("Float", "much", "`much` is not a number"),
        ("Boolean", "true", None),
        ("Boolean", "yes", "`yes` is not true or false"),
        ("String", "x" * 1024, None),
        ("String", "x" * 1025, "an output has at most 1024 characters"),
    ],
)
def test_a_value_must_be_of_the_declared_type(type_: OutputType, value: str, problem: str | None) -> None:
    assert unusable_output(OutputParameter("o", type_), value) == problem
