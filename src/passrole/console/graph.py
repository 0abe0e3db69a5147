"""Where the steps of a pipeline stand in its picture: pure, and the same for the same pipeline.

Layered from top to bottom: a step stands one row below the lowest that it depends on, and beside its
neighbours in the order that crosses few edges (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981).
https://doi.org/10.1109/TSMC.1981.4308636
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

WIDTH, HEIGHT = 208, 44
GAP_X, GAP_Y = 24, 40
MARGIN = 8
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


@dataclass(frozen=True)
class Picture:
    """All boxes and edges, and the size of the whole."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    width: int
    height: int


def layout(dependencies: Mapping[str, Sequence[str]], order: Sequence[str]) -> Picture:
    """The picture of an acyclic graph; `order` has each step behind what it depends on."""
    shown = {name: _direct(name, dependencies) for name in order}
    rows = _rows(shown, order)
    _untangle(rows, shown)
    nodes = {each.name: each for each in _placed(rows, shown)}
    edges = [
        Edge(start, end, _path(nodes[start], nodes[end])) for end, needed in shown.items() for start in needed
    ]
    width = max((node.x + WIDTH for node in nodes.values()), default=0) + MARGIN
    return Picture(list(nodes.values()), edges, width, len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN)


def _direct(name: str, dependencies: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What a step depends on, without what one of these depends on itself: the edges that say something."""
    needed = dependencies[name]
    implied = {further for each in needed for further in dependencies[each]}
    return tuple(each for each in needed if each not in implied)


def _rows(dependencies: Mapping[str, Sequence[str]], order: Sequence[str]) -> list[list[str]]:
    depth: dict[str, int] = {}
    rows: list[list[str]] = []
    for name in order:
        depth[name] = 1 + max((depth[each] for each in dependencies[name]), default=-1)
        if depth[name] == len(rows):
            rows.append([])
        rows[depth[name]].append(name)
    return rows


def _untangle(rows: list[list[str]], dependencies: Mapping[str, Sequence[str]]) -> None:
    """Sort each row by where its neighbours stand in the rows above, then below, some times."""
    dependents = _inverse(dependencies)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = dependencies if downwards else dependents
        place = {name: index / len(row) for row in rows for index, name in enumerate(row)}
        for row in rows if downwards else reversed(rows):
            row.sort(key=lambda name: _mean([place[each] for each in neighbours[name]], place[name]))
            place |= {name: index / len(row) for index, name in enumerate(row)}


def _placed(rows: list[list[str]], dependencies: Mapping[str, Sequence[str]]) -> list[Node]:
    """Each below the middle of what it depends on, where its row has room."""
    step = WIDTH + GAP_X
    left: dict[str, float] = {}
    for row in rows:
        wanted = [_mean([left[each] for each in dependencies[name]], 0.0) for name in row]
        wanted = [
            x + (index - (len(row) - 1) / 2) * step * _alone(row, dependencies, name)
            for index, (name, x) in enumerate(zip(row, wanted, strict=True))
        ]
        free = float("-inf")
        for name, x in zip(row, wanted, strict=True):
            left[name] = max(x, free)
            free = left[name] + step
        middle = fmean(wanted) - fmean(left[name] for name in row)
        left |= {name: left[name] + middle for name in row}
    least = min(left.values(), default=0.0)
    return [
        Node(name, round(left[name] - least) + MARGIN, index * (HEIGHT + GAP_Y) + MARGIN)
        for index, row in enumerate(rows)
        for name in row
    ]


def _alone(row: list[str], dependencies: Mapping[str, Sequence[str]], name: str) -> bool:
    """Whether others of the row hang on the same steps, so that they spread around their middle."""
    return sum(dependencies[each] == dependencies[name] for each in row) > 1


def _path(start: Node, end: Node) -> str:
    x0, y0, x1, y1 = start.x + WIDTH // 2, start.y + HEIGHT, end.x + WIDTH // 2, end.y
    bend = min(GAP_Y, (y1 - y0) // 2 + 8)
    return f"M{x0} {y0}C{x0} {y0 + bend} {x1} {y1 - bend} {x1} {y1}"


def _inverse(dependencies: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    inverse: dict[str, list[str]] = {name: [] for name in dependencies}
    for name, needed in dependencies.items():
        for each in needed:
            inverse[each].append(name)
    return inverse


def _mean(values: Sequence[float], otherwise: float) -> float:
    return fmean(values) if values else otherwise
