"""The decision: may this principal do this to that resource?

It knows no store and no wire, builds no sentence and explains nothing (`explain` does, on demand).

The order is AWS's. An explicit Deny in any layer wins. Otherwise, for a principal of the resource's own
account: the organisation must allow; a resource-based policy may grant alone (and past boundary and session
policy, if it names the user or the session itself); else the identity-based policies must allow, and the
boundary, and the session policy. From another account both sides must allow. A role's trust policy is a
resource-based policy that must always allow; an AWS service has nothing but resource-based policies; and an
account's root user may do everything in its account that the organisation allows.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from passrole.policy.document import CompiledPolicy, Statement
from passrole.policy.principals import Reach
from passrole.policy.request import Request
from passrole.policy.scope import Scope

Layer = Literal["identity", "resource", "boundary", "session", "scp", "trust"]
Verdict = Literal["allow", "deny", "silent"]
NamedPolicy = tuple[str, CompiledPolicy]

# The names of the two policies that have neither name nor ARN of their own.
RESOURCE_POLICY: Final = "resource-based policy"
TRUST_POLICY: Final = "role trust policy"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The policies that apply to one request, by layer; those that can have a name have it, or their ARN.

    `identity` are the principal's own; `session` those that AssumeRole was given (an empty tuple: none, and
    no limit). `scps` are the organisation's levels from the root down, each of which must allow. `trust` is
    the role's trust policy, for sts:AssumeRole and its like; it takes the place of `resource`.
    """

    identity: tuple[NamedPolicy, ...] = ()
    resource: CompiledPolicy | None = None
    boundary: NamedPolicy | None = None
    session: tuple[NamedPolicy, ...] = ()
    scps: tuple[tuple[NamedPolicy, ...], ...] = ()
    trust: CompiledPolicy | None = None

    def replace(
        self, *, resource: CompiledPolicy | None = None, trust: CompiledPolicy | None = None
    ) -> "PolicySet":
        """The same policies with what is attached to the resource of this request."""
        return replace(self, resource=resource, trust=trust)


class Finding(NamedTuple):
    """What one layer says, and by which statement of which policy; `reach` only for resource and trust."""

    verdict: Verdict
    policy: str | None = None
    statement: Statement | None = None
    reach: Reach = Reach.NONE


