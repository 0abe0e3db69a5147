"""`passrole approve`: a success for a waiting callback."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    settings,
    unique_assignments,
)

_EXAMPLES = examples(
    "passrole approve 3vJ8kQzT1a -o approved_by=ada -o threshold=0.8",
)


@click.command(epilog=_EXAMPLES)
@click.argument("token", shell_complete=completing.tokens)
@click.option(
    "-o",
    "--output",
    "outputs",
    type=AssignmentType(),
    multiple=True,
    help="An output parameter of the step; may be repeated.",
)
@data_option
def approve(token: str, outputs: tuple[Assignment, ...], data: Path | None) -> None:
    """Approve a waiting callback.

    Its step succeeds and the execution continues. `passrole callbacks` lists the tokens.
    """
    from passrole.client import callbacks
    from passrole.client.connection import connect

    values = unique_assignments(outputs, "-o")
    connection = connect(settings(data=data), must_run=True)
    with aws_errors_reported():
        execution = callbacks.approve(connection, token, values)
    click.echo(f"approved; {execution} continues")
