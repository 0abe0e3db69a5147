"""`passrole models`: the model packages of the registry."""

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
    from passrole.client.listing import Summary

_EXAMPLES = examples(
    "passrole models churn --status pending",
    "passrole approve churn/3",
    "passrole models --format json | jq -r '.ModelPackageSummaryList[0].ModelPackageArn'",
)
_HEADINGS = ("Package", "Approval", "Created", "Description")


@click.command(epilog=_EXAMPLES)
@click.argument("group", required=False, shell_complete=completing.groups)
@click.option(
    "--status",
    type=click.Choice(["pending", "approved", "rejected"]),
    help="Only packages with this approval status.",
)
@data_option
@format_option
def models(group: str | None, status: str | None, data: Path | None, format_: str) -> None:
    """List model packages, newest first.

    With GROUP those of one group. Needs no server. `json` is what AWS's ListModelPackages answers.
    """
    from passrole.cli import aws_json
    from passrole.cli.pipelines import tables
    from passrole.client import models as client_models
    from passrole.client.connection import reading

    wanted = client_models.STATUSES[status] if status else None
    with reading(settings(data=data)) as connection, aws_errors_reported():
        found = client_models.packages(connection.client("sagemaker"), group, wanted)
    if format_ == "json":
        click.echo(aws_json.dumps({"ModelPackageSummaryList": found}))
    elif not found:
        click.echo("there is no such model package; a RegisterModel step makes one", err=True)
    else:
        tables.print_table(_HEADINGS, [_row(each) for each in found])


def _row(package: "Summary") -> tuple[str, ...]:
    created = age(time.time() - package["CreationTime"].timestamp())
    name = package["ModelPackageArn"].partition(":model-package/")[2]
    approval = package.get("ModelApprovalStatus", "no approval")
    return name, approval, f"{created} ago", escaped(package.get("ModelPackageDescription", ""))