class Decision(NamedTuple):
    """The outcome. `layer` is the one that decided; `findings` has every layer that was asked.

    Implicit denials have no statement: nothing spoke. Statements count from 0.
    """

    allowed: bool
    explicit: bool
    layer: Layer
    findings: Mapping[Layer, Finding]

    @property
    def verdicts(self) -> dict[Layer, Verdict]:
        """What each layer that was asked said."""
        return {layer: finding.verdict for layer, finding in self.findings.items()}

    @property
    def policy(self) -> str | None:
        """The name or ARN of the deciding policy."""
        return self._deciding.policy

    @property
    def statement(self) -> int | None:
        """The index of the deciding statement in its policy."""
        statement = self._deciding.statement
        return None if statement is None else statement.index

    @property
    def sid(self) -> str | None:
        """The Sid of the deciding statement, if it has one."""
        statement = self._deciding.statement
        return None if statement is None else statement.sid

    @property
    def _deciding(self) -> Finding:
        return self.findings.get(self.layer, _SILENT)


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide the request."""
    if request.action.lower() in _ALWAYS_ALLOWED:
        return Decision(True, False, "identity", {})
    findings = _ask(Scope(request), policies)
    for layer, finding in findings.items():
        if finding.verdict == "deny":
            return Decision(False, True, layer, findings)
    granted_by, refused_by = _combine(request, findings)
    if refused_by is not None:
        return Decision(False, False, refused_by, findings)
    return Decision(True, False, granted_by, findings)


# "No permissions are required to perform this operation", not even the absence of a Deny.
_ALWAYS_ALLOWED: Final = frozenset({"sts:getcalleridentity"})

_SILENT: Final = Finding("silent")
_ROOT: Final = Finding("allow")
_SEVERITY: Final[Mapping[Verdict, int]] = {"deny": 0, "silent": 1, "allow": 2}


def _ask(scope: Scope, policies: PolicySet) -> dict[Layer, Finding]:
    """The finding of every layer that is present, in the order in which a Deny is reported.

    AWS names one policy type when several deny and does not document which; this is its evaluation order.
    """
    kind = scope.request.principal.kind
    found: dict[Layer, Finding] = {}
    if policies.scps and kind != "service":
        found["scp"] = _ask_levels(policies.scps, scope)
    if policies.trust is not None:
        found["trust"] = _ask_resource(TRUST_POLICY, policies.trust, scope)
    elif policies.resource is not None:
        found["resource"] = _ask_resource(RESOURCE_POLICY, policies.resource, scope)
    if kind == "service":
        return found
    if kind == "root":
        found["identity"] = _ROOT
        return found
    found["identity"] = _ask_policies(policies.identity, scope)
    if policies.boundary is not None:
        found["boundary"] = _ask_policies((policies.boundary,), scope)
    if policies.session:
        found["session"] = _ask_policies(policies.session, scope)
    return found


def _ask_policies(policies: Iterable[NamedPolicy], scope: Scope) -> Finding:
    """The first Deny of any of the policies, else the first Allow."""
    action = scope.request.action
    allow: Finding | None = None
    for name, policy in policies:
        relevant = policy.about(action)
        for statement in relevant.denies:
            if statement.applies(scope):
                return Finding("deny", name, statement)
        if allow is None:
            for statement in relevant.allows:
                if statement.applies(scope):
                    allow = Finding("allow", name, statement)
                    break
    return allow or _SILENT


def _ask_levels(levels: Iterable[tuple[NamedPolicy, ...]], scope: Scope) -> Finding:
    """Every level must allow; a Deny on any level wins."""
    findings = [_ask_policies(level, scope) for level in levels]
    return min(findings, key=lambda finding: _SEVERITY[finding.verdict])


def _ask_resource(name: str, policy: CompiledPolicy, scope: Scope) -> Finding:
    """The first Deny that names the caller, else the Allow that names it most directly."""
    principal = scope.request.principal
    relevant = policy.about(scope.request.action)
    best = _SILENT
    for statement in (*relevant.denies, *relevant.allows):
        reach = statement.reach(principal)
        if reach > best.reach and statement.applies(scope):
            if not statement.allows:
                return Finding("deny", name, statement, reach)
            best = Finding("allow", name, statement, reach)
    return best


def _combine(request: Request, findings: Mapping[Layer, Finding]) -> tuple[Layer, Layer | None]:
    """Which layer grants, and which one refuses if any does, when nothing denies explicitly."""
    side: Layer = "trust" if "trust" in findings else "resource"
    reach = findings.get(side, _SILENT).reach
    if _is_silent(findings, "scp"):
        return side, "scp"
    if request.principal.kind == "service":
        return side, None if reach else side
    if side == "trust" and (not reach or request.principal.kind == "root"):
        # "Roles may not be assumed by root accounts."
        return side, "trust"
    if request.principal.account != request.resource_account:
        refused = _first_silent(findings, "identity", "boundary", "session")
        return side, refused or (None if reach else side)
    if reach is Reach.DIRECT:
        return side, None
    if reach is Reach.ROLE:
        return side, _first_silent(findings, "boundary", "session")
    return "identity", _first_silent(findings, "identity", "boundary", "session")


def _first_silent(findings: Mapping[Layer, Finding], *layers: Layer) -> Layer | None:
    for layer in layers:
        if _is_silent(findings, layer):
            return layer
    return None


def _is_silent(findings: Mapping[Layer, Finding], layer: Layer) -> bool:
    """Whether a layer was asked and did not allow."""
    finding = findings.get(layer)
    return finding is not None and finding.verdict == "silent"
