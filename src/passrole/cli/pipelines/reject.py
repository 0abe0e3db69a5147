"""`passrole reject`: a failure for a waiting callback, or the rejection of a model package."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, settings
from passrole.cli.pipelines.callbacks import answer_reported

_EXAMPLES = examples(
    'passrole reject 3vJ8kQzT1a --reason "the sample is too small"',
    'passrole reject churn/3 --reason "worse than version 2"',
)


@click.command(epilog=_EXAMPLES)
@click.argument("token", shell_complete=completing.tokens)
@click.option(
    "--reason", metavar="TEXT", required=True, help="Why: the step's failure reason, up to 256 characters."
)
@data_option
def reject(token: str, reason: str, data: Path | None) -> None:
    """Reject a waiting callback, or a model package.

    The callback's step fails; `passrole callbacks` lists the tokens. In place of TOKEN a model package is
    named by its ARN or as GROUP/VERSION; `passrole models` lists them.
    """
    from passrole.client import callbacks, models
    from passrole.client.connection import connect

    connection = connect(settings(data=data), must_run=True)
    if models.is_package(token):
        with aws_errors_reported():
            arn = models.decide(connection.client("sagemaker"), token, "Rejected", reason)
        click.echo(f"rejected; {arn}")
        return
    with answer_reported(token):
        execution = callbacks.reject(connection, token, reason)
    click.echo(f"rejected; {execution} continues, and the step fails")
