"""What a command has done, as a line of text or as JSON."""

import json
from collections.abc import Iterable

import click

from passrole.cli.pipelines import json_lines


def done(format_: str, kind: str, name: str, result: str) -> None:
    """A function or a pipeline was deployed."""
    if format_ == "json":
        json_lines.tell(kind, **{f"{kind.capitalize()}Name": name}, result=result)
    else:
        click.echo(f"{kind} {name}: {result}")


def execution(arn: str, format_: str, *, waits: bool) -> None:
    """An execution was started; `waits` says whether more lines follow."""
    if format_ == "text":
        click.echo(f"execution {arn}")
    elif waits:
        json_lines.tell("execution", PipelineExecutionArn=arn)
    else:
        answered(arn)


def stubbed(steps: Iterable[str], format_: str) -> None:
    """Steps did not run: a result that the user gave stood for each."""
    for step in steps:
        if format_ == "json":
            json_lines.tell("stubbed", StepName=step)
        else:
            click.echo(f"  {step} was stubbed: it did not run")


def answered(arn: str) -> None:
    """AWS's answer of an operation that changes an execution."""
    click.echo(json.dumps({"PipelineExecutionArn": arn}))
