"""`passrole check`: whether a role has the permissions that a pipeline needs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    say,
    settings,
    unique_assignments,
)
from passrole.cli.permissions.named_file import NamedFile, NamedFileType, named_file

if TYPE_CHECKING:
    from passrole.cli.permissions.report import Report
    from passrole.cli.permissions.subject import Choice, Subject
    from passrole.needs import Definition

_EXAMPLES = examples(
    "passrole check pipeline.json --managed-version v3",
    "passrole check pipeline.json --policy role.json --trust trust.json -p QueueUrl=https://...",
    "passrole check pipeline.json --role AmazonSageMaker-ExecutionRole-20260101T120000 --format sarif",
    "passrole check my-pipeline --from-endpoint",
)
_FILE = NamedFileType()


@click.command(epilog=_EXAMPLES)
@data_option
@click.argument("definition")
@click.option("--from-endpoint", is_flag=True, help="DEFINITION is the name of a deployed pipeline.")
@click.option(
    "--policy", "policies", multiple=True, type=_FILE, help="A policy of the role; may be repeated."
)
@click.option("--boundary", type=_FILE, help="The role's permissions boundary.")
@click.option("--trust", type=_FILE, help="The role's trust policy; trust is not checked without it.")
@click.option(
    "--managed-version",
    type=click.Choice(["v1", "v2", "v3"]),
    help="The role has this version of AmazonSageMakerPipelinesIntegrations.",
)
@click.option(
    "--role",
    metavar="NAME",
    shell_complete=completing.roles,
    help="A role of the data folder, by name or ARN.",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    type=AssignmentType(),
    help="A pipeline parameter; may be repeated.",
)
@click.option(
    "--caller", type=_FILE, help="Also check the deployer: a policy of who creates and starts the pipeline."
)
@click.option(
    "--job-role",
    "job_roles",
    metavar="NAME|FILE",
    multiple=True,
    help="The role of the pipeline's jobs: a policy file (may be repeated), or its name at the server.",
)
@click.option(
    "--role-tag",
    "tags",
    multiple=True,
    type=AssignmentType(),
    help="A tag of a role that --policy describes; may be repeated.",
)
@click.option("--name", help="The pipeline's name.  [default: from the file's name]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="text for people, json for programs, sarif for code scanning, junit for test reports.",
)
@click.pass_context
def check(
    context: click.Context,
    data: Path | None,
    definition: str,
    from_endpoint: bool,
    policies: tuple[NamedFile, ...],
    boundary: NamedFile | None,
    trust: NamedFile | None,
    managed_version: str | None,
    role: str | None,
    parameters: tuple[Assignment, ...],
    caller: NamedFile | None,
    job_roles: tuple[str, ...],
    tags: tuple[Assignment, ...],
    name: str | None,
    format_: str,
) -> None:
    """List the permissions a pipeline needs, and what its role lacks.

    Also lists the needs of its jobs' roles, and how this machine runs the images of its jobs.

    Needs no AWS account, and no server unless you pass --role. With --from-endpoint, DEFINITION is the
    name of a deployed pipeline: on AWS, or on a passrole server after `eval "$(passrole env)"`.

    Exit code 0: all required permissions are allowed. 1: one is missing, or may be. 2: invalid input.
    """
    from passrole.cli.permissions import report
    from passrole.cli.permissions.subject import Choice

    role_tags = unique_assignments(tags, "--role-tag")
    choice = Choice(
        settings(data=data), policies, boundary, trust, managed_version, role, caller, job_roles, role_tags
    )
    given = unique_assignments(parameters, "-p")
    if from_endpoint:
        if name or role or policies or boundary or trust or tags:
            raise Misuse(
                "--from-endpoint reads the pipeline's own role; leave out --name, --role, --policy, "
                "--boundary, --trust and --role-tag"
            )
        found = _deployed(definition, given, choice)
    else:
        file = named_file(definition)
        if file is None:
            raise Misuse(
                f"there is no file `{definition}`; for a pipeline that is deployed add --from-endpoint"
            )
        found = _of_a_file(file, name, given, choice)
    for line in found.said:
        say(line)
    click.echo(report.FORMATS[format_](found))
    context.exit(0 if found.ok else 1)


def _of_a_file(given: NamedFile, name: str | None, values: dict[str, str], choice: "Choice") -> "Report":
    from passrole import needs
    from passrole.cli.permissions.pipeline_files import read_pipeline_file
    from passrole.cli.permissions.subject import job_role_of, parse_definition, subject_of

    file = read_pipeline_file(given)
    definition = parse_definition(file.text, values, file.label)
    place = needs.place_of(definition, needs.Place(choice.config.region, choice.config.account))
    subject = subject_of(choice, place, file.role_arn)
    jobs = job_role_of(choice, subject.place)
    return _report(file.label, name or file.name, definition, subject, jobs, choice)


def _deployed(name: str, given: dict[str, str], choice: "Choice") -> "Report":
    from passrole.cli.permissions.deployed_pipeline import Endpoint
    from passrole.cli.permissions.subject import job_role_of

    endpoint = Endpoint()
    found = endpoint.pipeline(name, given, choice.version)
    jobs = job_role_of(choice, found.subject.place, lambda role: endpoint.role(role, found.subject.place))
    report = _report(found.label, found.name, found.definition, found.subject, jobs, choice)
    missing = endpoint.missing(answer.need for answer in report.answers)
    return replace(report, warnings=[*report.warnings, *missing])


def _report(
    label: str,
    name: str,
    definition: "Definition",
    subject: "Subject",
    job_role: "Subject | None",
    choice: "Choice",
) -> "Report":
    from passrole import needs
    from passrole.cli.permissions.report import Report
    from passrole.cli.permissions.step_images import step_images
    from passrole.cli.permissions.subject import caller_of, evaluate_subject, keys_of_now

    wanted = needs.needs_of_role(definition, subject.place)
    if subject.policies.trust is not None:
        wanted.insert(0, needs.trust_need(subject.role_arn, name, subject.place))
    answers, unread = evaluate_subject(wanted, subject)
    calls = needs.needs_of_caller(name, subject.role_arn, subject.place)
    caller = caller_of(choice, subject.place)
    of_jobs = needs.needs_of_job_roles(definition, subject.place)
    job_answers, unread_of_jobs = evaluate_subject(of_jobs, job_role) if job_role else ([], [])
    # Often one role is both, so what its jobs need counts as used.
    as_job, _ = evaluate_subject(of_jobs, replace(subject, client_of=None))
    return Report(
        file=label,
        answers=answers,
        caller_needs=calls,
        caller_answers=needs.evaluate_needs(calls, *caller, keys=keys_of_now(subject.place))
        if caller
        else [],
        job_needs=of_jobs,
        job_answers=job_answers,
        unknown=needs.unknown_steps(definition),
        unused=needs.unused([*answers, *as_job], subject.policies),
        warnings=[
            *needs.warnings(definition, answers, subject.version),
            *subject.warnings,
            *(job_role.warnings if job_role else ()),
            *unread,
            *unread_of_jobs,
        ],
        images=list(step_images(definition, choice.config)),
        keys=needs.keys_of_calls(subject.place),
        said=[*subject.said, *(job_role.said if job_role else ())],
    )
