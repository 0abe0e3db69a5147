"""Explains a decision as text or JSON: of a request, or of a call in the audit trail.

A call in the trail is explained by its entry alone, because its policies may have changed since.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from passrole import arns
from passrole.arns import Account, InvalidPart
from passrole.audit import Check, Entry
from passrole.cli.errors import Misuse
from passrole.cli.permissions import trail
from passrole.cli.permissions.report import printable
from passrole.needs import execution_role_session
from passrole.needs.need import PASSED_TO
from passrole.policy import PolicySet, Principal, Request, denial_message, evaluate
from passrole.policy.evaluate import Layer, LayerResult
from passrole.policy.near_misses import near_misses
from passrole.policy.remedy import Remedy, remedies, statement_for
from passrole.policy.request import service_principal

_NEAR_MISSES_MAX = 5
_WHERE: Final[Mapping[str, str]] = {
    "identity": "an identity-based policy of the caller",
    "resource": "the policy of the resource",
    "boundary": "the permissions boundary",
    "session": "the session policy",
    "scp": "a service control policy of every level",
    "trust": "the trust policy of the role",
}


@dataclass(frozen=True)
class LayerVerdict:
    """The verdict of a layer; `statement` counts from 0, None if no statement decided or none is known."""

    layer: str
    verdict: str
    policy: str | None = None
    statement: int | None = None
    sid: str | None = None


@dataclass(frozen=True)
class Explanation:
    """A decision; `reason` is AWS's message, `call` what the audit trail has about the call."""

    allowed: bool
    action: str
    resource: str
    principal: str
    context: Mapping[str, Any]
    layer: str | None
    layers: Sequence[LayerVerdict]
    reason: str | None = None
    near_misses: Sequence[str] = ()
    remedies: Sequence[Remedy] = ()
    call: Mapping[str, Any] = field(default_factory=dict)


def explain_request(request: Request, policies: PolicySet) -> Explanation:
    """The decision on a request."""
    decision = evaluate(request, policies)
    return Explanation(
        allowed=decision.allowed,
        action=request.action,
        resource=request.resource,
        principal=request.principal.arn,
        context=request.context,
        layer=decision.layer,
        layers=[_layer_verdict(layer, finding) for layer, finding in decision.layer_results.items()],
        reason=None if decision.allowed else denial_message(request, decision),
        near_misses=near_misses(request, policies, _NEAR_MISSES_MAX),
        remedies=remedies(request, policies),
    )


def from_trail(data: Path, request_id: str | None) -> list[Explanation]:
    """The checks of the calls with a request id, or the last one that was denied. Raises Misuse."""
    if request_id is None:
        entry = _last_denial(data)
        return [each for each in _checks(entry) if not each.allowed]
    wanted = json.dumps(request_id).encode()
    calls = trail.entries(data, lambda line: wanted in line)
    found = [each for entry in calls if entry.request_id == request_id for each in _checks(entry)]
    if not found:
        raise Misuse(f"the trail of `{data}` has no permission checked under the request id `{request_id}`")
    return found


def principal_of(arn: str) -> Principal:
    """A user, a role (as SageMaker's session), a session, an account's root, or a service. Raises Misuse."""
    if not arn.startswith("arn:") and "." in arn:
        return service_principal(arn, "")
    found = arns.parse(arn)
    kind, _, path = found.resource.partition("/") if found else ("", "", "")
    name = path.rpartition("/")[2]
    if found and found.resource == "root":
        return Principal("root", arn, found.account, found.account, "root")
    if found and kind == "user" and name:
        return Principal("user", arn, found.account, "", name)
    if found and kind == "role" and name:
        with suppress(InvalidPart):
            return execution_role_session(arn)
    role, _, session = path.partition("/")
    if found and kind == "assumed-role" and session:
        with suppress(InvalidPart):
            role_arn = arns.iam(Account(found.account), "role", "/", role)
            return Principal("role", arn, found.account, "", role, role_arn, session)
    raise Misuse(f"`{arn}` is not the ARN of a user, a role or a session, nor a service's name")


def as_json(found: Sequence[Explanation]) -> str:
    """One object, see docs/reference/cli.md."""
    whole = {"allowed": all(each.allowed for each in found), "decisions": [asdict(each) for each in found]}
    return json.dumps(whole, indent=2)


def as_text(found: Sequence[Explanation]) -> str:
    """A paragraph for each decision; click drops colours off a terminal."""
    return "\n\n".join("\n".join(_lines(each)) for each in found)


FORMATS: Final[Mapping[str, Callable[[Sequence[Explanation]], str]]] = {"text": as_text, "json": as_json}


def _layer_verdict(layer: Layer, finding: LayerResult) -> LayerVerdict:
    statement = finding.statement
    if statement is None:
        return LayerVerdict(layer, finding.verdict)
    return LayerVerdict(layer, finding.verdict, finding.policy, statement.index, statement.sid)


def _last_denial(data: Path) -> Entry:
    last = None
    for entry in trail.entries(data, lambda line: b"false" in line):
        if not all(check.allowed for check in entry.checks):
            last = entry
    if last is None:
        raise Misuse(f"the trail of `{data}` has no denial; ask about a request with --action, see --help")
    return last


def _checks(entry: Entry) -> Iterator[Explanation]:
    names = ("time", "request_id", "service", "operation", "code")
    call = {name: value for name in names if (value := getattr(entry, name)) is not None}
    for check in entry.checks:
        yield _from_check(entry, check, call)


def _from_check(entry: Entry, check: Check, call: Mapping[str, Any]) -> Explanation:
    layer: Any = check.layer
    verdicts = check.verdicts or {layer: "allow" if check.allowed else "silent"}
    context = {PASSED_TO: check.passed_to} if check.passed_to is not None else {}
    layers = [
        LayerVerdict(each, verdict, *((check.policy, check.statement) if each == layer else ()))
        for each, verdict in verdicts.items()
    ]
    request = Request(principal_of(entry.principal), check.action, check.resource, "", context)
    has_remedy = not check.allowed and verdicts.get(layer) == "silent"
    return Explanation(
        allowed=check.allowed,
        action=check.action,
        resource=check.resource,
        principal=entry.principal,
        context=context,
        layer=layer,
        layers=layers,
        reason=None if check.allowed else entry.message,
        near_misses=check.near_misses,
        remedies=[Remedy(layer, statement_for(request, layer))] if has_remedy else (),
        call=call,
    )


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
