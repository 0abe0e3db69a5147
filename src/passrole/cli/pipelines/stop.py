"""`passrole stop`: stops an execution."""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, format_option, say, settings
from passrole.cli.pipelines.changing import wait_option

_EXAMPLES = examples(
    "passrole stop last",
    "passrole stop qx3dk --wait",
)


@click.command(epilog=_EXAMPLES)
@click.argument("execution", shell_complete=completing.executions)
@wait_option
@data_option
@format_option
@click.pass_context
def stop(context: click.Context, execution: str, wait: bool, data: Path | None, format_: str) -> None:
    """Stop an execution.

    Running steps are asked to end, and no new step starts. As on AWS, a waiting callback must still be
    answered; the commands for this are printed. With --wait the exit code is 0 if the execution Stopped,
    else 1. EXECUTION is an ARN, an id or its beginning, `last`, or a pipeline's name, which means its newest
    execution.
    """
    from passrole.cli.pipelines import changing
    from passrole.client.execution_names import execution_arn
    from passrole.client.progress import progress_of

    with changing.server(settings(data=data), waits=wait) as connection:
        with aws_errors_reported():
            arn = execution_arn(connection, execution)
            connection.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=arn)
            waiting = [step for step in progress_of(connection.client("sagemaker"), arn).steps if step.waits]
        for step in waiting:
            say(f'{step.name} still waits: passrole reject {step.token} --reason "stopped"')
        changing.told(arn, "stopping", format_, waits=wait)
        if wait:
            changing.watch(context, connection, arn, data, format_, wanted="Stopped")
