"""`passrole reject`: a waiting callback fails."""

from pathlib import Path

import click

from passrole.cli.options import data_option, settings
from passrole.cli.verbs import examples

_EXAMPLES = examples(
    'passrole reject 3vJ8kQzT1a --reason "the sample is too small"',
)


@click.command(epilog=_EXAMPLES)
@click.argument("token")
@click.option("--reason", metavar="TEXT", required=True, help="The step's failure reason; 256 characters.")
@data_option
def reject(token: str, reason: str, data: Path | None) -> None:
    """Let a waiting callback fail, and with it its step.

    `passrole callbacks` lists the tokens.
    """
    from passrole.cli import answering
    from passrole.cli.connection import known, refusals_told

    connection = known(settings(data=data), must_run=True)
    with refusals_told():
        execution = answering.reject(connection, token, reason)
    click.echo(f"rejected; {execution} goes on without that step")
