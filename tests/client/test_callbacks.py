"""Which outputs an answer may carry."""

import pytest

from passrole.client.callbacks import declared_outputs

CALLBACK = {"Name": "Review", "Type": "Callback", "OutputParameters": [{"OutputName": "reviewer"}]}


@pytest.mark.parametrize(
    "steps, expected",
    [
        ([CALLBACK], ["reviewer"]),
        ([{"Name": "Review", "Type": "Callback"}], []),
        ([{"Name": "C", "Type": "Condition", "Arguments": {"IfSteps": [CALLBACK]}}], ["reviewer"]),
        ([{"Name": "C", "Type": "Condition", "Arguments": {"ElseSteps": [CALLBACK]}}], ["reviewer"]),
        ([{"Name": "Other", "OutputParameters": [{"OutputName": "x"}]}], []),
        ([], []),
    ],
)
def test_the_declared_outputs_of_a_step_are_found_in_branches_too(
    steps: list[dict[str, object]], expected: list[str]
) -> None:
    assert declared_outputs({"Steps": steps}, "Review") == expected
