"""Small plots of numbers: pure, as points of an SVG of a fixed size, with the figures that say the same."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 240, 48, 4
POINTS_MAX = 240


@dataclass(frozen=True)
class Plot:
    """A metric's values in their order; `points` is the `points` of an SVG polyline."""

    name: str
    count: int
    first: float
    least: float
    greatest: float
    last: float
    points: str
    last_x: float
    last_y: float


def plot(name: str, values: Sequence[float]) -> Plot:
    """The plot of some values, of one at the least."""
    least, greatest = min(values), max(values)
    spread = greatest - least
    shown = _thinned(values)
    step = (WIDTH - 2 * MARGIN) / max(1, len(shown) - 1)
    height = HEIGHT - 2 * MARGIN
    places = [
        (
            round(MARGIN + step * index if len(shown) > 1 else WIDTH / 2, 1),
            round(MARGIN + height * (1 - (value - least) / spread) if spread else HEIGHT / 2, 1),
        )
        for index, value in enumerate(shown)
    ]
    points = " ".join(f"{x},{y}" for x, y in places)
    return Plot(name, len(values), values[0], least, greatest, values[-1], points, *places[-1])


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """The least and the greatest of each stretch, so that no peak is lost; the last one stays the last."""
    if len(values) <= POINTS_MAX:
        return values
    size = -(-len(values) * 2 // POINTS_MAX)
    kept: list[float] = []
    for start in range(0, len(values), size):
        stretch = values[start : start + size]
        low, high = (stretch.index(end(stretch)) for end in (min, max))
        kept += [stretch[place] for place in sorted({low, high})]
    return [*kept[:-1], values[-1]]
