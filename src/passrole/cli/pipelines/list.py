"""`passrole list`: the pipelines, or the executions of one."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, format_option, settings
from passrole.cli.pipelines.callbacks import age
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.client.connection import Client
    from passrole.client.listing import Summary

_EXAMPLES = examples(
    "passrole list",
    "passrole list orders --limit 5",
    "passrole list orders --format json | jq '.PipelineExecutionSummaries[0]'",
)
_PIPELINES = ("Pipeline", "Last execution", "Status", "Started")
_EXECUTIONS = ("Execution", "Status", "Started", "Reason")
_LIMIT = 20


@click.command("list", epilog=_EXAMPLES)
@click.argument("pipeline", required=False, shell_complete=completing.pipelines)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_LIMIT,
    show_default=True,
    help="How many executions, newest first.",
)
@data_option
@format_option
def list_(pipeline: str | None, limit: int, data: Path | None, format_: str) -> None:
    """List pipelines, or the executions of one.

    Without PIPELINE, lists all pipelines, each with its newest execution. Needs no server. `json` has the
    members of AWS's ListPipelines and ListPipelineExecutions.
    """
    from passrole.cli import aws_json
    from passrole.cli.pipelines import tables
    from passrole.client import listing
    from passrole.client.connection import reading

    with reading(settings(data=data)) as connection, aws_errors_reported():
        sagemaker = connection.client("sagemaker")
        if pipeline is None:
            found, member = listing.pipelines(sagemaker), "PipelineSummaries"
        else:
            found, member = listing.executions(sagemaker, pipeline, limit + 1), "PipelineExecutionSummaries"
        shown = found if pipeline is None else found[:limit]
        if format_ == "json":
            click.echo(aws_json.dumps({member: shown}))
        elif not shown:
            click.echo(_nothing(pipeline), err=True)
        elif pipeline is None:
            tables.print_table(_PIPELINES, [_pipeline_row(sagemaker, each) for each in shown])
        else:
            tables.print_table(_EXECUTIONS, [_execution_row(each) for each in shown])
    if len(found) > len(shown):
        click.echo(f"these are the newest {limit}; --limit shows more", err=True)


def _nothing(pipeline: str | None) -> str:
    if pipeline is None:
        return "there is no pipeline yet; `passrole run DEFINITION` makes one"
    return f"`{pipeline}` has not been started yet; `passrole start {pipeline}` starts it"


def _pipeline_row(sagemaker: "Client", pipeline: "Summary") -> tuple[str, ...]:
    name = pipeline["PipelineName"]
    listed = sagemaker.list_pipeline_executions(PipelineName=name, MaxResults=1)
    for newest in listed["PipelineExecutionSummaries"]:
        return name, *_execution_row(newest)[:3]
    return name, "never started", "", ""


def _execution_row(execution: "Summary") -> tuple[str, ...]:
    started = age(time.time() - execution["StartTime"].timestamp())
    reason = escaped(execution.get("PipelineExecutionFailureReason", ""))
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    return id_, execution["PipelineExecutionStatus"], f"{started} ago", reason
