"""Where the steps of a pipeline stand in its picture: pure, and the same for the same pipeline.

Layered from top to bottom: a step stands one row below the lowest that it depends on, and beside its
neighbours in the order that crosses few edges (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981).
An edge over several rows is threaded through a gap of its own in each row between, so that it passes boxes.
https://doi.org/10.1109/TSMC.1981.4308636
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple, Protocol

WIDTH, HEIGHT = 208, 44
GAP_X, GAP_Y = 24, 40
MARGIN = 8
THREAD_WIDTH = 8
GAPS_MAX = 4_000
"""Edges beyond so many gaps go straight: of thousands nobody can follow one anyway."""
NOT_TAKEN = "Not taken"
"""The status of a step behind the other branch of a condition."""
_SWEEPS = 4


@dataclass(frozen=True)
class Node:
    """A step's box: its left upper corner."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Edge:
    """From a step to one that waits for it; `path` is the `d` of an SVG path."""

    start: str
    end: str
    path: str


class HasStatus(Protocol):
    """A step as the page lists it."""

    @property
    def status(self) -> str:
        """The word for it."""


@dataclass(frozen=True)
class Picture:
    """All boxes and edges, and the size of the whole."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    width: int
    height: int

    def paths(self, lines: Mapping[str, HasStatus]) -> tuple[str, str]:
        """The edges as the `d` of two paths: those to steps that may run, and those to steps not taken."""
        taken, faint = list[str](), list[str]()
        for edge in self.edges:
            (faint if lines[edge.end].status == NOT_TAKEN else taken).append(edge.path)
        return "".join(taken), "".join(faint)


def layout(dependencies: Mapping[str, Sequence[str]], order: Sequence[str]) -> Picture:
    """The picture of an acyclic graph; `order` has each step behind what it depends on."""
    shown = {name: _direct(name, dependencies) for name in order}
    rows, edges = _threaded(shown, _rows(shown, order))
    neighbours = _neighbours(rows, edges)
    _untangle(rows, neighbours)
    left = _lefts(rows, neighbours)
    nodes = [
        Node(place.name, left[place], _top(index))
        for index, row in enumerate(rows)
        for place in row
        if not place.edge
    ]
    drawn = [
        Edge(each[0].name, each[-1].name, _path([_middle(place, left) for place in each])) for each in edges
    ]
    width = max((left[place] + _width(place) for row in rows for place in row), default=0) + MARGIN
    return Picture(nodes, drawn, width, _top(len(rows)) - GAP_Y + MARGIN)


class _Place(NamedTuple):
    """A box or, of an `edge`, a gap in a row; `row` counts from 0."""

    name: str
    row: int
    edge: str = ""


_Rows = list[list[_Place]]
_Neighbours = tuple[Mapping[_Place, Sequence[_Place]], Mapping[_Place, Sequence[_Place]]]


def _direct(name: str, dependencies: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What a step depends on, without what one of these depends on itself: the edges that say something."""
    needed = dependencies[name]
    implied = {further for each in needed for further in dependencies[each]}
    return tuple(each for each in needed if each not in implied)


def _rows(dependencies: Mapping[str, Sequence[str]], order: Sequence[str]) -> dict[str, int]:
    """The row of each step."""
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[each] for each in dependencies[name]), default=-1)
    return depth


def _threaded(
    dependencies: Mapping[str, Sequence[str]], depth: Mapping[str, int]
) -> tuple[_Rows, list[list[_Place]]]:
    """The rows with their gaps, and each edge as the places that it passes."""
    rows: _Rows = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, row in depth.items():
        rows[row].append(_Place(name, row))
    edges, left = list[list[_Place]](), GAPS_MAX
    for end, needed in dependencies.items():
        for start in needed:
            between = range(depth[start] + 1, depth[end])
            gaps = [_Place(start, row, edge=end) for row in between] if len(between) <= left else []
            left -= len(gaps)
            for gap in gaps:
                rows[gap.row].append(gap)
            edges.append([_Place(start, depth[start]), *gaps, _Place(end, depth[end])])
    return rows, edges


def _neighbours(rows: _Rows, edges: Sequence[Sequence[_Place]]) -> _Neighbours:
    """What each place hangs on, and what hangs on it."""
    above: dict[_Place, list[_Place]] = {place: [] for row in rows for place in row}
    below: dict[_Place, list[_Place]] = {place: [] for row in rows for place in row}
    for edge in edges:
        for upper, lower in pairwise(edge):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _untangle(rows: _Rows, neighbours: _Neighbours) -> None:
    """Sort each row by where its neighbours stand in the rows above, then below, some times."""
    for sweep in range(_SWEEPS):
        beside = neighbours[sweep % 2]
        place = {each: index / len(row) for row in rows for index, each in enumerate(row)}
        for row in rows if sweep % 2 == 0 else reversed(rows):
            row.sort(key=lambda each: _mean([place[other] for other in beside[each]], place[each]))
            place |= {each: index / len(row) for index, each in enumerate(row)}


def _lefts(rows: _Rows, neighbours: _Neighbours) -> dict[_Place, int]:
    """The left side of each place: under the middle of what it hangs on, where its row has room."""
    middle: dict[_Place, float] = {}
    for row in rows:
        wanted = [_mean([middle[each] for each in neighbours[0][place]], 0.0) for place in row]
        free, found = float("-inf"), list[float]()
        for place, x in zip(row, wanted, strict=True):
            found.append(max(x, free + _width(place) / 2))
            free = found[-1] + _width(place) / 2 + GAP_X
        shift = fmean(wanted) - fmean(found)
        middle |= {place: x + shift for place, x in zip(row, found, strict=True)}
    least = min((x - _width(place) / 2 for place, x in middle.items()), default=0.0)
    return {place: round(x - _width(place) / 2 - least) + MARGIN for place, x in middle.items()}


def _width(place: _Place) -> int:
    return THREAD_WIDTH if place.edge else WIDTH


def _top(row: int) -> int:
    return row * (HEIGHT + GAP_Y) + MARGIN


def _middle(place: _Place, left: Mapping[_Place, int]) -> tuple[int, int]:
    return left[place] + _width(place) // 2, _top(place.row)


def _path(points: Sequence[tuple[int, int]]) -> str:
    """Curves between the rows, straight lines through them."""
    return "".join(_parts(points))


def _parts(points: Sequence[tuple[int, int]]) -> Iterator[str]:
    yield f"M{points[0][0]} {points[0][1] + HEIGHT}"
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0 - HEIGHT) // 2
        yield f"L{x0} {y0 + HEIGHT}C{x0} {y0 + HEIGHT + bend} {x1} {y1 - bend} {x1} {y1}"


def _mean(values: Sequence[float], otherwise: float) -> float:
    return fmean(values) if values else otherwise
