"""Lays the steps of an execution out for a terminal of any size.

What runs, waits or has failed is always shown. Where the height does not suffice, finished steps fold into
one line, then those to come; then what runs loses its details and shares lines, and last of all the reasons
of failures are cut. Steps inside a loop that succeeded are in its counts only. Pure: knows no terminal.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from passrole.cli.pipelines.progress import detail, last_line
from passrole.client.plan import PENDING, SKIPPED
from passrole.client.progress import ENDED, Step
from passrole.log_format import escaped

STYLES: Final = {
    "Starting": "dim",
    "Executing": "cyan",
    "Waiting": "bold yellow",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "Succeeded": "green",
    "Failed": "bold red",
    "CompletedWithFailures": "bold yellow",
    PENDING: "dim",
    SKIPPED: "dim",
}
_FOLDED = {"Succeeded": "succeeded", SKIPPED: "skipped", PENDING: "to come"}
_GROUPED = {
    "Failed": "failed",
    "Waiting": "waiting",
    "Executing": "executing",
    "Stopping": "stopping",
    "Starting": "starting",
    "Stopped": "stopped",
}
_STATUS_CELLS, _SECONDS_CELLS = 9, 9
_DETAIL_CELLS_MIN = 30
"""The least width of a column for details; in a narrower terminal they are under their step."""
_INDENT = 4
_UNLIMITED = 10_000


@dataclass(frozen=True)
class Picture:
    """What is shown: all steps in the order of the graph, and the name of the one that was `chosen`."""

    title: str
    status: str
    steps: Sequence[Step]
    seconds: float
    chosen: str = ""


@dataclass(frozen=True)
class _Level:
    """How much is shown: which steps fold, which share lines, whose details and log are left out.

    A bare one has neither title nor counts; `lines_max` are the lines of the reason of a failure.
    """

    folded: tuple[str, ...] = ()
    grouped: tuple[str, ...] = ()
    terse: tuple[str, ...] = ()
    has_logs: bool = True
    is_bare: bool = False
    lines_max: int = _UNLIMITED


_DONE, _ALL = ("Succeeded", SKIPPED), ("Succeeded", SKIPPED, PENDING)
_RUNNING = ("Executing", "Stopping", "Starting", "Stopped")
_LEVELS: Final = (
    _Level(),
    _Level(_DONE),
    _Level(_ALL),
    _Level(_ALL, has_logs=False),
    _Level(_ALL, has_logs=False, terse=_RUNNING),
    _Level(_ALL, _RUNNING),
    *(
        _Level(_ALL, _RUNNING, terse=("Waiting",), is_bare=True, lines_max=lines)
        for lines in (_UNLIMITED, 8, *range(6, -1, -1))
    ),
    _Level(_ALL, (*_RUNNING, "Failed"), terse=("Waiting",), is_bare=True),
    _Level(_ALL, tuple(_GROUPED), is_bare=True),
)


def frame(picture: Picture, footer: Sequence[Text], console: Console, height: int) -> list[Text]:
    """The lines of a live view, at most `height`; the footer is at the end of it."""
    width = console.width
    wrapped = chain.from_iterable(_wrapped(line, width, console) for line in footer)
    pinned = list(wrapped)[-max(1, height - 1) :]
    title, counts = _head(picture, width)
    head, lines, room = [counts], list[Text](), 0
    for level in _LEVELS:
        head = [counts] if level.is_bare else [title, counts]
        lines = list(_body(picture, level, console))
        room = max(0, height - len(head) - len(pinned))
        if len(lines) <= room:
            break
    whole_frame = [*head, *_cut(lines, room, width), *pinned][-height:]
    return [_shortened_text(line, width) for line in whole_frame]


def whole(picture: Picture, console: Console) -> list[Text]:
    """Every step with all its details, for the end of an execution."""
    return list(_body(picture, _Level(), console))


def status_of(step: Step) -> str:
    """The status of a step; Waiting of one that waits for an answer."""
    return "Waiting" if step.waits else step.status


def _head(picture: Picture, width: int) -> tuple[Text, Text]:
    counted = [step for step in picture.steps if step.status != SKIPPED and step.iteration is None]
    done = sum(step.status in ENDED for step in counted)
    told = f"  {done} of {len(counted)} steps  {picture.seconds:.1f} s"
    second = Text.assemble((picture.status, STYLES.get(picture.status, "")), told)
    return Text(_shortened(picture.title, width), "bold"), _shortened_text(second, width)


def _body(picture: Picture, level: _Level, console: Console) -> Iterator[Text]:
    steps = [step for step in picture.steps if not step.is_folded]
    shown = [step for step in steps if status_of(step) not in (*level.folded, *level.grouped)]
    name_cells = _name_cells((step.name for step in shown), console.width)
    shows_counts = not level.is_bare
    if shows_counts and (done := _counts(steps, [each for each in level.folded if each != PENDING])):
        yield _shortened_text(Text(f"  {done}", "dim"), console.width)
    for step in shown:
        yield from _step(step, picture.chosen, name_cells, level, console)
    for status in (each for each in _GROUPED if each in level.grouped):
        yield from _group(status, [step.name for step in steps if status_of(step) == status], console)
    if shows_counts and PENDING in level.folded and (to_come := _counts(steps, [PENDING])):
        yield Text(f"  {to_come}", "dim")


def _counts(steps: Iterable[Step], statuses: Sequence[str]) -> str:
    """`12 succeeded, 3 skipped`."""
    found = [status_of(step) for step in steps if step.iteration is None]
    return ", ".join(f"{found.count(each)} {_FOLDED[each]}" for each in statuses if each in found)


def _step(step: Step, chosen: str, name_cells: int, level: _Level, console: Console) -> Iterator[Text]:
    status, is_chosen = status_of(step), step.name == chosen
    style = STYLES.get(status, "")
    mark = ("> ", "bold yellow") if is_chosen else ("  ", "")
    seconds = "" if status in (PENDING, SKIPPED) else f"{step.seconds:.1f} s"
    row = Text.assemble(
        mark, (_fixed(escaped(step.name), name_cells), "bold" if is_chosen else ""), "  ",
        (_fixed(status, _STATUS_CELLS), style), f"{seconds:>{_SECONDS_CELLS}}",
    )  # fmt: skip
    beside = row.cell_len + 2
    column = beside if console.width - beside >= _DETAIL_CELLS_MIN else _INDENT
    told = [] if status in level.terse else _details(step, console.width - column, level, console)
    if column == beside and told:
        row = row + Text("  ") + told.pop(0)
    yield row
    for line in told:
        yield Text(" " * column) + line
    printed = last_line(step) if level.has_logs else ""
    if printed:
        yield Text(" " * column) + _shortened_text(Text(printed, "dim"), console.width - column)


def _details(step: Step, width: int, level: _Level, console: Console) -> list[Text]:
    lines = _wrapped(Text(detail(step)), width, console)
    if len(lines) <= level.lines_max:
        return lines
    lines = lines[: level.lines_max]
    if lines:
        lines[-1] = _marked_cut(lines[-1], width)
    return lines


def _group(status: str, names: Sequence[str], console: Console) -> Iterator[Text]:
    if names:
        title = Text(f"{len(names)} {_GROUPED[status]}: ", STYLES[status])
        for line in _wrapped(title + Text(", ".join(names)), console.width - 2, console):
            yield Text("  ") + line


def _name_cells(names: Iterable[str], width: int) -> int:
    """The width of the names' column: the rest of a narrow line, two fifths of a wide one."""
    rest = width - 4 - _STATUS_CELLS - _SECONDS_CELLS
    most = max(8, min(rest, max(24, width * 2 // 5)))
    return min(most, max(map(cell_len, names), default=0))


def _wrapped(text: Text, width: int, console: Console) -> list[Text]:
    """The lines of a text: words move to the next line, and only a word that is longer than one is broken."""
    if not text.plain:
        return []
    lines = text.wrap(console, max(1, width), overflow="fold")
    for line in lines:
        line.rstrip()
    return list(lines)


def _fixed(text: str, cells: int) -> str:
    return set_cell_size(_shortened(text, cells), cells)


def _shortened(text: str, cells: int) -> str:
    """The text, or both its ends where it is too long: names often differ in the last characters."""
    if cell_len(text) <= cells:
        return text
    tail = max(0, (cells - 2) // 2)
    return set_cell_size(text, max(0, cells - 2 - tail)) + ".." + (text[-tail:] if tail else "")


def _shortened_text(text: Text, cells: int) -> Text:
    text.truncate(max(1, cells))
    return text


def _cut(lines: list[Text], room: int, width: int) -> list[Text]:
    """The lines that have room; the last one says that there are more."""
    if len(lines) <= room or not room:
        return lines[:room]
    return [*lines[: room - 1], _marked_cut(lines[room - 1], width)]


def _marked_cut(line: Text, width: int) -> Text:
    return _shortened_text(line, width - 3) + Text(" ..", "dim")
