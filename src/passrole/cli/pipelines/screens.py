"""Two ways to show an execution: a live view on a terminal, and a plain line per change.

Knows no AWS: it gets the progress and shows it; on a terminal it returns the answers that are typed.
"""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import click

from passrole.cli import colour
from passrole.cli.pipelines.progress import CLICK_COLOURS, detail
from passrole.client.progress import Progress, Step, changes
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.cli.pipelines.answering import Answer
    from passrole.client.plan import Plan


class Screen(Protocol):
    """Shows an execution; a context manager for the time of watching."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, progress: Progress, seconds: float) -> None:
        """Show the current state, `seconds` after the start."""

    def wait(self, seconds: float) -> "Answer | None":
        """Wait; the answer that was typed meanwhile. Raises KeyboardInterrupt where a key ends watching."""

    def refused(self, problem: str) -> None:
        """Show why the last answer could not be sent."""


def is_terminal() -> bool:
    """Whether standard output is a terminal that can be redrawn."""
    return sys.stdout.isatty() and not colour.console().is_dumb_terminal


class Lines:
    """A plain line per change, for logs and pipes."""

    def __init__(self) -> None:
        self._shown: Sequence[Step] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, progress: Progress, seconds: float) -> None:
        for step in changes(self._shown, progress.steps):
            if step.status == "Starting":  # for a moment, and whether one sees it is chance
                continue
            status = click.style(f"{step.status:<9}", fg=CLICK_COLOURS.get(step.status))
            line = f"{seconds:8.2f} s  {status}  {escaped(step.name)}"
            details = detail(step)
            click.echo(f"{line}: {details}" if details else line)
        self._shown = list(progress.steps)

    def wait(self, seconds: float) -> "Answer | None":
        time.sleep(seconds)
        return None

    def refused(self, problem: str) -> None:
        click.echo(problem, err=True)


def screen(title: str, plan: "Plan") -> Screen:
    """The screen that fits standard output."""
    if not is_terminal():
        return Lines()
    from passrole.cli.pipelines.live_view import LiveView

    return LiveView(title, plan)
