"""`passrole policy generate`: the least privilege for a pipeline, from its definition or from what it did."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli.errors import Failed, Misuse
from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    pipeline_name,
    settings,
    unique_assignments,
)

if TYPE_CHECKING:
    from passrole.cli.permissions.generated_policies import Generated

_EXAMPLES = examples(
    "passrole policy generate pipeline.json -p Queue=approvals",
    "passrole policy generate pipeline.json --for role > role.json",
    "aws iam put-role-policy --role-name my-role --policy-name pipeline --policy-document file://role.json",
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
@click.option("--account", help="The account of what is not named in full.")
@click.option("--region", help="The region of what is not named in full.")
@click.option("--role", metavar="NAME", help="The execution role, by name or ARN.")
@click.option("--name", help="The pipeline's name.  [default: from the file's name]")
@click.option(
    "--from-executions", is_flag=True, help="From what a role was allowed, by the server's audit trail."
)
@click.option(
    "--for",
    "whose",
    type=click.Choice(["role", "caller", "trust", "job-role"]),
    help="Print one document alone, as JSON that IAM takes.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or one object with all documents.",
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
    format_: str,
) -> None:
    """Write the smallest policies with which a pipeline runs.

    One is for its execution role, one for whoever creates and starts it, one is the role's trust policy, and
    where the pipeline has jobs one is for their own role.
    Resources are exact where the DEFINITION tells them, and a pattern where only an execution knows them:
    such statements have `KnownAtRunTime` in their Sid, and a note says which step they are for.

    With --from-executions the role's policy is made from what it asked for and was allowed while
    executions ran; DEFINITION is then the ARN of an execution, or left out for all of them.
    """
    config = settings(data=data, account=account, region=region)
    if from_executions:
        from passrole.cli.permissions.generated_policies import from_trail

        if parameters or name or account or region:
            raise Misuse(
                "--from-executions reads the audit trail; leave out -p, --name, --account and --region"
            )
        _print(from_trail(config, definition, role), whose, format_)
        return
    from passrole.cli.permissions.generated_policies import from_definition

    if definition is None:
        raise Misuse("one of DEFINITION, --from-executions is required")
    given = unique_assignments(parameters, "-p")
    file = Path(definition)
    if not file.is_file():
        raise Misuse(f"there is no file `{definition}`")
    place = (region, account)
    _print(
        from_definition(config, file, given, role, name or pipeline_name(file.stem), place), whose, format_
    )


def _print(found: "Generated", whose: str | None, format_: str) -> None:
    from passrole.cli.permissions.report import printable

    if whose is not None:
        document = found.documents.get(whose)
        if document is None:
            raise Misuse(f"--from-executions gives the policy of the role only; leave out --for {whose}")
        if not document["Statement"]:
            raise Failed(f"the {whose} needs no permission; there is no policy to write")
        for note in found.notes_by_document.get(whose, ()):
            click.echo(f"note: {printable(note)}", err=True)
        click.echo(json.dumps(document, indent=2))
    elif format_ == "json":
        click.echo(json.dumps({**found.documents, "notes": found.notes}, indent=2))
    else:
        click.echo(found.text)
