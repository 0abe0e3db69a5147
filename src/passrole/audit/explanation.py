"""What a decision means: of a request, or of a call in the audit trail. Pure.

A call in the trail is explained by its entry alone, because its policies may have changed since.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Account, InvalidPart
from passrole.audit.entry import Check, Entry
from passrole.needs import execution_role_session
from passrole.needs.need import PASSED_TO
from passrole.policy import PolicySet, Principal, Request, denial_message, evaluate
from passrole.policy.evaluate import Layer, LayerResult
from passrole.policy.near_misses import near_misses
from passrole.policy.remedy import Remedy, remedies, statement_for
from passrole.policy.request import service_principal

_NEAR_MISSES_MAX = 5


class UnknownPrincipal(Exception):
    """The text names no principal; the message says so."""


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


def explanations(entry: Entry) -> Iterator[Explanation]:
    """A call in the trail: each permission that it needed."""
    names = ("time", "request_id", "service", "operation", "code")
    call = {name: value for name in names if (value := getattr(entry, name)) is not None}
    for check in entry.checks:
        yield _from_check(entry, check, call)


def principal_of(arn: str) -> Principal:
    """A user, a role (as SageMaker's session), a session, an account's root, or a service.

    Raises UnknownPrincipal.
    """
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
    raise UnknownPrincipal(f"`{arn}` is not the ARN of a user, a role or a session, nor a service's name")


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


def _layer_verdict(layer: Layer, finding: LayerResult) -> LayerVerdict:
    statement = finding.statement
    if statement is None:
        return LayerVerdict(layer, finding.verdict)
    return LayerVerdict(layer, finding.verdict, finding.policy, statement.index, statement.sid)
