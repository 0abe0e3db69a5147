"""The table: quantities in words, ratios the right way round, budgets met or not."""

import io
from typing import Literal

import pytest
from bench.table import COLUMNS, Figure, Peer, Row, Unit, missed, show
from rich.console import Console

MS, PER_SECOND = Figure(0.002, "s"), Figure(4_000, "/s")


@pytest.mark.parametrize(
    "value, unit, words",
    [
        (2.5, "s", "2.50 s"),
        (0.0105, "s", "10.5 ms"),
        (0.001, "s", "1.00 ms"),
        (0.000_25, "s", "250 µs"),
        (0.000_002_34, "s", "2.34 µs"),
        (52_300_000, "bytes", "52.3 MB"),
        (-400_000, "bytes", "-0.40 MB"),
        (13_348.2, "/s", "13,348 /s"),
        (0.0, "cores", "0.00 cores"),
    ],
)
def test_a_figure_is_told_in_the_unit_that_reads_best(value: float, unit: Unit, words: str) -> None:
    assert str(Figure(value, unit)) == words


@pytest.mark.parametrize(
    "row, ratio, met",
    [
        (Row("alone", MS), None, None),
        (Row("peer", MS, Peer("moto", Figure(0.008, "s"))), 0.25, None),
        (Row("kept", MS, None, Figure(0.004, "s")), 0.5, True),
        (Row("just kept", MS, None, Figure(0.002, "s")), 1.0, True),
        (Row("missed", MS, None, Figure(0.001, "s")), 2.0, False),
        (Row("peer and budget", MS, Peer("pipe", Figure(0.001, "s")), Figure(0.003, "s")), 2.0, True),
        (Row("enough a second", PER_SECOND, None, Figure(2_000, "/s")), 2.0, True),
        (Row("too few a second", PER_SECOND, None, Figure(5_000, "/s")), 0.8, False),
        (Row("nothing to divide by", MS, Peer("nothing", Figure(0.0, "s"))), None, None),
    ],
    ids=lambda value: value.what if isinstance(value, Row) else "",
)
def test_the_ratio_is_the_figure_over_its_peer_and_a_rate_may_not_be_less_than_its_budget(
    row: Row, ratio: float | None, met: bool | None
) -> None:
    assert (row.ratio, row.met) == (ratio, met)


def test_without_a_terminal_the_table_is_markdown_with_a_line_a_row() -> None:
    rows = [
        Row("an invocation", MS, Peer("a pipe", Figure(0.000_01, "s")), Figure(0.003, "s")),
        Row("waiting", Figure(0.3, "s"), None, Figure(0.1, "s")),
        Row("steps", PER_SECOND),
    ]
    head, rule, *lines, blank, caption = drawn(rows, terminal=False).splitlines()
    assert cells(head) == list(COLUMNS)
    assert set(rule) == {"|", "-"}
    assert list(map(cells, lines)) == [
        ["an invocation", "2.00 ms", "a pipe: 10.0 µs", "200 x", "3.00 ms", "yes"],
        ["waiting", "300 ms", "its budget", "3.00 x", "100 ms", "NO"],
        ["steps", "4,000 /s", "", "", "", ""],
    ]
    assert (blank, caption) == ("", "2 cores [quiet]")


def test_on_a_terminal_a_missed_budget_is_red() -> None:
    text = drawn([Row("waiting", Figure(0.3, "s"), None, Figure(0.1, "s"))], terminal=True)
    assert "\x1b[1;31m" in text
    assert "|" not in text


def test_missed_are_those_over_their_budget_alone() -> None:
    kept, over, free = Row("a", MS, None, MS), Row("b", MS, None, Figure(0.001, "s")), Row("c", MS)
    assert missed([kept, over, free]) == [over]


def drawn(rows: list[Row], *, terminal: bool) -> str:
    file = io.StringIO()
    colours: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=file, force_terminal=terminal, width=120, color_system=colours, _environ={})
    show(rows, console, "2 cores [quiet]")
    return file.getvalue()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
