"""`passrole policy lint`: what AWS refuses in a policy, and what is suspicious in it."""

import json
from typing import TYPE_CHECKING, Any

import click

from passrole.cli.errors import Misuse
from passrole.cli.options import examples, say, settings
from passrole.cli.permissions.finding_options import FindingOptions, finding_options
from passrole.cli.permissions.project_settings import Configured

if TYPE_CHECKING:
    from passrole.cli.permissions.linted_files import LintedFinding

_EXAMPLES = examples(
    "passrole policy lint role.json",
    "passrole policy lint trust.json --kind trust --format json",
    "passrole policy lint policies/*.json template.yaml --format github",
)
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command(cls=Configured, epilog=_EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--kind",
    type=click.Choice(["identity", "managed", "session", "resource", "trust"]),
    default="identity",
    show_default=True,
    help="The kind of policy: inline, managed, session, of a resource (queue, function), or a role's trust.",
)
@finding_options
@click.option(
    "--format",
    "written_as",  # apart from the setting `format`, whose junit is none of these
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="For people, programs, code scanning, or annotations on GitHub.",
)
@click.pass_context
def lint(
    context: click.Context, /, files: tuple[str, ...], kind: str, written_as: str, **chosen: Any
) -> None:
    """Look for mistakes in policy documents.

    FILE is a policy document, any file that `check --policy` takes, of which every policy is looked at, a
    folder, a glob, or - for standard input.

    An `error`: AWS refuses the document, with this message. A `warning`: AWS accepts it, but it may not
    do what you want. Exit code 0: no findings. 1: warnings. 2: an error, or an unusable file.
    """
    from passrole.cli.permissions.check_output import write
    from passrole.cli.permissions.inputs import given_files, is_policy
    from passrole.cli.permissions.linted_files import findings_in

    options = FindingOptions(**chosen)
    selection, config = options.selection(), settings()
    listed = given_files(files, is_policy, "policy document")
    found: list[LintedFinding] = []
    unread = False
    for file in listed:
        try:
            found += findings_in(file, kind, config, selection)  # type: ignore[arg-type]  # click has checked it
        except Misuse as error:
            if len(listed) == 1:
                raise
            unread = True
            say(f"passrole policy lint: {error.format_message()}")
    write(_written(found, written_as, quiet=options.quiet), options.output)
    levels = {each.found.severity for each in found}
    worst = 2 if "error" in levels else 1 if "warning" in levels else 0
    context.exit(2 if unread else 0 if options.exit_zero else worst)


def _written(found: "list[LintedFinding]", form: str, *, quiet: bool) -> str:
    from passrole.cli.permissions.finding_lines import as_github, as_lines
    from passrole.cli.permissions.sarif import as_sarif

    plain = [each.found for each in found]
    if form == "json":
        return json.dumps([each.json for each in found], indent=2)
    if form != "text":
        return as_sarif(plain) if form == "sarif" else as_github(plain)
    return as_lines(plain) if quiet else "\n".join(map(_line, found))


def _line(each: "LintedFinding") -> str:
    from passrole.cli.permissions.report import printable

    found, linted = each.found, each.linted
    policy = f" `{each.policy}`" if each.policy else ""
    where = "" if linted.statement is None else f" statement {linted.statement + 1}"
    sid = f" (`{linted.sid}`)" if linted.sid else ""
    level = click.style(found.severity, fg=_COLOURS[found.severity])
    head = printable(f"{found.where}:{policy}{where}{sid}")
    return f"{head} {level} {found.code}: {printable(found.message)}"
