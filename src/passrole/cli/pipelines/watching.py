"""Watches an execution to its end, sends the answers that are typed meanwhile, and says what to do next."""

import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from botocore.exceptions import ClientError

from passrole.cli.errors import INTERRUPTED, aws_message
from passrole.cli.pipelines.json_lines import JsonLines
from passrole.cli.pipelines.progress import ends_of_logs, outputs
from passrole.cli.pipelines.screens import Screen, screen
from passrole.client import callbacks
from passrole.client.execution_names import place
from passrole.client.jobs import Jobs
from passrole.client.progress import Progress, poll_seconds, progress_of, with_jobs
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.cli.pipelines.answering import Answer
    from passrole.client.connection import Connection
    from passrole.client.plan import Plan


def follow(
    connection: "Connection", plan: "Plan", execution: str, format_: str = "text"
) -> tuple[Progress, float]:
    """Show the execution until it ends; its final state, and its duration in seconds. Raises ClientError."""
    sagemaker, jobs = connection.client("sagemaker"), Jobs(connection)
    began = time.monotonic()
    as_json = format_ == "json"
    with JsonLines(execution) if as_json else screen(place(execution), plan) as shown:
        while True:
            progress = with_jobs(progress_of(sagemaker, execution), jobs)
            seconds = time.monotonic() - began
            shown.show(progress, seconds)
            if progress.has_ended:
                return progress, seconds
            answer = shown.wait(poll_seconds(seconds))
            if answer is not None:
                _send(connection, shown, answer)


def report(ended: Progress, seconds: float, execution: str, data: Path | None) -> None:
    """Print how it ended, the outputs, and what to type where logs or a denial tell more of a failure."""
    ending = f"{ended.status} after {seconds:.2f} s"
    click.echo(f"{ending}: {escaped(ended.reason)}" if ended.reason else ending)
    for line in ends_of_logs(ended.steps):
        click.echo(line)
    for line in outputs(ended.steps):
        click.echo(f"  {line}")
    if ended.status == "Failed":
        for line in _next_commands(ended, execution, data):
            click.echo(line)


@contextmanager
def interruptible(context: click.Context, connection: "Connection", data: Path | None) -> Iterator[None]:
    """Ctrl-C inside the block ends the command, and says what becomes of the execution."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{_on_interrupt(connection, data)}", err=True)
        context.exit(INTERRUPTED)


def _on_interrupt(connection: "Connection", data: Path | None) -> str:
    folder = f" --data {data}" if data else ""
    if connection.temporary:
        return (
            f"stopped watching, and the server with it; `passrole serve{folder}` takes the execution up again"
        )
    return f"stopped watching; the execution goes on (`passrole callbacks{folder}` lists who waits)"


def _send(connection: "Connection", shown: Screen, answer: "Answer") -> None:
    try:
        if answer.reason is None:
            callbacks.approve(connection, answer.step.token, answer.outputs)
        else:
            callbacks.reject(connection, answer.step.token, answer.reason)
    except ClientError as error:  # a consumer of the queue may have been faster
        shown.refused(escaped(aws_message(error)))


def _next_commands(ended: Progress, execution: str, data: Path | None) -> Iterator[str]:
    where = ["--data", str(data)] if data else []
    with_logs = [step.name for step in ended.steps if step.status == "Failed" and step.has_logs]
    commands = []
    if with_logs:
        id_ = execution.rpartition("/")[2]
        commands.append((["passrole", "logs", *where, id_, with_logs[0]], "what the step printed"))
    if any(step.is_denied for step in ended.steps):
        commands.append((["passrole", "explain", *where], "the last call that was denied, and why"))
    for command, why in commands:
        line = shlex.join(command)
        yield f"{line}  # {why}" if len(line) + len(why) + 4 <= _width() else line


def _width() -> int:
    """The columns of the terminal; as good as endless where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
