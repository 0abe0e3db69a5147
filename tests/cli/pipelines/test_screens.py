"""What is shown where there is no terminal, and what a terminal's table holds."""

import pytest
from rich.console import Console

from passrole.cli.pipelines.screens import Lines, screen, table
from passrole.client.jobs import JobState
from passrole.client.progress import Step


def test_lines_show_each_change_once_and_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as shown:
        shown.show([Step("Fit", "Executing")], 0.1)
        shown.show([Step("Fit", "Executing", 0.1)], 0.2)
        shown.show([Step("Fit", "Failed", 0.2, reason="ClientError: [red]no[/]")], 0.3)
    assert capsys.readouterr().out.splitlines() == [
        "    0.10 s  Executing  Fit",
        "    0.30 s  Failed     Fit: ClientError: [red]no[/]",
    ]


def test_a_pipe_gets_lines() -> None:
    assert isinstance(screen(), Lines)


def test_a_table_shows_text_as_it_is_and_offers_an_answer() -> None:
    console = Console(width=80, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(table([Step("Fit", "Failed", 0.2, reason="[red]no[/]")], 1.0, "press a"))
    told = captured.get()
    assert "[red]no[/]" in told
    assert "press a" in told


def test_a_table_has_the_last_line_of_a_job_under_its_step_cut_to_the_width() -> None:
    console = Console(width=60, record=True, force_terminal=False)
    job = JobState("j", "Training", lines=("[b]epoch 1 " + "x" * 200,))
    with console.capture() as captured:
        console.print(table([Step("Fit", "Executing", 0.2, job=job), Step("Next", "Starting")], 1.0, None))
    lines = captured.get().splitlines()
    fit = next(number for number, line in enumerate(lines) if "Fit" in line)
    assert "Training" in lines[fit] and "[b]epoch 1 xx" in lines[fit + 1] and "Next" in lines[fit + 2]
