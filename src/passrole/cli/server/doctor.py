"""`passrole doctor`: the prerequisites of pipelines on this machine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli.options import data_option, examples, settings

if TYPE_CHECKING:
    from passrole.cli.server.diagnostics import Finding
    from passrole.config import Config

_EXAMPLES = examples(
    "passrole doctor",
    "passrole doctor --format json",
    "passrole doctor --install-s3a    # Spark then uses S3 with the rights of each step's role",
)
_MARKS = {"ok": "ok", "limited": "!!", "missing": "--", "wrong": "NO"}
_COLOURS = {"ok": "green", "limited": "yellow", "missing": "yellow", "wrong": "red"}


@click.command(epilog=_EXAMPLES)
@data_option
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="json for programs."
)
@click.option("--install-s3a", is_flag=True, help="First download Hadoop's S3A (181 MB), Spark's way to S3.")
@click.pass_context
def doctor(context: click.Context, data: Path | None, format_: str, install_s3a: bool) -> None:
    """Check that this machine has what pipelines need.

    Each line that is not `ok` says what to do. `!!`: it works with a limit (a sandbox other than bubblewrap,
    functions under our own runtime client). `--`: some steps cannot run (EMR steps without Java or Spark,
    functions in JavaScript without Node.js). `NO`: the server cannot run. The exit code is 1 if there is a
    `NO`, else 0.
    """
    from passrole.cli.server.diagnostics import findings

    config = settings(data=data)
    if install_s3a:
        _install_s3a(config)
    found = list(findings(config))
    if format_ == "json":
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            click.echo(_line(finding))
    context.exit(int(any(finding.level == "wrong" for finding in found)))


def _install_s3a(config: "Config") -> None:
    from passrole.cli.server import s3a_download

    if not config.s3a_jars:
        raise click.UsageError("--install-s3a needs a folder: set HOME, or the setting s3a_jars.")
    click.echo(f"installing S3A into {config.s3a_jars}", err=True)
    s3a_download.install(Path(config.s3a_jars))


def _line(finding: "Finding") -> str:
    mark = click.style(_MARKS[finding.level], fg=_COLOURS[finding.level])
    advice = f"; {finding.advice}" if finding.advice else ""
    return f"{mark}  {finding.subject}: {finding.found}{advice}"
