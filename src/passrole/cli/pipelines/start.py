"""`passrole start`: an execution of a pipeline that is deployed."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    format_option,
    settings,
    unique_assignments,
)
from passrole.cli.pipelines.changing import wait_option

_EXAMPLES = examples(
    "passrole start orders -p Threshold=0.8",
    "passrole start orders --wait",
    "passrole start orders --format json | jq -r .PipelineExecutionArn",
)


@click.command(epilog=_EXAMPLES)
@click.argument("pipeline", shell_complete=completing.pipelines)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    type=AssignmentType(),
    multiple=True,
    help="A pipeline parameter; may be repeated.",
)
@wait_option
@data_option
@format_option
@click.pass_context
def start(
    context: click.Context,
    pipeline: str,
    parameters: tuple[Assignment, ...],
    wait: bool,
    data: Path | None,
    format_: str,
) -> None:
    """Start an execution of a deployed pipeline.

    Prints its ARN. With --wait, watches it to its end like `passrole run`, and the exit code is 0 if the
    execution Succeeded, else 1. Without --wait, a server must run. `json` has the member of AWS's
    StartPipelineExecution, and with --wait one object per line for each change.
    """
    from passrole.cli.pipelines import changing, telling

    values = unique_assignments(parameters, "-p")
    given = [{"Name": name, "Value": value} for name, value in values.items()]
    with changing.server(settings(data=data), waits=wait) as connection:
        with aws_errors_reported():
            answer = connection.client("sagemaker").start_pipeline_execution(
                PipelineName=pipeline, PipelineParameters=given
            )
        execution = str(answer["PipelineExecutionArn"])
        telling.execution(execution, format_, waits=wait)
        if wait:
            changing.watch(context, connection, execution, data, format_)
