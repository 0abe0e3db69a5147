"""The live view at any size: what runs, waits or has failed is on the screen, and the footer is its end."""

import pytest
from rich.console import Console
from rich.text import Text

from passrole.cli.pipelines.layout import Picture, frame, whole
from passrole.client.jobs import JobState
from passrole.client.progress import Counts, Iteration, Step

SIZES = [(80, 24), (200, 50), (40, 20)]
REASON = (
    "ClientError: Failed to invoke lambda:InvokeFunction. Error Details: ValueError: the table has no column "
    "`score`; see s3://a-bucket-with-a-long-name/and-a-prefix/of-several-parts/table.csv"
)
PARALLEL = [Step(f"Part{number:02}", "Executing", 3.0) for number in range(30)]
CALLBACKS = [Step(name, "Executing", 9.0, token=f"{name}00") for name in ("Review", "Budget")]
FOOTER = [Text("-" * 20), Text("2 callbacks wait, Review is chosen"), Text("a approve  r reject")]


def lines_of(steps: list[Step], width: int, height: int, chosen: str = "") -> list[str]:
    console = Console(width=width, height=height)
    picture = Picture("pipeline/execution", "Executing", steps, 12.34, chosen)
    lines = [line.plain for line in frame(picture, FOOTER, console, height)]
    assert len(lines) <= height and max(map(len, lines)) <= width
    return lines


def words(lines: list[str]) -> str:
    return "".join("".join(lines).split())


@pytest.mark.parametrize("width, height", SIZES)
def test_thirty_parallel_steps_and_two_callbacks_are_all_seen(width: int, height: int) -> None:
    lines = lines_of([*PARALLEL, *CALLBACKS, Step("Publish", "Pending")], width, height, "Review")
    assert all(step.name in words(lines) for step in [*PARALLEL, *CALLBACKS])
    assert lines[:2] == ["pipeline/execution", "Executing  0 of 33 steps  12.3 s"]
    assert lines[-1] == "a approve  r reject"
    assert any(line.startswith("> Review") for line in lines)


@pytest.mark.parametrize("width, height", SIZES)
def test_a_reason_is_whole_while_there_is_room(width: int, height: int) -> None:
    done = [Step(f"Done{number}", "Succeeded", 1.0) for number in range(12)]
    lines = lines_of([*done, Step("Train", "Failed", 2.0, reason=REASON), *CALLBACKS], width, height)
    assert "".join(REASON.split()) in words(lines)
    if height < 24:
        assert "  12 succeeded" in lines and not any("Done3" in line for line in lines)


@pytest.mark.parametrize("width, height", [*SIZES, (40, 10), (30, 7)])
def test_failures_outlive_everything_else(width: int, height: int) -> None:
    steps = [*PARALLEL, Step("Train", "Failed", 2.0, reason=REASON), *CALLBACKS]
    if height < 20:
        steps = steps[20:]
    told = words(lines_of(steps, width, height))
    assert "Train" in told and "Review" in told


@pytest.mark.parametrize("width, height", [(20, 8), (12, 5), (5, 3), (1, 1)])
def test_no_line_is_wider_and_no_view_higher_than_the_smallest_terminal(width: int, height: int) -> None:
    assert lines_of([*PARALLEL, Step("Train", "Failed", 2.0, reason=REASON), *CALLBACKS], width, height)


def test_a_cut_reason_says_so() -> None:
    steps = [Step(f"Train{number}", "Failed", 2.0, reason=REASON) for number in range(5)]
    lines = lines_of(steps, 40, 20)
    assert all(any(f"Train{number}" in line for line in lines) for number in range(5))
    assert sum(line.endswith(" ..") for line in lines) == 5


def test_at_the_end_every_step_and_reason_is_whole() -> None:
    steps = [Step(f"Train{number}", "Failed", 2.0, reason=REASON) for number in range(9)]
    picture = Picture("p/e", "Failed", steps, 1.0)
    told = words([line.plain for line in whole(picture, Console(width=40))])
    assert told.count("".join(REASON.split())) == 9


def test_finished_and_skipped_steps_fold_before_those_to_come() -> None:
    many = [Step(f"Done{number}", "Succeeded", 1.0) for number in range(12)]
    other = [Step("Else", "Skipped"), *PARALLEL[:5], Step("Next", "Pending"), Step("Last", "Pending")]
    folded = lines_of([*many, *other], 80, 14)
    assert folded[1].startswith("Executing  12 of 19 steps")
    assert folded[2] == "  12 succeeded, 1 skipped"
    assert any(line.startswith("  Next ") for line in folded)
    tighter = lines_of([*many, *other], 80, 12)
    assert "  2 to come" in tighter


def test_a_job_has_its_phase_and_metric_beside_and_its_last_line_below() -> None:
    job = JobState("j", "Training", metrics=(("loss", 0.25),), lines=("[b]epoch 1 " + "x" * 200,))
    lines = lines_of([Step("Fit", "Executing", 0.2, job=job), Step("Next", "Pending")], 80, 24)
    fit = next(number for number, line in enumerate(lines) if "Fit" in line)
    assert "Training  loss=0.25" in lines[fit]
    assert "[b]epoch 1 xx" in lines[fit + 1] and "Next" in lines[fit + 2]


def test_long_names_keep_both_ends_and_no_text_steers_the_terminal() -> None:
    steps = [Step(f"{'a' * 60}{number}", "Failed", 1.0, reason="\x1b[2J[red]no[/]") for number in range(2)]
    lines = lines_of(steps, 40, 20)
    assert [line.split()[0][-1] for line in lines if "Failed" in line] == ["0", "1"]
    assert "\\x1b[2J[red]no[/]" in words(lines)
    assert "\x1b" not in "".join(lines)


def test_a_loop_has_its_counts_and_its_steps_that_go_on_or_failed() -> None:
    """Those that succeeded are counted: a thousand lines would say less."""

    def inside(index: int, status: str) -> Step:
        return Step(f"Fit-{index}", status, 1.0, iteration=Iteration("Each", index, "x"))

    running = [inside(998, "Failed"), inside(999, "Executing")]
    steps = [
        Step("Each", "Executing", 9.0, counts=Counts(1_500, 998, 1, 0)),
        *(inside(index, "Succeeded") for index in range(998)),
        *running,
        Step("Publish", "Pending"),
    ]
    lines = lines_of(steps, 80, 24)
    assert lines[1] == "Executing  0 of 2 steps  12.3 s"
    assert any(
        line.split()[:2] == ["Each", "Executing"] and "999 of 1500 steps, 1 failed" in line for line in lines
    )
    assert [line.split()[0] for line in lines[3:5]] == ["Fit-998", "Fit-999"]
    assert "Fit-997" not in words(lines)
