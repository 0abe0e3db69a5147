"""What `start`, `stop` and `retry` share: the server, and watching the execution to its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from passrole.cli.errors import aws_errors_reported
from passrole.config import Config

if TYPE_CHECKING:
    from passrole.client.connection import Connection
    from passrole.client.progress import Progress

F = TypeVar("F", bound=Callable[..., object])


def wait_option(command: F) -> F:
    """Whether the command goes on until the execution has ended."""
    return click.option(
        "--wait",
        is_flag=True,
        help="Watch it to its end; if no server runs, start one for this.",
    )(command)


@contextmanager
def server(config: Config, *, waits: bool) -> Iterator["Connection"]:
    """The running server; if the command `waits`, also one that starts for it. Raises ServerUnavailable."""
    from passrole.client import ServerUnavailable
    from passrole.client.connection import connect

    if waits:
        from passrole.cli.temporary_server import connected

        with connected(config) as connection:
            yield connection
        return
    try:
        connection = connect(config, must_run=True)
    except ServerUnavailable as error:
        raise ServerUnavailable(f"{error}, or add --wait") from error
    yield connection


def told(arn: str, doing: str, format_: str, *, waits: bool) -> None:
    """Print what an execution is asked to do; in JSON its ARN, unless a line for each change follows."""
    from passrole.cli.pipelines import telling
    from passrole.client.execution_names import place

    if format_ == "text":
        click.echo(f"{doing} {place(arn)}")
    elif not waits:
        telling.answered(arn)


def watch(
    context: click.Context,
    connection: "Connection",
    execution: str,
    data: Path | None,
    format_: str,
    wanted: str = "Succeeded",
) -> None:
    """Show an execution until it has ended, and end the command: 0 if it ended as `wanted`, else 1."""
    ended = _ended(context, connection, execution, data, format_)
    context.exit(0 if ended.status == wanted else 1)


def _ended(
    context: click.Context, connection: "Connection", execution: str, data: Path | None, format_: str
) -> "Progress":
    """Its final state. Ctrl-C ends the command."""
    from passrole.cli.pipelines import watching
    from passrole.client.plan import Plan
    from passrole.definition import parse_stored

    sagemaker = connection.client("sagemaker")
    with watching.interruptible(context, connection, data), aws_errors_reported():
        answer = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)
        plan = Plan(parse_stored(answer["PipelineDefinition"]))
        ended, seconds = watching.follow(connection, plan, execution, format_)
    if format_ == "text":
        watching.report(ended, seconds, execution, data)
    return ended
