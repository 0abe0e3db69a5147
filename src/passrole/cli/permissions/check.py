"""`passrole check`: whether a role has the permissions that a pipeline needs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

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
from passrole.cli.permissions.finding_options import FindingOptions, finding_options
from passrole.cli.permissions.named_file import NamedFile, NamedFileType
from passrole.cli.permissions.project_settings import Configured

if TYPE_CHECKING:
    from passrole.cli.permissions.check_output import Checked

_EXAMPLES = examples(
    "passrole check pipeline.json --managed-version v3",
    "passrole check pipeline.json --policy role.json --trust trust.json -p QueueUrl=https://...",
    "passrole check pipeline.json --role AmazonSageMaker-ExecutionRole-20260101T120000 --format sarif",
    "passrole check pipelines/*.json --policy template.yaml --format sarif --output passrole.sarif",
    "passrole check pipeline.py:pipeline --policy template.yaml:PipelineRole --ignore PR108",
    "passrole check my-pipeline --from-endpoint",
)
_FILE = NamedFileType()


@click.command(cls=Configured, epilog=_EXAMPLES)
@data_option
@click.argument("definitions", metavar="DEFINITION...", nargs=-1, required=True)
@click.option("--from-endpoint", is_flag=True, help="DEFINITION is the name of a deployed pipeline.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=_FILE,
    help="A policy of the role, or a template, plan or AWS answer with it; may be repeated.",
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
    help="The role of the pipeline's jobs: a policy file (may be repeated), or its name.",
)
@click.option(
    "--role-tag",
    "tags",
    multiple=True,
    type=AssignmentType(),
    help="A tag of a role that --policy describes; may be repeated.",
)
@click.option("--name", help="The pipeline's name.  [default: from the file's name]")
@finding_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "junit", "github"]),
    default="text",
    show_default=True,
    help="For people, programs, code scanning, test reports, or annotations on GitHub.",
)
@click.pass_context
def check(
    context: click.Context,
    /,
    data: Path | None,
    definitions: tuple[str, ...],
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
    **chosen: Any,
) -> None:
    """List the permissions a pipeline needs, and what its role lacks.

    Also lists its jobs' roles and how their images run here, and what CreatePipeline refuses.

    DEFINITION is a JSON file, a Python file that makes the pipeline (FILE.py or FILE.py:NAME), a folder, a
    glob, or - for standard input.

    Needs no AWS account and no server. With --from-endpoint, DEFINITION is the name of a deployed pipeline:
    on AWS, or on a passrole server after `eval "$(passrole env)"`.

    Exit code 0: no errors were found. 1: a permission is missing, or may be, or the definition is refused.
    2: invalid input.
    """
    from passrole.cli.permissions.check_output import rendered, write
    from passrole.cli.permissions.checks import check_deployed, check_files
    from passrole.cli.permissions.subject import Choice

    options = FindingOptions(**chosen)
    if role or from_endpoint:  # then the project's role is not meant
        policies = () if _is_of_project(context, "policies") else policies
        boundary = None if _is_of_project(context, "boundary") else boundary
        trust = None if _is_of_project(context, "trust") else trust
    choice = Choice(
        settings(data=data),
        policies,
        boundary,
        trust,
        managed_version,
        role,
        caller,
        job_roles,
        unique_assignments(tags, "--role-tag"),
    )
    given = unique_assignments(parameters, "-p")
    if from_endpoint:
        _refuse_another_role(name, role, policies, boundary, trust, tags)
        found = check_deployed(definitions, given, choice, options.selection())
    else:
        found = check_files(definitions, name, given, choice, options.selection())
    _tell(found, options)
    write(rendered(found, format_, quiet=options.quiet), options.output)
    context.exit(2 if found.unread else 0 if found.ok or options.exit_zero else 1)


def _tell(found: "Checked", options: FindingOptions) -> None:
    for line in () if options.quiet else dict.fromkeys(said for each in found.reports for said in each.said):
        say(line)
    for unread in found.unread:
        say(f"passrole check: {unread.message}")


def _refuse_another_role(*given: object) -> None:
    """Raises Misuse."""
    if any(given):
        raise Misuse(
            "--from-endpoint reads the pipeline's own role; leave out --name, --role, --policy, "
            "--boundary, --trust and --role-tag"
        )


def _is_of_project(context: click.Context, parameter: str) -> bool:
    return context.get_parameter_source(parameter) is ParameterSource.DEFAULT_MAP
