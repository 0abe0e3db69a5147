"""`passrole reject`: a failure for a waiting callback."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, settings

_EXAMPLES = examples(
    'passrole reject 3vJ8kQzT1a --reason "the sample is too small"',
)


@click.command(epilog=_EXAMPLES)
@click.argument("token", shell_complete=completing.tokens)
@click.option(
    "--reason", metavar="TEXT", required=True, help="The step's failure reason, up to 256 characters."
)
@data_option
def reject(token: str, reason: str, data: Path | None) -> None:
    """Reject a waiting callback.

    Its step fails. `passrole callbacks` lists the tokens.
    """
    from passrole.client import callbacks
    from passrole.client.connection import connect

    connection = connect(settings(data=data), must_run=True)
    with aws_errors_reported():
        execution = callbacks.reject(connection, token, reason)
    click.echo(f"rejected; {execution} continues, and the step fails")
