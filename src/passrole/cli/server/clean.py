"""`passrole clean`: removes executions that ended long ago."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse, aws_errors_reported
from passrole.cli.options import data_option, examples, format_option, say_where, settings
from passrole.config import Config

if TYPE_CHECKING:
    from passrole.client.cleaning import Cleaned
    from passrole.client.connection import Connection

_EXAMPLES = examples(
    "passrole clean                           # what would go",
    "passrole clean --older-than 7d --yes",
    "passrole clean orders --older-than 12h --yes",
)
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class AgeType(click.ParamType[float]):
    """Parses `30d`, `12h`, `90m`, `2w` as seconds."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises BadParameter."""
        found = re.fullmatch(r"(\d{1,6})([mhdw])", str(value))
        if found is None:
            self.fail(f"`{value}` is not an age such as 30d, 12h, 90m or 2w", param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


@click.command(epilog=_EXAMPLES)
@click.argument("pipelines", nargs=-1, metavar="[PIPELINE]...", shell_complete=completing.pipelines)
@click.option(
    "--older-than", type=AgeType(), default="30d", show_default=True, help="How long ago it must have ended."
)
@click.option("--yes", is_flag=True, help="Remove it; without this, only show what would go.")
@data_option
@format_option
def clean(pipelines: tuple[str, ...], older_than: float, yes: bool, data: Path | None, format_: str) -> None:
    """Remove executions that ended long ago.

    Only shows what would go, unless --yes is given. With an execution go its steps, its callbacks and the
    cached results that point to it, and with the last one of an old definition that definition. What runs or
    waits stays, and so do pipelines, objects, functions and models. Without PIPELINE it is about all of them.
    The database becomes smaller if no server runs.
    """
    from passrole.client import cleaning

    config = settings(data=data)
    say_where(config)
    with _connection(config, writes=yes) as connection, aws_errors_reported():
        found = cleaning.clean(config, connection, time.time() - older_than, pipelines, dry_run=not yes)
        is_at_rest = connection.is_at_rest
    if yes and is_at_rest:
        cleaning.shrink(config)
    if format_ == "json":
        click.echo(json.dumps(as_json(found, removed=yes), indent=2))
        return
    for line in _lines(found, removed=yes):
        click.echo(line)


def as_json(found: "Cleaned", *, removed: bool) -> dict[str, Any]:
    """One object, see docs/reference/cli.md."""
    return {"removed": removed, "executions": found.executions, "files": [str(path) for path in found.files]}


@contextmanager
def _connection(config: Config, *, writes: bool) -> "Iterator[Connection]":
    """The server, or the folder itself, which then nobody else may use at the same time."""
    from passrole import server_file
    from passrole.client.connection import at_rest, reading
    from passrole.store import DataFolderInUse

    if not writes or server_file.url(config) is not None:
        with reading(config) as connection:
            yield connection
        return
    try:
        with at_rest(config, writes=True) as connection:
            yield connection
    except DataFolderInUse as error:
        raise Misuse(f"another process uses `{config.data}`, and does not answer") from error


def _lines(found: "Cleaned", *, removed: bool) -> Iterator[str]:
    from passrole.client.execution_names import place

    if not removed:
        yield from map(place, found.executions)
        yield from map(str, found.files)
    counts = f"{_counted(found.executions, 'execution')} and {_counted(found.files, 'log')} of servers"
    yield f"removed {counts}" if removed else f"{counts} would go; --yes removes them"


def _counted(found: Sequence[object], noun: str) -> str:
    return f"{len(found)} {noun}" if len(found) == 1 else f"{len(found)} {noun}s"
