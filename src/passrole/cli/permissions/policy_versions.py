"""`passrole policy versions`: what each version of a managed policy added."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from passrole.cli.errors import Misuse
from passrole.cli.options import examples

if TYPE_CHECKING:
    from passrole.policy.document_diff import Part
    from passrole.policy.managed import ManagedPolicy

_EXAMPLES = examples(
    "passrole policy versions AmazonSageMakerPipelinesIntegrations",
    "passrole policy versions AmazonSageMakerPipelinesIntegrations --format json",
)


@click.command(epilog=_EXAMPLES)
@click.argument("name")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="json for programs."
)
def versions(name: str, format_: str) -> None:
    """Show what each version of a managed policy added, with its date.

    NAME is the name or ARN of an AWS managed policy that passrole has. A role always has its newest version,
    also if it was attached long ago: AWS updates it for everyone.
    """
    from passrole.policy.managed import policies

    known = {policy.name: policy for policy in policies().values()}
    policy = known.get(name.rpartition("/")[2])
    if policy is None:
        raise Misuse(f"there is no managed policy `{name}` here; there are {', '.join(sorted(known))}")
    listed = list(_versions(policy))
    if format_ == "json":
        click.echo(json.dumps({"name": policy.name, "arn": policy.arn, "versions": listed}, indent=2))
        return
    click.echo(click.style(policy.arn, bold=True))
    for version in listed:
        click.echo("\n".join(_lines(version)))


def _versions(policy: "ManagedPolicy") -> Iterator[dict[str, Any]]:
    from passrole.policy.document_diff import only_in

    before: Mapping[str, object] | None = None
    for version in policy.versions:
        removed = only_in(before, version.document) if before is not None else []
        yield {
            "id": version.id,
            "created": datetime.fromtimestamp(version.created, UTC).strftime("%Y-%m-%d"),
            "added": [_part(part) for part in only_in(version.document, before)],
            "removed": [_part(part) for part in removed],
        }
        before = version.document


def _part(part: "Part") -> dict[str, Any]:
    return {
        "effect": part.effect,
        "actions": list(part.actions),
        "resources": list(part.resources),
        "condition": dict(part.condition),
    }


def _lines(version: Mapping[str, Any]) -> Iterator[str]:
    yield click.style(f"{version['id']}  {version['created']}", bold=True)
    for mark, colour, parts in (("+", "green", version["added"]), ("-", "red", version["removed"])):
        for part in parts:
            denies = "deny " if part["effect"] == "Deny" else ""
            yield f"  {click.style(mark, fg=colour)} {denies}{', '.join(part['actions'])}"
            yield from (f"      on {resource}" for resource in part["resources"])
            for operator, keys in part["condition"].items():
                yield from (f"      where {key} {operator} {_values(keys[key])}" for key in keys)


def _values(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
