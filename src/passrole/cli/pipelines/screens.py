"""Two ways to show an execution: a table on a terminal that is redrawn, and a plain line per change.

Knows no AWS: it gets steps, shows them and waits; on a terminal it returns the keys pressed.
"""

import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Protocol, Self

import click
from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from passrole.cli.pipelines.progress import detail, last_line
from passrole.client.progress import Step, changes

_STYLES = {
    "Starting": "dim",
    "Executing": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "Succeeded": "green",
    "Failed": "bold red",
    "CompletedWithFailures": "bold yellow",
}
_OFFER = "a callback waits: press a to approve, r to reject, Ctrl-C to stop watching"


class Screen(Protocol):
    """Shows an execution; a context manager for the time of watching."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, steps: Sequence[Step], seconds: float) -> None:
        """Show the current steps, `seconds` after the start."""

    def wait(self, seconds: float) -> str:
        """Wait; the key that was pressed, or an empty string."""

    def suspended(self) -> AbstractContextManager[None]:
        """Release the terminal for prompts inside the block."""


def is_terminal() -> bool:
    """Whether standard output is a terminal that can be redrawn."""
    return sys.stdout.isatty() and not Console().is_dumb_terminal


class Lines:
    """A plain line per change, for logs and pipes."""

    def __init__(self) -> None:
        self._shown: list[Step] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, steps: Sequence[Step], seconds: float) -> None:
        for step in changes(self._shown, steps):
            line = f"{seconds:8.2f} s  {step.status:<9}  {step.name}"
            details = detail(step)
            click.echo(f"{line}: {details}" if details else line)
        self._shown = list(steps)

    def wait(self, seconds: float) -> str:
        time.sleep(seconds)
        return ""

    def suspended(self) -> AbstractContextManager[None]:
        return nullcontext()


class LiveTable:
    """A table that is redrawn in place; single keys are read where standard input is the terminal too."""

    def __init__(self) -> None:
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False)
        self._stack = ExitStack()
        self._reads_keys = sys.stdin.isatty()

    def __enter__(self) -> Self:
        self._live.start()
        self._stack.callback(self._live.stop)
        if self._reads_keys:
            self._stack.enter_context(_single_keys())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def show(self, steps: Sequence[Step], seconds: float) -> None:
        offers = self._reads_keys and any(step.waits for step in steps)
        self._live.update(table(steps, seconds, _OFFER if offers else None), refresh=True)

    def wait(self, seconds: float) -> str:
        if not self._reads_keys:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return sys.stdin.read(1).lower() if ready else ""

    @contextmanager
    def suspended(self) -> Iterator[None]:
        self.__exit__()
        try:
            yield
        finally:
            self._live = Live(console=self._console, auto_refresh=False)
            self.__enter__()


def screen() -> Screen:
    """The screen that fits standard output."""
    return LiveTable() if is_terminal() else Lines()


def table(steps: Sequence[Step], seconds: float, caption: str | None) -> Table:
    table = Table("Step", "Status", "Time", "", box=box.SIMPLE, caption=caption, caption_justify="left")
    table.title, table.title_justify = f"{seconds:.1f} s", "left"
    for step in steps:
        status = Text(step.status, _STYLES.get(step.status, ""))
        table.add_row(Text(step.name), status, f"{step.seconds:.1f} s", Text(detail(step)))
        if printed := last_line(step):
            table.add_row("", "", "", Text(printed, "dim", no_wrap=True, overflow="ellipsis"))
    return table


@contextmanager
def _single_keys() -> Iterator[None]:
    """The terminal delivers each key at once without echo; Ctrl-C still interrupts."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
