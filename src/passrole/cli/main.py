"""The command `passrole`: one module a command, each of which calls the API like any client."""

from importlib.metadata import version

import click

from passrole.cli.completion import completion
from passrole.cli.groups import Commands
from passrole.cli.options import data_option_before, examples
from passrole.cli.permissions.check import check
from passrole.cli.permissions.explain import explain
from passrole.cli.permissions.policy import policy
from passrole.cli.pipelines.approve import approve
from passrole.cli.pipelines.callbacks import callbacks
from passrole.cli.pipelines.list import list_
from passrole.cli.pipelines.logs import logs
from passrole.cli.pipelines.models import models
from passrole.cli.pipelines.reject import reject
from passrole.cli.pipelines.replay import replay
from passrole.cli.pipelines.retry import retry
from passrole.cli.pipelines.run import run
from passrole.cli.pipelines.show import show
from passrole.cli.pipelines.start import start
from passrole.cli.pipelines.stop import stop
from passrole.cli.server.backup import backup
from passrole.cli.server.clean import clean
from passrole.cli.server.console import console
from passrole.cli.server.demo import demo
from passrole.cli.server.doctor import doctor
from passrole.cli.server.env import env
from passrole.cli.server.exec import exec_
from passrole.cli.server.init import init
from passrole.cli.server.migrate import migrate
from passrole.cli.server.serve import serve
from passrole.cli.server.status import status


@click.group(
    "passrole",
    cls=Commands,
    invoke_without_command=True,
    epilog=examples(
        "passrole run pipeline.json --function sagemaker-score=./score:app.handler",
        "passrole exec -- python my_pipeline.py    # any AWS client, unchanged",
        'eval "$(passrole env)"                    # where `passrole serve` runs',
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("passrole"), message="passrole %(version)s")
@data_option_before
@click.pass_context
def main(context: click.Context) -> None:
    """Run Amazon SageMaker Pipelines on your own machine, authorised as AWS IAM would."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (
    demo,
    serve,
    console,
    init,
    doctor,
    env,
    exec_,
    check,
    explain,
    policy,
    run,
    start,
    list_,
    show,
    logs,
    stop,
    retry,
    callbacks,
    models,
    approve,
    reject,
    replay,
    status,
    clean,
    backup,
    migrate,
    completion,
):
    main.add_command(_command)
