"""`passrole run`: one pipeline from its definition file to its outputs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli.errors import INTERRUPTED, Misuse, aws_errors_reported
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

if TYPE_CHECKING:
    from passrole.client.connection import Connection
    from passrole.client.packaging import Source
    from passrole.client.plan import Plan


@dataclass(frozen=True)
class Job:
    """The input of `run`, checked before the first call to a server."""

    name: str
    definition: str
    plan: "Plan"
    parameters: Mapping[str, str]
    functions: tuple["Source", ...]
    role: str | None
    stubs: Mapping[str, Mapping[str, Any]]


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
@click.option(
    "--stub",
    "stubs",
    type=AssignmentType("STEP=FILE.json"),
    multiple=True,
    help="Do not run a step: a file has its properties or outputs; may be repeated.",
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
    stubs: tuple[Assignment, ...],
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
    job = _job(definition, role, parameters, functions, stubs, name)

    from passrole.cli.pipelines import watching
    from passrole.cli.temporary_server import connected

    config = settings(data=data, spark_master=spark_master, images=image_rules(images), containers=containers)
    with connected(config) as connection:
        try:
            with aws_errors_reported():
                execution = _start(connection, job)
                ended, seconds = watching.follow(connection, job.plan, execution)
        except KeyboardInterrupt:
            click.echo(f"\n{_on_interrupt(connection, data)}", err=True)
            context.exit(INTERRUPTED)
    watching.report(ended, seconds, execution, data)
    for step in job.stubs:
        click.echo(f"  {step} was stubbed: it did not run")
    context.exit(0 if ended.status == "Succeeded" else 1)


def _job(
    file: Path,
    role: str | None,
    parameters: tuple[Assignment, ...],
    functions: tuple[str, ...],
    stubs: tuple[Assignment, ...],
    name: str | None,
) -> Job:
    from passrole.cli.pipelines import stub_files
    from passrole.cli.pipelines.definition_file import read_pipeline
    from passrole.client.packaging import read_source
    from passrole.client.plan import Plan

    try:
        definition = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"`{file}` cannot be read: {error}") from error
    chosen = name or pipeline_name(file.stem)
    if not chosen:
        raise Misuse(f"`{file.name}` gives no name for the pipeline; choose one with --name")
    sources = tuple(map(read_source, functions))
    values = unique_assignments(parameters, "-p")
    files = stub_files.read_files(stubs)
    pipeline = read_pipeline(file, definition, stubbed=files)
    chosen_stubs = stub_files.for_pipeline(files, pipeline)
    return Job(chosen, definition, Plan(pipeline), values, sources, role, chosen_stubs)


def _start(connection: "Connection", job: Job) -> str:
    """Deploy functions and pipeline, and start an execution; its ARN."""
    from passrole.client.deployment import put_function, put_pipeline

    for source in job.functions:
        done = put_function(connection.client("lambda"), source, connection.access.lambda_role_arn)
        click.echo(f"function {source.name}: {done}")
    sagemaker, token = connection.client("sagemaker"), uuid.uuid4().hex
    if job.stubs:  # before the definition, whose steps may then be of types that passrole does not run
        asked = {"PipelineName": job.name, "ClientRequestToken": token, "Stubs": job.stubs}
        connection.ask("StubSteps", asked)
    done = put_pipeline(sagemaker, job.name, job.definition, connection.role_arn(job.role))
    click.echo(f"pipeline {job.name}: {done}")
    given = [{"Name": name, "Value": value} for name, value in job.parameters.items()]
    started = sagemaker.start_pipeline_execution(
        PipelineName=job.name, PipelineParameters=given, ClientRequestToken=token
    )
    click.echo(f"execution {started['PipelineExecutionArn']}")
    return str(started["PipelineExecutionArn"])


def _on_interrupt(connection: "Connection", data: Path | None) -> str:
    folder = f" --data {data}" if data else ""
    if connection.temporary:
        return (
            f"stopped watching, and the server with it; `passrole serve{folder}` takes the execution up again"
        )
    return f"stopped watching; the execution goes on (`passrole callbacks{folder}` lists who waits)"
