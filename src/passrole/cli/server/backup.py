"""`passrole backup`: a consistent copy of the data folder."""

import json
import shlex
from pathlib import Path

import click

from passrole import server_file
from passrole.cli.options import data_option, examples, format_option, say_where, settings, warn
from passrole.cli.server.status import bytes_for_people

_EXAMPLES = examples(
    'passrole backup "../backups/$(date +%F)"',
    "cp -a ../backups/2026-01-31 .passrole    # restores it, where no .passrole is",
)


@click.command(epilog=_EXAMPLES)
@click.argument("to", metavar="FOLDER", type=click.Path(path_type=Path))
@data_option
@format_option
def backup(to: Path, data: Path | None, format_: str) -> None:
    """Copy the data folder, also while a server runs.

    FOLDER must not exist, or be empty. The copy has the state of one moment, and is a data folder itself:
    to restore it, copy it to where the data folder was (`cp -a`, which keeps times), or serve it in its
    place. It holds keys and objects, so it is readable by you alone.
    """
    from passrole.client.backup import back_up

    config = settings(data=data)
    say_where(config)
    made = back_up(config, to)
    if elsewhere := server_file.s3_endpoint(config) or config.s3_endpoint:
        warn(f"the objects are at {elsewhere}, and not in the backup")
    if format_ == "json":
        click.echo(json.dumps({"backup": str(made.folder), "files": made.files, "bytes": made.bytes}))
    else:
        click.echo(f"backed up to {made.folder}: {made.files} files, {bytes_for_people(made.bytes)}")
        away = [
            "mv",
            str(config.data),
            f"{config.data}.before",
        ]  # cp would put the copy into a folder that is there
        copy = ["cp", "-a", str(made.folder), str(config.data)]
        click.echo(f"restore, without a server: {shlex.join(away)} && {shlex.join(copy)}")
