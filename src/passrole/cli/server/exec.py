"""`passrole exec`: a command with the variables of `passrole env` and a server for its duration."""

import os
from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.options import (
    data_option,
    examples,
    image_options,
    image_rules,
    settings,
    spark_options,
)
from passrole.cli.server.env import variables
from passrole.client import environment

_EXAMPLES = examples(
    "passrole exec -- python my_pipeline.py",
    "passrole exec --data /tmp/ci -- pytest tests/",
    "passrole exec --role AmazonSageMaker-ExecutionRole-20260101T120000 -- python notebook.py",
)


@click.command("exec", epilog=_EXAMPLES, context_settings={"allow_interspersed_args": False})
@data_option
@spark_options
@image_options
@click.option(
    "--role",
    metavar="NAME",
    shell_complete=completing.roles,
    help="Use a session of this role, not the administrator's keys.",
)
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND ...")
@click.pass_context
def exec_(
    context: click.Context,
    data: Path | None,
    spark_master: str | None,
    spark_s3: str | None,
    images: tuple[str, ...],
    containers: str | None,
    role: str | None,
    command: tuple[str, ...],
) -> None:
    """Run a command whose AWS calls all go to the server.

    This includes the SageMaker SDK's calls. If no server runs on the data folder, one starts before the
    command and stops after it. Signals are passed to the command. The exit code is the command's.
    """
    from passrole.cli.server import process
    from passrole.cli.temporary_server import connected

    spark = {"spark_master": spark_master, "spark_s3": spark_s3}
    config = settings(data=data, images=image_rules(images), containers=containers, **spark)
    with connected(config) as connection:
        values = variables(config, connection, role)
        code = process.run(command, environment.merged(os.environ, values))
    context.exit(code)
