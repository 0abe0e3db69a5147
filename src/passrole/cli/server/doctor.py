"""`passrole doctor`: the prerequisites of pipelines on this machine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli.options import data_option, examples, settings

if TYPE_CHECKING:
    from passrole.cli.server.diagnostics import Finding

_EXAMPLES = examples("passrole doctor", "passrole doctor --format json")
_MARKS = {"ok": "ok", "missing": "--", "wrong": "NO"}
_COLOURS = {"ok": "green", "missing": "yellow", "wrong": "red"}


@click.command(epilog=_EXAMPLES)
@data_option
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="json for programs."
)
@click.pass_context
def doctor(context: click.Context, data: Path | None, format_: str) -> None:
    """Check that this machine has what pipelines need.

    Each line that is not `ok` says what to do. `--`: some steps cannot run (EMR steps without Java or Spark,
    functions in JavaScript without Node.js). `NO`: the server cannot run. The exit code is 1 if there is a
    `NO`, else 0.
    """
    from passrole.cli.server.diagnostics import findings

    found = list(findings(settings(data=data)))
    if format_ == "json":
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            click.echo(_line(finding))
    context.exit(int(any(finding.level == "wrong" for finding in found)))


def _line(finding: "Finding") -> str:
    mark = click.style(_MARKS[finding.level], fg=_COLOURS[finding.level])
    advice = f"; {finding.advice}" if finding.advice else ""
    return f"{mark}  {finding.subject}: {finding.found}{advice}"
