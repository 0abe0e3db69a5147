"""`passrole run`: one pipeline from its definition file to its outputs."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli.errors import INTERRUPTED, Misuse, aws_errors_reported, aws_message
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    image_options,
    image_rules,
    pipeline_name,
    settings,
    spark_master_option,
    unique_assignments,
)
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.cli.pipelines.screens import Screen
    from passrole.client.connection import Connection
    from passrole.client.packaging import Source
    from passrole.client.progress import Progress, Step


@dataclass(frozen=True)
class Job:
    """The input of `run`, checked before the first call to a server."""

    name: str
    definition: str
    parameters: Mapping[str, str]
    functions: tuple["Source", ...]
    role: str | None


_EXAMPLES = examples(
    "passrole run pipeline.json",
    "passrole run pipeline.json -p Threshold=0.8 --function sagemaker-score=./score:app.handler",
)


@click.command(epilog=_EXAMPLES)
@click.argument("definition", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--role", metavar="NAME", help="The execution role, by name or ARN.  [default: the one of `init`]"
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    type=AssignmentType(),
    multiple=True,
    help="A pipeline parameter; may be repeated.",
)
@click.option(
    "--function",
    "functions",
    metavar="NAME=FOLDER:HANDLER",
    multiple=True,
    help="A Lambda function made of all files in a folder; may be repeated.",
)
@click.option("--name", help="The pipeline's name.  [default: from the file's name]")
@data_option
@spark_master_option
@image_options
@click.pass_context
def run(
    context: click.Context,
    definition: Path,
    role: str | None,
    parameters: tuple[Assignment, ...],
    functions: tuple[str, ...],
    name: str | None,
    data: Path | None,
    spark_master: str | None,
    images: tuple[str, ...],
    containers: str | None,
) -> None:
    """Run a pipeline from its file and watch it to the end.

    Creates or updates the functions and the pipeline, starts an execution, shows each step as it
    changes, with the reason of every failure, and prints the outputs. The exit code is 0 if the
    execution Succeeded, else 1. If no server runs on the data folder, one starts for this command. On a
    terminal, you can answer a waiting callback with a key.
    """
    job = _job(definition, role, parameters, functions, name)

    from passrole.cli.temporary_server import connected

    config = settings(data=data, spark_master=spark_master, images=image_rules(images), containers=containers)
    with connected(config) as connection:
        try:
            with aws_errors_reported():
                ended, seconds = _follow(connection, job, _start(connection, job))
        except KeyboardInterrupt:
            click.echo(f"\n{_on_interrupt(connection, data)}", err=True)
            context.exit(INTERRUPTED)
    _report(ended, seconds)
    context.exit(0 if ended.status == "Succeeded" else 1)


def _job(
    file: Path,
    role: str | None,
    parameters: tuple[Assignment, ...],
    functions: tuple[str, ...],
    name: str | None,
) -> Job:
    from passrole.client.packaging import read_source

    try:
        definition = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"`{file}` cannot be read: {error}") from error
    chosen = name or pipeline_name(file.stem)
    if not chosen:
        raise Misuse(f"`{file.name}` gives no name for the pipeline; choose one with --name")
    sources = tuple(map(read_source, functions))
    return Job(chosen, definition, unique_assignments(parameters, "-p"), sources, role)


def _start(connection: "Connection", job: Job) -> str:
    """Deploy functions and pipeline, and start an execution; its ARN."""
    from passrole.client.deployment import put_function, put_pipeline

    for source in job.functions:
        done = put_function(connection.client("lambda"), source, connection.access.lambda_role_arn)
        click.echo(f"function {source.name}: {done}")
    sagemaker = connection.client("sagemaker")
    done = put_pipeline(sagemaker, job.name, job.definition, connection.role_arn(job.role))
    click.echo(f"pipeline {job.name}: {done}")
    given = [{"Name": name, "Value": value} for name, value in job.parameters.items()]
    started = sagemaker.start_pipeline_execution(PipelineName=job.name, PipelineParameters=given)
    click.echo(f"execution {started['PipelineExecutionArn']}")
    return str(started["PipelineExecutionArn"])


def _follow(connection: "Connection", job: Job, execution: str) -> tuple["Progress", float]:
    """Show the execution until it ends; its final state, and its duration in seconds."""
    from passrole.cli.pipelines.screens import screen
    from passrole.client.jobs import Jobs
    from passrole.client.progress import poll_seconds, progress_of, with_jobs

    sagemaker, jobs = connection.client("sagemaker"), Jobs(connection)
    began = time.monotonic()
    with screen() as shown:
        while True:
            progress = with_jobs(progress_of(sagemaker, execution), jobs)
            seconds = time.monotonic() - began
            shown.show(progress.steps, seconds)
            if progress.has_ended:
                return progress, seconds
            key = shown.wait(poll_seconds(seconds))
            waiting = [step for step in progress.steps if step.waits]
            if waiting and key in ("a", "r"):
                _answer(connection, job, shown, waiting[0], approves=key == "a")


def _answer(connection: "Connection", job: Job, shown: "Screen", step: "Step", *, approves: bool) -> None:
    """Prompt for the outputs or the reason on the terminal, and send the answer."""
    from botocore.exceptions import ClientError

    from passrole.client import callbacks

    document: dict[str, Any] = json.loads(job.definition)
    with shown.suspended():
        try:
            if approves:
                names = callbacks.declared_outputs(document, step.name)
                values = {name: click.prompt(f"{step.name}.{name}", type=str) for name in names}
                callbacks.approve(connection, step.token, values)
            else:
                reason = click.prompt(f"why {step.name} is rejected", type=str)
                callbacks.reject(connection, step.token, reason)
        except ClientError as error:  # a consumer of the queue may have been faster
            click.echo(escaped(aws_message(error)), err=True)


def _report(ended: "Progress", seconds: float) -> None:
    from passrole.cli.pipelines.progress import ends_of_logs, outputs

    ending = f"{ended.status} after {seconds:.2f} s"
    click.echo(f"{ending}: {escaped(ended.reason)}" if ended.reason else ending)
    for line in ends_of_logs(ended.steps):
        click.echo(line)
    for line in outputs(ended.steps):
        click.echo(f"  {line}")


def _on_interrupt(connection: "Connection", data: Path | None) -> str:
    folder = f" --data {data}" if data else ""
    if connection.temporary:
        return (
            f"stopped watching, and the server with it; `passrole serve{folder}` takes the execution up again"
        )
    return f"stopped watching; the execution goes on (`passrole callbacks{folder}` lists who waits)"
