"""`passrole env`: the variables that point any AWS client at a server."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, settings
from passrole.cli.server.client_variables import CLIENTS, Client
from passrole.client import environment
from passrole.config import Config

if TYPE_CHECKING:
    from passrole.client.connection import Connection

_EXAMPLES = examples(
    'eval "$(passrole env)"',
    'eval "$(passrole env --role AmazonSageMaker-ExecutionRole-20260101T120000)"',
    "passrole env --format json",
    'eval "$(passrole env --unset)"',
    'eval "$(passrole env --for rclone)"',
    "passrole env --for s3cmd > passrole.s3cfg",
)


@click.command(epilog=_EXAMPLES)
@data_option
@click.option(
    "--role",
    metavar="NAME",
    shell_complete=completing.roles,
    help="Use a session of this role, not the administrator's keys.",
)
@click.option(
    "--for",
    "client",
    type=click.Choice(sorted(CLIENTS)),
    help="Print the settings of a client that needs others than AWS's SDKs.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["shell", "json"]),
    default="shell",
    show_default=True,
    help="Lines for `eval`, or one JSON object.",
)
@click.option("--unset", is_flag=True, help="Print a line that removes the variables from the shell.")
def env(data: Path | None, role: str | None, client: str | None, format_: str, unset: bool) -> None:
    """Print the variables with which AWS clients reach the server.

    They have the administrator's access key. With --role they have temporary credentials of a role, as in a
    Studio notebook: the role must trust sagemaker.amazonaws.com, and a server must run. While a server runs,
    the variables also send AWS's https host names to it, because the SageMaker SDK uses these.

    With --for, print the settings of one client; for s3cmd a configuration file, for duckdb a SQL statement.

    The variables stay in the shell when the server stops. Remove them with --unset; this needs no server.
    """
    if unset:
        click.echo(environment.unset())
        return
    from passrole.client.connection import connect

    config = settings(data=data)
    values = variables(config, connect(config, must_run=role is not None), role)
    wanted = CLIENTS[client] if client else Client()
    adapted = wanted.adapted(values)
    if format_ == "json":
        click.echo(json.dumps(adapted, indent=2))
    elif wanted.text is not None:
        click.echo(wanted.text(values))
    else:
        click.echo(environment.shell(adapted, wanted.without))


def variables(config: Config, connection: "Connection", role: str | None) -> dict[str, str]:
    """The variables of the administrator, or of a session of a role. Raises Failed."""
    from passrole.client import ca_bundle

    with aws_errors_reported():
        keys = connection.role_keys(role) if role else connection.keys
    values = environment.variables(connection.url, connection.access.region, keys)
    https = ca_bundle.https(config, os.environ)
    return values | (https.variables(os.environ) if https else {})
