"""The documents that `policy generate` writes, and notes on them.

It decides no permission: `needs` lists them and makes the statements.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from passrole import arns, needs
from passrole.arns import Account, Region
from passrole.cli.errors import Misuse, aws_errors_reported
from passrole.cli.permissions.report import printable
from passrole.cli.permissions.subject import UNNAMED, definition_of
from passrole.cli.permissions.trail import allowed_to_roles
from passrole.config import Config
from passrole.needs import Definition, Need
from passrole.needs.least_privilege import INLINE_CHARACTERS_MAX
from passrole.needs.need import role_arn

_TITLES = {
    "job-role": "what the role of the pipeline's jobs may do",
    "role": "what the execution role may do",
    "caller": "what whoever creates and starts the pipeline may do",
    "trust": "who may assume the execution role",
}
# A trail's times are those of calls, an execution's those of its facts.
_SECONDS_APART = 1.0


@dataclass(frozen=True)
class Generated:
    """Policy documents by their owner (`role`, `caller`, `trust`), and notes on them for people."""

    documents: Mapping[str, Mapping[str, Any]]
    notes_by_document: Mapping[str, Sequence[str]]

    @property
    def notes(self) -> list[str]:
        """All of them, in the order of the documents."""
        return [printable(note) for notes in self.notes_by_document.values() for note in notes]

    @property
    def text(self) -> str:
        """For people: each document under its title, the notes last."""
        lines: list[str] = []
        for whose, document in self.documents.items():
            lines.append(click.style(f"{whose}: {_TITLES[whose]}", bold=True))
            lines.append(json.dumps(document, indent=2) if document["Statement"] else "  nothing is needed")
        lines += [click.style("note", fg="yellow") + f": {note}" for note in self.notes]
        return "\n".join(lines)


def from_definition(
    config: Config,
    file: Path,
    given: dict[str, str],
    role: str | None,
    name: str,
    chosen: tuple[str | None, str | None],
) -> Generated:
    """The policies that the definition needs; `chosen` are the region and account options. Raises Misuse."""
    definition = definition_of(file, given)
    place = _place(config, definition, chosen)
    passed = role_arn(role or UNNAMED, place)
    of_role = needs.needs_of_role(definition, place)
    of_caller = needs.needs_of_caller(name, passed, place)
    of_jobs = needs.needs_of_job_roles(definition, place)
    documents = {
        "role": needs.least_privilege(of_role),
        "caller": needs.least_privilege(of_caller),
        "trust": needs.trust_document(),
        **({"job-role": needs.least_privilege(of_jobs)} if of_jobs else {}),
    }
    unnamed = f"`{passed}` stands for the execution role; name it with --role"
    notes = {
        "role": [*_unknown(definition), *_at_run_time(of_role), *_too_long(documents["role"])],
        "caller": [*_left_out(of_caller), *([] if role else [unnamed])],
    }
    return Generated(documents, notes)


def fix_policy(
    config: Config,
    file: Path,
    given: dict[str, str],
    role: str | None,
    name: str,
    chosen: tuple[str | None, str | None],
    whose: str | None,
    fixed: Path,
) -> str:
    """Add to the policy in `fixed` what it lacks for the definition, and say what was done. Raises Misuse."""
    from passrole.cli.permissions.fixed_policy import fix

    definition = definition_of(file, given)
    place = _place(config, definition, chosen)
    if whose == "trust":
        raise Misuse("--fix is for policies; leave out --for trust")
    if whose == "caller":
        wanted = needs.needs_of_caller(name, role_arn(role or UNNAMED, place), place)
    elif whose == "job-role":
        wanted = needs.needs_of_job_roles(definition, place)
    else:
        wanted = needs.needs_of_role(definition, place)
    done = fix(fixed, wanted, place, config)
    if done.is_new:
        return f"{fixed} is new and has {done.added} statements"
    return f"{done.added} statements are added to {fixed}" if done.added else f"{fixed} lacks nothing"


def from_trail(config: Config, execution: str | None, role: str | None) -> Generated:
    """What a role of executions was allowed: of one execution, or of all in the trail. Raises Misuse."""
    named = role.rpartition("/")[2] if role else None
    since, until = 0.0, None
    if execution is not None:
        since, until, own = _window(config, execution)
        if named not in (None, own):
            raise Misuse(f"the pipeline of that execution has the role `{own}`, not `{named}`")
        named = own
    found = allowed_to_roles(config, since, until)
    if named is None and len(found) > 1:
        raise Misuse(f"the trail has several roles: {', '.join(sorted(found))}; choose one with --role")
    if named is None and not found:
        raise Misuse("the trail has no call of an execution yet; run one with `passrole run`")
    named = named or next(iter(found))
    if named not in found:
        known = f"; it has {', '.join(sorted(found))}" if found else ""
        raise Misuse(f"the trail has no call of an execution with the role `{named}`{known}")
    document = needs.least_privilege(found[named])
    incomplete = (
        f"made from the calls of `{named}` that were allowed; what did not run is not in it, and "
        "`passrole policy generate DEFINITION` has what every step needs"
    )
    return Generated({"role": document}, {"role": [incomplete, *_too_long(document)]})


def _place(config: Config, definition: Definition, chosen: tuple[str | None, str | None]) -> needs.Place:
    """The definition's region and account; the options come first."""
    place = needs.place_of(definition, needs.Place(config.region, config.account))
    region, account = chosen
    return needs.Place(
        Region(region) if region else place.region, Account(account) if account else place.account
    )


def _unknown(definition: Definition) -> Iterator[str]:
    for step in needs.unknown_steps(definition):
        yield f"step `{step.name}`: what a step of type `{step.type}` needs is not known here and not written"


def _at_run_time(listed: Iterable[Need]) -> Iterator[str]:
    steps: dict[str, dict[str, None]] = {}
    for need in listed:
        if need.is_pattern:
            steps.setdefault(need.resource, {})[f"`{need.step}`"] = None
    for resource, names in steps.items():
        yield (
            f"`{resource}` (step {', '.join(names)}) is known only at run time; "
            "give a parameter's value with -p, or narrow the pattern by hand"
        )


def _too_long(document: Mapping[str, Any]) -> Iterator[str]:
    size = len(json.dumps(document, separators=(",", ":")))
    if size > INLINE_CHARACTERS_MAX:
        yield (
            f"the policy has {size} characters; IAM takes {INLINE_CHARACTERS_MAX} of all inline policies of "
            "a role together, so split it into managed ones"
        )


def _left_out(listed: Iterable[Need]) -> Iterator[str]:
    for need in listed:
        if need.when == "if tagged":
            yield f"left out: {need.action} on {need.resource}, which is needed only if the pipeline has tags"


def _window(config: Config, execution: str) -> tuple[float, float, str]:
    """When the execution ran, in epoch seconds, and its pipeline's role by name. Raises Misuse, Failed."""
    from passrole.client.connection import reading

    found = arns.parse(execution)
    if found is None or "/execution/" not in found.resource:
        raise Misuse(f"`{execution}` is not the ARN of an execution")
    with reading(config) as connection, aws_errors_reported():
        sagemaker = connection.client("sagemaker")
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        role = sagemaker.describe_pipeline(PipelineName=found.resource.split("/")[1])["RoleArn"]
    since, until = described["CreationTime"].timestamp(), described["LastModifiedTime"].timestamp()
    return since - _SECONDS_APART, until + _SECONDS_APART, role.rpartition("/")[2]
