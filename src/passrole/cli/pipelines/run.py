"""`passrole run`: one pipeline from its definition file to its outputs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse, aws_errors_reported
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    format_option,
    image_options,
    image_rules,
    pipeline_name,
    settings,
    spark_options,
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
    "--role",
    metavar="NAME",
    shell_complete=completing.roles,
    help="The execution role, by name or ARN.  [default: the one of `init`]",
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
@spark_options
@image_options
@format_option
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
    spark_s3: str | None,
    images: tuple[str, ...],
    containers: str | None,
    format_: str,
) -> None:
    """Run a pipeline from its file and watch it to the end.

    Creates or updates the functions and the pipeline, starts an execution, shows each step as it
    changes, with the reason of every failure, and prints the outputs. The exit code is 0 if the
    execution Succeeded, else 1. If no server runs on the data folder, one starts for this command. On a
    terminal, you can answer a waiting callback with a key. `json` prints one object per line for each change.
    """
    job = _job(definition, role, parameters, functions, stubs, name)

    from passrole.cli.pipelines import telling, watching
    from passrole.cli.temporary_server import connected

    spark = {"spark_master": spark_master, "spark_s3": spark_s3}
    config = settings(data=data, images=image_rules(images), containers=containers, **spark)
    with (
        connected(config) as connection,
        watching.interruptible(context, connection, data),
        aws_errors_reported(),
    ):
        execution = _start(connection, job, format_)
        ended, seconds = watching.follow(connection, job.plan, execution, format_)
    if format_ == "text":
        watching.report(ended, seconds, execution, data)
        telling.stubbed(job.stubs, format_)
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


def _start(connection: "Connection", job: Job, format_: str) -> str:
    """Deploy functions and pipeline, and start an execution; its ARN."""
    from passrole.cli.pipelines import telling
    from passrole.client.deployment import put_function, put_pipeline

    for source in job.functions:
        done = put_function(connection.client("lambda"), source, connection.access.lambda_role_arn)
        telling.done(format_, "function", source.name, done)
    sagemaker, token = connection.client("sagemaker"), uuid.uuid4().hex
    if job.stubs:  # before the definition, whose steps may then be of types that passrole does not run
        asked = {"PipelineName": job.name, "ClientRequestToken": token, "Stubs": job.stubs}
        connection.ask("StubSteps", asked)
    done = put_pipeline(sagemaker, job.name, job.definition, connection.role_arn(job.role))
    telling.done(format_, "pipeline", job.name, done)
    given = [{"Name": name, "Value": value} for name, value in job.parameters.items()]
    started = sagemaker.start_pipeline_execution(
        PipelineName=job.name, PipelineParameters=given, ClientRequestToken=token
    )
    execution = str(started["PipelineExecutionArn"])
    telling.execution(execution, format_, waits=True)
    if format_ == "json":
        telling.stubbed(job.stubs, format_)
    return execution
