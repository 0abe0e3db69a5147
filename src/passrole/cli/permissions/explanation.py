"""Shows what a decision means (audit/explanation.py) as text or JSON, and finds calls in the audit trail."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import click

from passrole.audit import Entry, Wanted
from passrole.audit.explanation import Explanation, LayerVerdict, explanations
from passrole.cli.errors import Misuse
from passrole.cli.permissions import trail
from passrole.cli.permissions.report import printable
from passrole.config import Config

_WHERE: Final[Mapping[str, str]] = {
    "identity": "an identity-based policy of the caller",
    "resource": "the policy of the resource",
    "boundary": "the permissions boundary",
    "session": "the session policy",
    "scp": "a service control policy of every level",
    "trust": "the trust policy of the role",
}


def from_trail(config: Config, request_id: str | None) -> list[Explanation]:
    """The checks of the calls with a request id, or the last one that was denied. Raises Misuse."""
    if request_id is None:
        entry = _last_denial(config)
        return [each for each in explanations(entry) if not each.allowed]
    calls = trail.entries(config, Wanted(request_id=request_id))
    found = [each for entry in calls for each in explanations(entry)]
    if not found:
        raise Misuse(
            f"the trail of `{config.data}` has no permission checked under the request id `{request_id}`"
        )
    return found


def as_json(found: Sequence[Explanation]) -> str:
    """One object, see docs/reference/cli.md."""
    whole = {"allowed": all(each.allowed for each in found), "decisions": [asdict(each) for each in found]}
    return json.dumps(whole, indent=2)


def as_text(found: Sequence[Explanation]) -> str:
    """A paragraph for each decision; click drops colours off a terminal."""
    return "\n\n".join("\n".join(_lines(each)) for each in found)


FORMATS: Final[Mapping[str, Callable[[Sequence[Explanation]], str]]] = {"text": as_text, "json": as_json}


def _last_denial(config: Config) -> Entry:
    for entry in trail.entries(config, Wanted(is_denied=True, last=1)):
        return entry
    raise Misuse(f"the trail of `{config.data}` has no denial; ask about a request with --action, see --help")


def _lines(found: Explanation) -> Iterator[str]:
    verdict, colour = ("allowed", "green") if found.allowed else ("denied", "red")
    title = click.style(verdict, fg=colour, bold=True)
    yield f"{title}  {printable(f'{found.action} on {found.resource}')}"
    yield printable(f"  by       {found.principal}")
    yield from (printable(f"  where    {key} is {_value(value)}") for key, value in found.context.items())
    if found.call:
        at = datetime.fromtimestamp(found.call["time"], UTC).strftime("%Y-%m-%d %H:%M:%S")
        called = f"{found.call['service']}:{found.call['operation']}, request {found.call['request_id']}"
        yield printable(f"  call     {called}, {at} UTC")
    if found.reason:
        yield printable(f"  reason   {found.reason}")
    yield click.style("layers", bold=True)
    for each in found.layers:
        decided = "  <- decided" if each.layer == found.layer else ""
        yield printable(f"  {each.layer:<8} {each.verdict:<6} {_statement(each)}".rstrip() + decided)
    if not found.layers:
        yield "  no policy applies: the action needs no permission"
    if found.near_misses:
        denied = any(each.verdict == "deny" for each in found.layers)
        yield click.style("denied by" if denied else "near misses", bold=True)
        yield from (f"  {printable(message)}" for message in found.near_misses)
    yield from _remedy_lines(found)


def _statement(layer_verdict: LayerVerdict) -> str:
    if layer_verdict.statement is None:
        return ""
    sid = f" (`{layer_verdict.sid}`)" if layer_verdict.sid else ""
    return (
        f"statement {layer_verdict.statement + 1}{sid} of {(layer_verdict.policy or '').rpartition('/')[2]}"
    )


def _remedy_lines(found: Explanation) -> Iterator[str]:
    if found.allowed:
        return
    yield click.style("what would allow it", bold=True)
    for remedy in found.remedies:
        yield f"  in {_WHERE[remedy.layer]}:"
        yield from (f"    {line}" for line in json.dumps(remedy.statement, indent=2).splitlines())
    if any(each.verdict == "deny" for each in found.layers):
        yield "  nothing that can be added: narrow or remove the statement that denies it"
    elif not found.remedies:
        yield "  nothing that can be added"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(value)
