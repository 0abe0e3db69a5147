"""`passrole show`: an execution with its steps, and what to type next."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli import completing
from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, format_option, settings
from passrole.cli.pipelines.callbacks import age
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.client.connection import Client, Connection
    from passrole.client.listing import Summary
    from passrole.client.progress import Step

_EXAMPLES = examples(
    "passrole show last",
    "passrole show qx3dk                      # the beginning of an execution's id is enough",
    "passrole show orders --exit-status       # 0 where the newest execution of `orders` succeeded",
)
_HEADINGS = ("Step", "Status", "Time", "")
_OF_TUNING = ("Training job", "Status", "Time", "Objective", "")
_TRAINING_JOBS_MAX = 10
NOT_ENDED = 3
"""The exit code of --exit-status for what is not over."""


@click.command(epilog=_EXAMPLES)
@click.argument("execution", shell_complete=completing.executions)
@click.option(
    "--exit-status", is_flag=True, help="Exit with 1 if it did not succeed, 3 if it has not ended yet."
)
@data_option
@format_option
@click.pass_context
def show(context: click.Context, execution: str, exit_status: bool, data: Path | None, format_: str) -> None:
    """Show an execution, its steps, and what to do next.

    Each step has its status, its time and details: why it failed, its waiting callback, its job, the
    execution whose result it reused. A loop has its counts, with those of its steps that did not succeed.
    A tuning step has its training jobs, the best first. EXECUTION is an ARN, an id or its beginning,
    `last`, or a pipeline's name, which means its newest execution. Needs no server. `json` is what AWS's
    DescribePipelineExecution answers, with PipelineExecutionSteps and PipelineParameters, and by tuning step
    the TrainingJobSummaries.
    """
    from passrole.cli import aws_json
    from passrole.client.connection import reading
    from passrole.client.execution_names import execution_arn

    with reading(settings(data=data)) as connection, aws_errors_reported():
        found = _found(connection.client("sagemaker"), execution_arn(connection, execution))
        if format_ == "json":
            click.echo(aws_json.dumps(found))
        else:
            _print(connection, found)
    if exit_status:
        context.exit(exit_code(found["PipelineExecutionStatus"]))


def exit_code(status: str) -> int:
    """0 of an execution that succeeded, 1 of one that ended otherwise, else NOT_ENDED."""
    from passrole.client.progress import ENDED

    return int(status != "Succeeded") if status in ENDED else NOT_ENDED


def _found(sagemaker: "Client", arn: str) -> dict[str, Any]:
    """The status first: steps that are listed after a final status are final too."""
    from passrole.client.listing import pages
    from passrole.client.tuning import training_jobs

    of = {"PipelineExecutionArn": arn}
    described = sagemaker.describe_pipeline_execution(**of)
    steps = pages(
        sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", **of, SortOrder="Ascending"
    )
    given = pages(sagemaker, "list_pipeline_parameters_for_execution", "PipelineParameters", **of)
    listed = list(steps)
    found = {**described, "PipelineExecutionSteps": listed, "PipelineParameters": list(given)}
    tried = training_jobs(sagemaker, listed)
    return {**found, "TrainingJobSummaries": tried} if tried else found


def _print(connection: "Connection", found: "Summary") -> None:
    from passrole.cli.pipelines import tables
    from passrole.client.progress import steps_of

    now = time.time()
    steps = steps_of(found["PipelineExecutionSteps"], now)
    width = tables.width()
    for title, value in _head(found, now):
        for line in tables.labelled(title, value, width=width, label_width=len(title)):
            click.echo(line)
    if steps:
        click.echo()
        tables.print_table(_HEADINGS, [_row(step) for step in _in_order(steps) if not step.is_folded])
    for name, jobs in found.get("TrainingJobSummaries", {}).items():
        _print_training_jobs(name, jobs, now)
    for line in _outputs(steps):
        click.echo(line)
    following = list(_next(connection, found, steps))
    if following:
        click.echo("\nnext")
    for command, why in following:
        line = f"  {command}  # {why}" if why else f"  {command}"
        click.echo(line if len(line) <= width else f"  {command}")


def _head(found: "Summary", now: float) -> Iterator[tuple[str, str]]:
    from passrole.cli.pipelines.tables import coloured
    from passrole.client.execution_names import place

    began, status = found["CreationTime"], found["PipelineExecutionStatus"]
    has_ended = exit_code(status) != NOT_ENDED
    until = found["LastModifiedTime"].timestamp() if has_ended else now
    yield f"{place(found['PipelineExecutionArn'])}  ", coloured(status)
    yield "  started     ", f"{began:%Y-%m-%d %H:%M:%S}, {age(now - began.timestamp())} ago"
    yield f"  {'took' if has_ended else 'runs for':<10}  ", duration(until - began.timestamp())
    for each in found["PipelineParameters"]:
        yield "  parameter   ", f"{each['Name']}={escaped(each['Value'])}"
    if reason := found.get("FailureReason"):
        yield "  reason      ", escaped(reason)


def duration(seconds: float) -> str:
    """`0.1 s`, from a minute on as an age."""
    return f"{seconds:.1f} s" if seconds < 60 else age(seconds)


def _row(step: "Step") -> tuple[str, ...]:
    return step.name, step.status, duration(step.seconds), _detail(step)


def _in_order(steps: Sequence["Step"]) -> Sequence["Step"]:
    """As they started, those of iterations after their loop."""
    place = {step.name: number for number, step in enumerate(steps)}
    return sorted(steps, key=lambda step: place[step.iteration.loop if step.iteration else step.name])


def _detail(step: "Step") -> str:
    from passrole.cli.pipelines.progress import loop
    from passrole.client.execution_names import place

    told = [loop(step)] if step.counts else []
    if step.waits:
        told.append(f"waits for an answer to {step.token}")
    if step.attempt > 1:
        told.append(f"attempt {step.attempt}")
    if step.job_arn:
        told.append(f"job {step.job_arn.rpartition('/')[2]}")
    if step.taken_from:
        told.append(f"{'cached' if step.is_cached else 'taken'} from {place(step.taken_from)}")
    if step.outcome:
        told.append(f"the condition is {step.outcome.lower()}")
    if step.reason:
        told.append(step.reason)
    return escaped(", ".join(told))


def _print_training_jobs(step: str, jobs: Sequence["Summary"], now: float) -> None:
    from passrole.cli.pipelines import tables

    if not jobs:
        return
    click.echo(f"\ntraining jobs of {escaped(step)}, the best first")
    tables.print_table(_OF_TUNING, [_training_job(job, now) for job in jobs[:_TRAINING_JOBS_MAX]])
    if len(jobs) > _TRAINING_JOBS_MAX:
        click.echo(f"and {len(jobs) - _TRAINING_JOBS_MAX} more; `--format json` has all of them")


def _training_job(job: "Summary", now: float) -> tuple[str, ...]:
    from passrole.client.tuning import objective

    found = objective(job)
    measured = "-" if found is None else f"{found[0]} {found[1]:g}"
    tried = ", ".join(f"{name}={value}" for name, value in sorted(job["TunedHyperParameters"].items()))
    until = job["TrainingEndTime"].timestamp() if "TrainingEndTime" in job else now
    took = duration(until - job["CreationTime"].timestamp())
    return job["TrainingJobName"], job["TrainingJobStatus"], took, escaped(measured), escaped(tried)


def _outputs(steps: Sequence["Step"]) -> Iterator[str]:
    from passrole.cli.pipelines.progress import outputs

    found = outputs(steps)
    if found:
        yield "\noutputs"
        yield from (f"  {each}" for each in found)


def _next(connection: "Connection", found: "Summary", steps: Sequence["Step"]) -> Iterator[tuple[str, str]]:
    id_, status = found["PipelineExecutionArn"].rpartition("/")[2], found["PipelineExecutionStatus"]
    goes_on = exit_code(status) == NOT_ENDED
    if goes_on and connection.is_at_rest:
        yield "passrole serve", "no server runs; it continues with one"
    for step in steps if goes_on else ():
        if step.waits:
            yield f"passrole approve {step.token}", f"let {step.name} succeed"
            yield f'passrole reject {step.token} --reason "..."', ""
    failed = [step for step in steps if step.status == "Failed"]
    for step in failed:
        if step.has_logs:
            yield f"passrole logs {id_} {step.name}", "what it wrote"
    if any(step.is_denied for step in failed):
        yield "passrole explain", "why the last call was denied"
    if status in ("Failed", "Stopped"):
        yield f"passrole retry {id_}", "run again from the steps that failed"
    if goes_on and not connection.is_at_rest:
        yield f"passrole logs -f {id_}", "follow what it writes"
        if status == "Executing":
            yield f"passrole stop {id_}", ""
