"""What is shown where there is no terminal."""

import pytest

from passrole.cli.pipelines.screens import Lines, screen
from passrole.client.plan import Plan
from passrole.client.progress import Progress, Step
from passrole.definition import parse

EMPTY = (
    '{"Version": "2020-12-01", "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}]}'
)


def of(*steps: Step) -> Progress:
    return Progress("Executing", "", list(steps))


def test_lines_show_each_change_once_and_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as shown:
        shown.show(of(Step("Fit", "Starting")), 0.0)
        shown.show(of(Step("Fit", "Executing")), 0.1)
        shown.show(of(Step("Fit", "Executing", 0.1)), 0.2)
        shown.show(of(Step("Fit", "Failed", 0.2, reason="ClientError: [red]no[/]")), 0.3)
    assert capsys.readouterr().out.splitlines() == [
        "    0.10 s  Executing  Fit",
        "    0.30 s  Failed     Fit: ClientError: [red]no[/]",
    ]


def test_a_pipe_gets_lines() -> None:
    assert isinstance(screen("p/e", Plan(parse(EMPTY))), Lines)
