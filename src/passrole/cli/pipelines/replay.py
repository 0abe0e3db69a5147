"""`passrole replay`: recorded executions, decided again by this version."""

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse, aws_errors_reported
from passrole.cli.options import data_option, examples, settings
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.engine.replay import Difference, Replayed

_EXAMPLES = examples(
    "passrole replay --record last orders.json   # keep an execution",
    "passrole replay recorded/*.json             # after an upgrade, in CI",
)


@click.command(epilog=_EXAMPLES)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path)
)
@click.option(
    "--record",
    metavar="EXECUTION",
    shell_complete=completing.executions,
    help="Write this execution of the data folder to FILE instead.",
)
@data_option
@click.pass_context
def replay(context: click.Context, files: tuple[Path, ...], record: str | None, data: Path | None) -> None:
    """Decide recorded executions again, and compare.

    Shows that this version of passrole reads what an earlier one has recorded and decides the same from it:
    which steps start, what their results are, how the execution ends. Runs nothing. The exit code is 0 if it
    decides the same in every file, 1 if not, 2 for a file that is no recording.
    """
    if record is not None:
        _record(record, files, data)
        return
    differs = False
    for file in files:
        replayed, told = _replayed(file)
        click.echo(f"{file}: {told}")
        for line in _lines(replayed.differences):
            click.echo(f"  {escaped(line)}")
        differs = differs or bool(replayed.differences)
    context.exit(1 if differs else 0)


def _record(execution: str, files: tuple[Path, ...], data: Path | None) -> None:
    from passrole import private_files
    from passrole.client.connection import reading
    from passrole.client.execution_names import execution_arn
    from passrole.history.recordings import recording
    from passrole.store import opening

    if len(files) != 1:
        raise Misuse("--record writes one execution to one FILE")
    config = settings(data=data)
    with reading(config) as connection, aws_errors_reported():
        arn = execution_arn(connection, execution)
    with opening.looking(config) as store:
        assert store is not None, "an execution was found in it"
        found = store.look(lambda tx: recording(tx, arn, version("passrole")))
    private_files.write(files[0], json.dumps(found, indent=1).encode())
    click.echo(f"{files[0]}: {arn}")


def _replayed(file: Path) -> tuple["Replayed", str]:
    from passrole.definition import DefinitionError, parse_stored
    from passrole.engine.replay import Unreadable, replay
    from passrole.history.recordings import FORMAT

    document = _document(file)
    if document.get("Format") != FORMAT:
        raise Misuse(f"`{file}` is no recording of this format; `passrole replay --record` writes one")
    try:
        replayed = replay(parse_stored(document["Definition"]), document["Journal"])
    except (DefinitionError, Unreadable, KeyError) as error:
        recorded_by = document.get("Passrole", "another version")
        raise Misuse(f"`{file}`, recorded by passrole {recorded_by}, cannot be read: {error}") from error
    verdict = "decided otherwise" if replayed.differences else "decided the same"
    return replayed, f"{replayed.state.status}, {len(replayed.state.steps)} steps, {verdict}"


def _document(file: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"`{file}` cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise Misuse(f"`{file}` line {error.lineno} column {error.colno}: {error.msg}") from error
    if not isinstance(document, dict):
        raise Misuse(f"`{file}` is no recording; `passrole replay --record` writes one")
    return document


def _lines(differences: "tuple[Difference, ...]") -> Iterator[str]:
    for each in differences:
        yield f"row {each.row}, after {_told(each.after)}:"
        yield f"  recorded   {_told(each.recorded)}"
        yield f"  now        {_told(each.decided)}"


def _told(fact: Mapping[str, Any] | None) -> str:
    if fact is None:
        return "nothing more"
    members = {name: value for name, value in fact.items() if name not in ("fact", "step", "at", "attempt")}
    about = f" {fact['step']}" if "step" in fact else ""
    return f"{fact['fact']}{about} {json.dumps(members)}" if members else f"{fact['fact']}{about}"
