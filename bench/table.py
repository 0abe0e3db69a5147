"""The one table: figures, what each is compared with, the ratio, and whether its budget is met.

It measures nothing. On a terminal it is drawn with colours, elsewhere as Markdown to paste.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

Unit = Literal["s", "bytes", "/s", "cores"]

PLAIN_WIDTH = 200
COLUMNS = ("what", "figure", "compared with", "ratio", "budget", "met")


@dataclass(frozen=True)
class Figure:
    """A measured or wanted quantity, in seconds, bytes, things per second or processor cores."""

    value: float
    unit: Unit

    def __str__(self) -> str:
        scales = _SCALES[self.unit]
        _, name, scale = next((each for each in scales if self.value >= each[0]), scales[-1])
        return f"{_three_digits(self.value * scale)} {name}"


@dataclass(frozen=True)
class Peer:
    """What a figure is compared with, measured in the same run."""

    name: str
    figure: Figure


@dataclass(frozen=True)
class Row:
    """One line. `budget` is the most a figure may be; for things per second the least."""

    what: str
    figure: Figure
    peer: Peer | None = None
    budget: Figure | None = None

    @property
    def ratio(self) -> float | None:
        """The figure over its peer's, else over its budget; None where it stands alone."""
        other = self.peer.figure if self.peer else self.budget
        return self.figure.value / other.value if other and other.value else None

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.budget is None:
            return None
        if self.budget.unit == "/s":
            return self.figure.value >= self.budget.value
        return self.figure.value <= self.budget.value


def show(rows: Sequence[Row], console: Console, caption: str = "") -> None:
    """Print the table."""
    plain = not console.is_terminal
    table = Table(box=box.MARKDOWN if plain else box.SIMPLE_HEAD, caption=None if plain else caption)
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if number in (1, 3, 4) else "left", no_wrap=plain)
    for cells in map(_cells, rows):
        table.add_row(*cells, style=None if plain else _STYLES.get(cells[-1]))
    if not plain:
        console.print(table)
        return
    console.width = PLAIN_WIDTH
    with console.capture() as drawn:
        console.print(table)
    console.print(f"{drawn.get().strip()}\n\n{caption}".rstrip(), markup=False, highlight=False)


def missed(rows: Iterable[Row]) -> list[Row]:
    """Those over their budget."""
    return [row for row in rows if row.met is False]


def _cells(row: Row) -> tuple[str, ...]:
    ratio = row.ratio
    return (
        row.what,
        str(row.figure),
        f"{row.peer.name}: {row.peer.figure}" if row.peer else "its budget" if row.budget else "",
        "" if ratio is None else f"{_three_digits(ratio)} x",
        str(row.budget) if row.budget else "",
        {None: "", True: "yes", False: "NO"}[row.met],
    )


def _three_digits(value: float) -> str:
    """As many digits as a shared machine can answer for."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


_STYLES = {"yes": "green", "NO": "bold red"}

# From the largest down: from which value on, the name, and what the value is multiplied with.
_SCALES: dict[Unit, tuple[tuple[float, str, float], ...]] = {
    "s": ((1, "s", 1), (1e-3, "ms", 1e3), (0, "µs", 1e6)),
    "bytes": ((0, "MB", 1e-6),),
    "/s": ((0, "/s", 1),),
    "cores": ((0, "cores", 1),),
}
