"""`passrole policy diff`: what a role has, compared with what a pipeline needs."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli.options import (
    Assignment,
    AssignmentType,
    data_option,
    examples,
    settings,
    unique_assignments,
)

if TYPE_CHECKING:
    from passrole.cli.permissions.report import Keys
    from passrole.needs import Answer, Unused

_EXAMPLES = examples(
    "passrole policy diff role.json pipeline.json -p Queue=approvals",
    "passrole policy diff AmazonSageMaker-ExecutionRole-20260101T120000 pipeline.json",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=_EXAMPLES)
@data_option
@click.argument("role", metavar="ROLE-OR-FILE")
@click.argument("definition", type=_FILE)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    type=AssignmentType(),
    help="A pipeline parameter; may be repeated.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="json for programs."
)
@click.pass_context
def diff(
    context: click.Context,
    data: Path | None,
    role: str,
    definition: Path,
    parameters: tuple[Assignment, ...],
    format_: str,
) -> None:
    """Compare a role with a pipeline's needs.

    ROLE-OR-FILE is a policy file, or a role of the data folder, by name or ARN. Lines with `-` are missing
    permissions, lines with `+` are unused ones. Exit code 0: nothing is missing. 1: something is missing.
    2: invalid input.
    """
    from passrole import needs
    from passrole.cli.permissions.named_file import named_file
    from passrole.cli.permissions.subject import Choice, definition_of, evaluate_subject, subject_of

    config = settings(data=data)
    file = named_file(role)
    choice = Choice(config, policies=(file,)) if file is not None else Choice(config, role=role)
    steps = definition_of(definition, unique_assignments(parameters, "-p"))
    subject = subject_of(choice, needs.place_of(steps, needs.Place(config.region, config.account)))
    wanted = needs.needs_of_role(steps, subject.place)
    answers, _unread = evaluate_subject(wanted, subject)
    missing = [answer for answer in answers if not answer.allowed]
    required = [answer for answer in missing if answer.counts_against]
    # Often one role is both, so what its jobs need counts as used.
    of_jobs = needs.needs_of_job_roles(steps, subject.place)
    as_job, _ = evaluate_subject(of_jobs, replace(subject, client_of=None))
    idle = needs.unused([*answers, *as_job], subject.policies)
    keys = needs.keys_of_calls(subject.place)
    click.echo(_as_json(missing, idle, keys) if format_ == "json" else _as_text(missing, idle))
    context.exit(1 if required else 0)


def _as_json(missing: "list[Answer]", idle: "list[Unused]", keys: "Keys") -> str:
    from passrole.cli.permissions.report import answer_json

    found = {
        "missing": [answer_json(answer, keys) for answer in missing],
        "unused": [asdict(each) for each in idle],
    }
    return json.dumps(found, indent=2)


def _as_text(missing: "list[Answer]", idle: "list[Unused]") -> str:
    from passrole.cli.permissions.report import needed, printable

    lines = []
    for answer in missing:
        step = f"  (step `{answer.need.step}`)" if answer.need.step is not None else ""
        lines.append(click.style("-", fg="red") + f" {needed(answer.need)}{printable(step)}")
        lines += [f"    {printable(message)}" for message in answer.near_misses[:1]]
    for each in idle:
        sid = f" (`{each.sid}`)" if each.sid else ""
        where = f"statement {each.statement + 1}{sid} of {each.policy.rpartition('/')[2]}"
        lines += [
            click.style("+", fg="green") + printable(f" {action}  ({where})") for action in each.actions
        ]
    granted = sum(len(each.actions) for each in idle)
    bearable = sum(not answer.counts_against for answer in missing)
    without = f" ({bearable} optional)" if bearable else ""
    return "\n".join([*lines, f"{len(missing)} missing{without}, {granted} unused"])
