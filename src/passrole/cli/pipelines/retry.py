"""`passrole retry`: continues an execution that failed or was stopped."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, format_option, settings
from passrole.cli.pipelines.changing import wait_option

_EXAMPLES = examples(
    "passrole retry last",
    "passrole retry qx3dk --wait",
)


@click.command(epilog=_EXAMPLES)
@click.argument("execution", shell_complete=completing.executions)
@wait_option
@data_option
@format_option
@click.pass_context
def retry(context: click.Context, execution: str, wait: bool, data: Path | None, format_: str) -> None:
    """Retry an execution that failed or was stopped.

    Steps that succeeded keep their results; the others run again, under the same ARN, definition and
    parameters. With --wait the exit code is 0 if the execution Succeeded, else 1. EXECUTION is an ARN, an id
    or its beginning, `last`, or a pipeline's name, which means its newest execution.
    """
    from passrole.cli.pipelines import changing
    from passrole.client.execution_names import execution_arn

    with changing.server(settings(data=data), waits=wait) as connection:
        with aws_errors_reported():
            arn = execution_arn(connection, execution)
            connection.client("sagemaker").retry_pipeline_execution(PipelineExecutionArn=arn)
        changing.told(arn, "retrying", format_, waits=wait)
        if wait:
            changing.watch(context, connection, arn, data, format_)
