"""Rows for people: a table that fits the terminal, or a line each where the terminal is narrow or none.

The last column may be long, and is wrapped. It knows no AWS.
"""

import textwrap
from collections.abc import Iterator, Sequence

import click

from passrole.cli import colour
from passrole.cli.pipelines.progress import CLICK_COLOURS

_GAP = "  "
_LAST_WIDTH_MIN = 16
_ENDLESS = 100_000


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows; texts must be without control characters. Without a terminal there are no headings."""
    from passrole.cli.pipelines.screens import is_terminal

    if not is_terminal():
        for row in rows:
            click.echo(_GAP.join(row).rstrip())
        return
    for line in lines(headings, rows, colour.console().width):
        click.echo(line)


def lines(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table that is `width` columns wide at most, where no single word is wider."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    left = width - before
    if left < min(_LAST_WIDTH_MIN, widths[-1]):
        yield from _stacked(rows, width)
        return
    yield click.style(_aligned(headings, widths), bold=True)
    for row in rows:
        first, *more = _wrapped(row[-1], left)
        yield _aligned((*row[:-1], first), widths)
        yield from (" " * before + line for line in more)


def labelled(label: str, value: str, *, width: int, label_width: int) -> Iterator[str]:
    """A label with its value, wrapped below itself; a word that is wider stays whole, as it may be copied."""
    indent = " " * min(label_width, width // 4)
    first = label.ljust(label_width)
    yield from textwrap.wrap(
        value,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def width() -> int:
    """The columns of the terminal; as good as endless where there is none."""
    from passrole.cli.pipelines.screens import is_terminal

    return colour.console().width if is_terminal() else _ENDLESS


def coloured(status: str) -> str:
    """A status of AWS in its colour; click drops it where there is no terminal."""
    return click.style(status, fg=CLICK_COLOURS.get(status))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    from rich.cells import cell_len

    cells = (
        coloured(text) + " " * (width - cell_len(text)) for text, width in zip(row[:-1], widths, strict=False)
    )
    return _GAP.join((*cells, row[-1])).rstrip()


def _stacked(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Each row as its first columns, and the last one below them."""
    for row in rows:
        name, *more = row
        yield from (click.style(line, bold=True) for line in _wrapped(name, width))
        for text in (_GAP.join(filter(None, more[:-1])), more[-1]):
            yield from (f"{_GAP}{line}" for line in _wrapped(text, width - len(_GAP)) if line)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(1, width), break_on_hyphens=False) or [""]
