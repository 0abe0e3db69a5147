"""`passrole policy generate`: the least privilege for a pipeline, from its definition or from what it did."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli import completing
from passrole.cli.errors import Failed, Misuse
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    pipeline_name,
    say,
    settings,
    unique_assignments,
)

if TYPE_CHECKING:
    from passrole.cli.permissions.generated_policies import Generated

_EXAMPLES = examples(
    "passrole policy generate pipeline.json -p Queue=approvals",
    "passrole policy generate pipeline.json --for role > role.json",
    "aws iam put-role-policy --role-name my-role --policy-name pipeline --policy-document file://role.json",
    "passrole policy generate pipeline.json --fix role.json",
    "passrole policy generate --from-executions --for role",
)


@click.command(epilog=_EXAMPLES)
@data_option
@click.argument("definition", required=False)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    type=AssignmentType(),
    help="A pipeline parameter; may be repeated.",
)
@click.option("--account", help="The account, where the definition does not name it.")
@click.option("--region", help="The region, where the definition does not name it.")
@click.option(
    "--role", metavar="NAME", shell_complete=completing.roles, help="The execution role, by name or ARN."
)
@click.option("--name", help="The pipeline's name.  [default: from the file's name]")
@click.option(
    "--from-executions", is_flag=True, help="Use the calls that a role made, from the server's audit trail."
)
@click.option(
    "--for",
    "whose",
    type=click.Choice(["role", "caller", "trust", "job-role"]),
    help="Print one document only, as JSON for IAM.",
)
@click.option(
    "--fix",
    "fixed",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add what is missing to the role's policy in this file, or make the file.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for one object with all documents.",
)
def generate(
    data: Path | None,
    definition: str | None,
    parameters: tuple[Assignment, ...],
    account: str | None,
    region: str | None,
    role: str | None,
    name: str | None,
    from_executions: bool,
    whose: str | None,
    fixed: Path | None,
    format_: str,
) -> None:
    """Write the smallest policies with which a pipeline runs.

    One is for its execution role, one for who creates and starts it, one is the role's trust policy. If
    the pipeline has jobs, one is for their own role. A resource is exact where the DEFINITION names it,
    else it is a wildcard: such a statement has `KnownAtRunTime` in its Sid, and a note names the step.

    With --from-executions, the role's policy is made from the calls that it was allowed to make in
    executions. DEFINITION is then the ARN of an execution, or left out for all executions.

    With --fix, the statements that the policy in FILE lacks are added to it, and nothing is printed but
    what was done. With --for job-role it is the policy of the jobs' role, with --for caller the deployer's.
    """
    config = settings(data=data, account=account, region=region)
    if from_executions:
        from passrole.cli.permissions.generated_policies import from_trail

        if parameters or name or account or region or fixed:
            raise Misuse(
                "--from-executions reads the audit trail; leave out -p, --name, --account, --region and --fix"
            )
        _print(from_trail(config, definition, role), whose, format_)
        return
    from passrole.cli.permissions.generated_policies import from_definition

    if definition is None:
        raise Misuse("pass a DEFINITION or --from-executions")
    given = unique_assignments(parameters, "-p")
    file = Path(definition)
    if not file.is_file():
        raise Misuse(f"there is no file `{definition}`")
    place = (region, account)
    if fixed is not None:
        from passrole.cli.permissions.generated_policies import fix_policy

        say(fix_policy(config, file, given, role, name or pipeline_name(file.stem), place, whose, fixed))
        return
    _print(
        from_definition(config, file, given, role, name or pipeline_name(file.stem), place), whose, format_
    )


def _print(found: "Generated", whose: str | None, format_: str) -> None:
    from passrole.cli.permissions.report import printable

    if whose is not None:
        document = found.documents.get(whose)
        if document is None:
            raise Misuse(f"--from-executions writes the role's policy only; leave out --for {whose}")
        if not document["Statement"]:
            raise Failed(f"the {whose} needs no permissions, so there is no policy to write")
        for note in found.notes_by_document.get(whose, ()):
            click.echo(f"note: {printable(note)}", err=True)
        click.echo(json.dumps(document, indent=2))
    elif format_ == "json":
        click.echo(json.dumps({**found.documents, "notes": found.notes}, indent=2))
    else:
        click.echo(found.text)
