"""The options by which findings are chosen and written, for `check` and `policy lint`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from passrole.cli.permissions.named_file import NamedFile, NamedFileType

if TYPE_CHECKING:
    from passrole.cli.permissions.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])


class FindingOptions(NamedTuple):
    """Their values."""

    select: tuple[str, ...]
    ignore: tuple[str, ...]
    severity: str
    baseline: NamedFile | None
    exit_zero: bool
    quiet: bool
    output: Path | None

    def selection(self) -> "Selection":
        """The findings that they and the project's settings choose. Raises Misuse."""
        from passrole.cli.permissions.project_settings import tables
        from passrole.cli.permissions.selection import selection

        return selection(self.select, self.ignore, self.severity, self.baseline, tables())  # type: ignore[arg-type]


def finding_options(command: F) -> F:
    """Adds the options; the command takes them as `options.pop_options(kwargs)` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--select", multiple=True, metavar="CODE", help="Only these rules, such as PR1 or PR101,PR104."
    ),
    click.option("--ignore", multiple=True, metavar="CODE", help="Without these rules; may be repeated."),
    click.option(
        "--severity",
        type=click.Choice(["error", "warning", "note"]),
        default="note",
        help="Only findings of at least this severity.",
    ),
    click.option(
        "--baseline",
        type=NamedFileType(),
        metavar="FILE",
        help="Leave out the findings of an earlier report in json or sarif.",
    ),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 also if there are errors."),
    click.option("-q", "--quiet", is_flag=True, help="Print the findings alone, one a line."),
    click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the report to a file.",
    ),
)
