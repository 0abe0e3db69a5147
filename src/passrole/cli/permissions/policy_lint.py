"""`passrole policy lint`: what AWS refuses in a policy, and what is suspicious in it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli.options import examples

if TYPE_CHECKING:
    from passrole.policy.lint import Finding

_EXAMPLES = examples(
    "passrole policy lint role.json",
    "passrole policy lint trust.json --kind trust --format json",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLOURS = {"error": "red", "warning": "yellow"}


@click.command(epilog=_EXAMPLES)
@click.argument("file", type=_FILE)
@click.option(
    "--kind",
    type=click.Choice(["identity", "managed", "session", "resource", "trust"]),
    default="identity",
    show_default=True,
    help="The kind of policy: inline, managed, session, of a resource (queue, function), or a role's trust.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="json for programs."
)
@click.pass_context
def lint(context: click.Context, file: Path, kind: str, format_: str) -> None:
    """Look for mistakes in a policy document.

    An `error`: AWS refuses the document, with this message. A `warning`: AWS accepts it, but it may not
    do what you want. Exit code 0: no findings. 1: warnings. 2: an error, or an unusable file.
    """
    from passrole.cli.permissions.policy_files import read_text, unwrap_policy_version
    from passrole.policy.lint import lint as findings_in

    document = unwrap_policy_version(read_text(file))
    text = document if isinstance(document, str) else json.dumps(document)
    findings = findings_in(text, kind)  # type: ignore[arg-type]  # click has checked it
    if format_ == "json":
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(_line(file, finding))
    levels = {finding.level for finding in findings}
    context.exit(2 if "error" in levels else 1 if levels else 0)


def _line(file: Path, finding: "Finding") -> str:
    from passrole.cli.permissions.report import printable

    where = "" if finding.statement is None else f" statement {finding.statement + 1}"
    sid = f" (`{finding.sid}`)" if finding.sid else ""
    level = click.style(finding.level, fg=_COLOURS[finding.level])
    return f"{printable(str(file))}:{printable(where + sid)} {level}: {printable(finding.message)}"
