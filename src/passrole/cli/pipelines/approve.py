"""`passrole approve`: a success for a waiting callback, or the approval of a model package."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse, aws_errors_reported
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    settings,
    unique_assignments,
)
from passrole.cli.pipelines.callbacks import answer_reported

_EXAMPLES = examples(
    "passrole approve 3vJ8kQzT1a -o approved_by=ada -o threshold=0.8",
    'passrole approve churn/3 --description "better on every slice"',
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
@click.option("--description", metavar="TEXT", help="Why a model package is approved.")
@data_option
def approve(token: str, outputs: tuple[Assignment, ...], description: str | None, data: Path | None) -> None:
    """Approve a waiting callback, or a model package.

    The callback's step succeeds and the execution continues; `passrole callbacks` lists the tokens. In place
    of TOKEN a model package is named by its ARN or as GROUP/VERSION; `passrole models` lists them.
    """
    from passrole.client import callbacks, models
    from passrole.client.connection import connect

    values = unique_assignments(outputs, "-o")
    connection = connect(settings(data=data), must_run=True)
    if models.is_package(token):
        if values:
            raise Misuse("a model package has no outputs; -o is for callbacks")
        with aws_errors_reported():
            arn = models.decide(connection.client("sagemaker"), token, "Approved", description)
        click.echo(f"approved; {arn}")
        return
    if description is not None:
        raise Misuse("a callback has no description; --description is for model packages")
    with answer_reported(token):
        declared = callbacks.declared_outputs(connection, token)
        for name, value in values.items():
            why = callbacks.unusable_output(declared[name], value) if name in declared else None
            if why is not None:
                raise Misuse(f"the output `{name}`: {why}")
        execution = callbacks.approve(connection, token, values)
    click.echo(f"approved; {execution} continues")
