"""Tables that fit the terminal, however narrow."""

import click
import pytest
from rich.cells import cell_len

from passrole.cli.pipelines.tables import labelled, lines

HEADINGS = ("Step", "Status", "Time", "")
ROWS = [
    ("PrepareTheData", "Succeeded", "1.2 s", ""),
    ("Train", "Failed", "12m3s", "AlgorithmError: the program ended with 1, and what it said is in the log"),
    ("数据", "Executing", "3.0 s", "waits for an answer to 3vJ8kQzT1a"),
]


def plain(width: int) -> list[str]:
    return [click.unstyle(line) for line in lines(HEADINGS, ROWS, width)]


@pytest.mark.parametrize("width", [20, 30, 40, 50, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut_off(width: int) -> None:
    found = plain(width)
    assert max(map(cell_len, found)) <= width
    words = " ".join(found).split()
    assert [word for row in ROWS for text in row for word in text.split() if word not in words] == []


def test_a_wide_terminal_has_a_table_whose_last_column_is_wrapped_below_itself() -> None:
    assert plain(60) == [
        "Step            Status     Time",
        "PrepareTheData  Succeeded  1.2 s",
        "Train           Failed     12m3s  AlgorithmError: the",
        "                                  program ended with 1, and",
        "                                  what it said is in the log",
        "数据            Executing  3.0 s  waits for an answer to",
        "                                  3vJ8kQzT1a",
    ]


def test_a_narrow_terminal_has_the_columns_below_the_name() -> None:
    assert plain(40) == [
        "PrepareTheData",
        "  Succeeded  1.2 s",
        "Train",
        "  Failed  12m3s",
        "  AlgorithmError: the program ended with",
        "  1, and what it said is in the log",
        "数据",
        "  Executing  3.0 s",
        "  waits for an answer to 3vJ8kQzT1a",
    ]


def test_a_value_is_wrapped_below_itself_and_a_word_stays_whole() -> None:
    reason = "the sample is too small, see https://example.com/a/very/long/address/of/a/page"
    assert list(labelled("  reason  ", reason, width=40, label_width=10)) == [
        "  reason  the sample is too small, see",
        "          https://example.com/a/very/long/address/of/a/page",
    ]
    assert list(labelled("  reason  ", "", width=40, label_width=10)) == ["  reason"]
