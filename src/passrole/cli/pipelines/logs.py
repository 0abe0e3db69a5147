"""`passrole logs`: what the functions, jobs and EMR steps of an execution wrote."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, settings
from passrole.log_format import escaped, terminal_lines

if TYPE_CHECKING:
    from passrole.client.step_logs import Line


_EXAMPLES = examples(
    "passrole logs stopping-distance          # of the pipeline's newest execution",
    "passrole logs --follow qx3dkf0vz9a1 Fit",
    "passrole logs arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/qx3dkf0vz9a1",
)
_POLL_SECONDS = 0.5


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--follow", "-f", is_flag=True, help="Print new lines until the execution ends.")
@click.argument("execution", shell_complete=completing.executions)
@click.argument("step", required=False, shell_complete=completing.steps)
def logs(data: Path | None, follow: bool, execution: str, step: str | None) -> None:
    """Print the logs of an execution's steps.

    These are the logs of its functions, jobs and EMR programs. EXECUTION is an ARN, an id or its beginning,
    `last`, or a pipeline's name, which means its newest execution. STEP may be a loop or a step of its body,
    which means all iterations. Each line has its time (UTC), its step and its text. The lines of an EMR step
    have the time of its start. The lines of a job with several instances have `STEP/algo-1` as their step. If
    a step logged nothing, a hint on standard error says why.
    """
    from passrole.client import step_logs
    from passrole.client.connection import reading
    from passrole.client.execution_names import execution_arn

    with reading(settings(data=data)) as connection, aws_errors_reported():
        arn = execution_arn(connection, execution)
        found = step_logs.StepLogs(connection, arn, step)
        while True:
            ended = step_logs.has_ended(connection, arn)
            lines = found.new_lines()
            for line in sorted(lines, key=lambda line: line.at) if follow else lines:
                click.echo("\n".join(_texts(line)))
            is_over = ended or not follow or connection.is_at_rest
            if is_over and (connection.is_at_rest or not found.is_late(time.time())):
                break
            time.sleep(_POLL_SECONDS)
        for message in found.silent_steps():
            click.echo(escaped(message), err=True)
        if connection.is_at_rest and not ended:
            click.echo("no server runs, so nothing more comes; `passrole serve` continues", err=True)


def _texts(line: "Line") -> Iterator[str]:
    """Lines, each with its time and step, so that no text looks like a line of another step."""
    source = f"{line.step}/{line.instance}" if line.instance else line.step
    for text in terminal_lines(line.text.removesuffix("\n")):
        yield f"{line.time_of_day}  {escaped(source)}  {text}"
