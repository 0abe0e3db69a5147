"""`passrole check`: has a role what a pipeline needs? Offline, in CI, before deploying."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    pipeline_name,
    settings,
    without_twins,
)
from passrole.cli.verbs import examples

if TYPE_CHECKING:
    from passrole.cli.report import Report
    from passrole.cli.subject import Choice
    from passrole.needs import Definition

_EXAMPLES = examples(
    "passrole check pipeline.json --managed-version v3",
    "passrole check pipeline.json --policy role.json --trust trust.json -p QueueUrl=https://...",
    "passrole check pipeline.json --role AmazonSageMaker-ExecutionRole-20260101T120000 --format sarif",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=_EXAMPLES)
@data_option
@click.argument("definition", type=_FILE)
@click.option(
    "--policy", "policies", multiple=True, type=_FILE, help="A policy of the role; may be repeated."
)
@click.option("--boundary", type=_FILE, help="The role's permissions boundary.")
@click.option("--trust", type=_FILE, help="The role's trust policy; without it trust is not checked.")
@click.option(
    "--managed-version",
    type=click.Choice(["v1", "v2", "v3"]),
    help="The role has this version of AmazonSageMakerPipelinesIntegrations.",
)
@click.option("--role", metavar="NAME", help="A role of the running server, by name or ARN.")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    type=AssignmentType(),
    help="A pipeline parameter; may be repeated.",
)
@click.option("--caller", type=_FILE, help="A policy of whoever creates and starts the pipeline.")
@click.option("--name", help="The pipeline's name.  [default: from the file's name]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="For people, for programs, for code scanning, for test reports.",
)
@click.pass_context
def check(
    context: click.Context,
    data: Path | None,
    definition: Path,
    policies: tuple[Path, ...],
    boundary: Path | None,
    trust: Path | None,
    managed_version: str | None,
    role: str | None,
    parameters: tuple[Assignment, ...],
    caller: Path | None,
    name: str | None,
    format_: str,
) -> None:
    """List the permissions a pipeline needs and what its role lacks.

    Needs no server (but for --role) and no AWS account. Exit code 0: all is allowed; 1: something is missing.
    """
    from passrole.cli import report
    from passrole.cli.subject import Choice, definition_of

    choice = Choice(settings(data=data), policies, boundary, trust, managed_version, role, caller)
    steps = definition_of(definition, without_twins(parameters, "-p"))
    found = _report(definition, name or pipeline_name(definition.stem), steps, choice)
    click.echo(report.FORMATS[format_](found))
    context.exit(0 if found.ok else 1)


def _report(file: Path, name: str, definition: "Definition", choice: "Choice") -> "Report":
    from passrole import needs
    from passrole.cli.report import Report
    from passrole.cli.subject import caller_of, subject_of

    place = needs.place_of(definition, needs.Place(choice.config.region, choice.config.account))
    subject = subject_of(choice, place)
    wanted = needs.needs_of_role(definition, subject.place)
    if subject.policies.trust is not None:
        wanted.insert(0, needs.trust_need(subject.role_arn))
    answers = needs.judge(wanted, needs.role_session(subject.role_arn), subject.policies)
    calls = needs.needs_of_caller(name, subject.role_arn, subject.place)
    caller = caller_of(choice, subject.place)
    return Report(
        file=file.as_posix(),
        answers=answers,
        caller_needs=calls,
        caller_answers=needs.judge(calls, *caller) if caller else [],
        unknown=needs.unknown_steps(definition),
        unused=needs.unused(answers, subject.policies),
        warnings=needs.warnings(definition, answers, subject.version),
    )
