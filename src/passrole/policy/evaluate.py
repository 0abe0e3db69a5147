"""The decision: may this principal do this to that resource?

It knows no store and no wire and builds no message (`denials` does, on demand). It evaluates no more than the
decision needs: the statements that may deny, then the layers that must allow, until one does not. The results
of the other layers are computed on demand (`Decision.layer_results`).

The order is AWS's. An explicit Deny in any layer wins. Otherwise, for a principal of the resource's own
account: the organisation must allow; a resource-based policy may grant alone (and past boundary and session
policy, if it names the user or the session itself); else the identity-based policies must allow, and the
boundary, and the session policy. From another account both sides must allow. A role's trust policy is a
resource-based policy that must always allow, and so is a key's in KMS; an AWS service has nothing but
resource-based policies; and an account's root user may do everything in its account that the organisation
allows.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from passrole.policy.document import CompiledPolicy, Statement
from passrole.policy.principals import Reach
from passrole.policy.request import PrincipalKind, Request
from passrole.policy.scope import Scope

Layer = Literal["identity", "resource", "boundary", "session", "scp", "trust"]
Verdict = Literal["allow", "deny", "silent"]
NamedPolicy = tuple[str, CompiledPolicy]

# The name or ARN of a policy, and its statement that denies or allows.
DecidingStatement = tuple[str, Statement]

# The names of the two policies that have neither name nor ARN of their own.
RESOURCE_POLICY: Final = "resource-based policy"
TRUST_POLICY: Final = "role trust policy"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The policies that apply to one request, by layer, with their names or ARNs.

    `identity` are the identity-based policies; `session` the session policies given to AssumeRole (an empty
    tuple: none, and no limit). `scps` are the organisation's levels from the root down, each of which must
    allow. `trust` is the role's trust policy, for actions such as sts:AssumeRole; it takes the place of
    `resource`. `must_grant`: without a resource-based policy that names the caller or its account, nobody may
    do anything, as with the keys of KMS.

    Derived once: `attached`, the trust or resource policy with its layer; `denying`, the policies that have a
    Deny, in the order in which a denial is reported; and `reads_resource_tags`, whether any policy does.
    """

    identity: tuple[NamedPolicy, ...] = ()
    resource: CompiledPolicy | None = None
    boundary: NamedPolicy | None = None
    session: tuple[NamedPolicy, ...] = ()
    scps: tuple[tuple[NamedPolicy, ...], ...] = ()
    trust: CompiledPolicy | None = None
    must_grant: bool = False
    attached: tuple[Layer, NamedPolicy] | None = field(init=False, repr=False, compare=False)
    denying: tuple[tuple[Layer, NamedPolicy], ...] = field(init=False, repr=False, compare=False)
    reads_resource_tags: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attached", self._attached())
        every = tuple(self.in_order())
        denying = tuple((layer, named) for layer, named in every if named[1].may_deny)
        object.__setattr__(self, "denying", denying)
        asks = any(policy.reads_resource_tags for _, (_, policy) in every)
        object.__setattr__(self, "reads_resource_tags", asks)

    def replace(
        self,
        *,
        resource: CompiledPolicy | None = None,
        trust: CompiledPolicy | None = None,
        must_grant: bool = False,
    ) -> "PolicySet":
        """The same policies with the resource-based or trust policy of this request."""
        return replace(self, resource=resource, trust=trust, must_grant=must_grant)

    def _attached(self) -> tuple[Layer, NamedPolicy] | None:
        if self.trust is not None:
            return "trust", (TRUST_POLICY, self.trust)
        return None if self.resource is None else ("resource", (RESOURCE_POLICY, self.resource))

    def in_order(self) -> Iterator[tuple[Layer, NamedPolicy]]:
        """All policies. AWS names one policy type when several deny and does not document which; this is the
        order of its evaluation.
        """
        for level in self.scps:
            yield from (("scp", named) for named in level)
        if self.attached is not None:
            yield self.attached
        yield from (("identity", named) for named in self.identity)
        if self.boundary is not None:
            yield "boundary", self.boundary
        yield from (("session", named) for named in self.session)


class LayerResult(NamedTuple):
    """The verdict of one layer, with the deciding policy and statement; None where it is silent."""

    verdict: Verdict
    policy: str | None = None
    statement: Statement | None = None


class Decision(NamedTuple):
    """The outcome. `layer` decided, and `decided_by` is its statement with the name of its policy; None for
    an implicit denial, which no statement caused.
    """

    allowed: bool
    explicit: bool
    layer: Layer
    decided_by: DecidingStatement | None
    request: Request
    policies: PolicySet

    @property
    def policy(self) -> str | None:
        """The name or ARN of the deciding policy."""
        return None if self.decided_by is None else self.decided_by[0]

    @property
    def statement(self) -> int | None:
        """The index of the deciding statement in its policy, from 0."""
        return None if self.decided_by is None else self.decided_by[1].index

    @property
    def sid(self) -> str | None:
        """The Sid of the deciding statement, if it has one."""
        return None if self.decided_by is None else self.decided_by[1].sid

    @property
    def layer_results(self) -> dict[Layer, LayerResult]:
        """The result of each layer that applies to the caller; computed at each access."""
        always = self.request.action.lower() in _ALWAYS_ALLOWED
        return {} if always else _layer_results(Scope(self.request), self.policies)

    @property
    def verdicts(self) -> dict[Layer, Verdict]:
        """The verdict of each layer."""
        return {layer: result.verdict for layer, result in self.layer_results.items()}


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide the request."""
    if request.action.lower() in _ALWAYS_ALLOWED:
        return Decision(True, False, "identity", None, request, policies)
    scope = Scope(request)
    if policies.denying:
        for denying, denial in _denials(scope, policies):
            return Decision(False, True, denying, denial, request, policies)
    allowed, layer, deciding = _weighed(scope, policies)
    return Decision(allowed, False, layer, deciding, request, policies)


# "No permissions are required to perform this operation", not even the absence of a Deny.
_ALWAYS_ALLOWED: Final = frozenset({"sts:getcalleridentity"})

_NO_GRANT: Final[tuple[Reach, DecidingStatement | None]] = (Reach.NONE, None)

_ATTACHED: Final[frozenset[Layer]] = frozenset({"trust", "resource"})
_OWN: Final[frozenset[Layer]] = frozenset({"identity", "boundary", "session"})
_MAY_DENY: Final[Mapping[PrincipalKind, frozenset[Layer]]] = {
    "user": frozenset({"scp", *_ATTACHED, *_OWN}),
    "role": frozenset({"scp", *_ATTACHED, *_OWN}),
    "root": frozenset({"scp", *_ATTACHED}),
    "service": _ATTACHED,
}


def _denials(scope: Scope, policies: PolicySet) -> Iterator[tuple[Layer, DecidingStatement]]:
    """Every policy that denies the request, with its first such statement."""
    principal, bounded = scope.request.principal, policies.boundary is not None
    for layer, (name, policy) in policies.denying:
        if layer not in _MAY_DENY[principal.kind]:
            continue
        for statement in policy.statements_for(scope.request.action).denies:
            named = statement.principals
            if (named is None or named.denies(principal, bounded)) and statement.applies(scope):
                yield layer, (name, statement)
                break


def _weighed(scope: Scope, policies: PolicySet) -> tuple[bool, Layer, DecidingStatement | None]:
    """Whether the request is allowed if nothing denies it, and the layer that allows it or is missing."""
    principal = scope.request.principal
    if principal.kind != "service" and not _organisation_allows(scope, policies):
        return False, "scp", None
    side: Layer = "resource" if policies.trust is None else "trust"
    reach, grant = _NO_GRANT if policies.attached is None else _grant(scope, policies.attached[1])
    if principal.kind == "service":
        return reach > Reach.NONE, side, grant
    if side == "trust" and (reach is Reach.NONE or principal.kind == "root"):
        # "Roles may not be assumed by root accounts."
        return False, "trust", None
    if policies.must_grant and reach is Reach.NONE:
        return False, "resource", None
    if principal.account != scope.request.resource_account:
        refused, _ = _own_side(scope, policies, Reach.NONE)
        return (reach > Reach.NONE, side, grant) if refused is None else (False, refused, None)
    refused, own = _own_side(scope, policies, reach)
    if refused is not None:
        return False, refused, None
    return (True, side, grant) if reach >= Reach.ROLE else (True, "identity", own)


def _own_side(
    scope: Scope, policies: PolicySet, reach: Reach
) -> tuple[Layer | None, DecidingStatement | None]:
    """The first of the caller's own layers that does not allow (or None), and the identity-based statement.

    `reach` is how directly a resource-based policy of the same account already grants: to the session itself,
    which bypasses all these layers, or to the role, which replaces the identity-based policies.
    """
    if reach is Reach.DIRECT or scope.request.principal.kind == "root":
        return None, None
    own = None
    if reach is not Reach.ROLE:
        own = _first_allow(policies.identity, scope)
        if own is None:
            return "identity", None
    if policies.boundary is not None and _first_allow((policies.boundary,), scope) is None:
        return "boundary", None
    if policies.session and _first_allow(policies.session, scope) is None:
        return "session", None
    return None, own


def _organisation_allows(scope: Scope, policies: PolicySet) -> bool:
    """Every level must allow."""
    for level in policies.scps:  # noqa: SIM110 -- faster than all(), and asked on every call
        if _first_allow(level, scope) is None:
            return False
    return True


def _first_allow(policies: Iterable[NamedPolicy], scope: Scope) -> DecidingStatement | None:
    action = scope.request.action
    for name, policy in policies:
        for statement in policy.statements_for(action).allows:
            if statement.applies(scope):
                return name, statement
    return None


def _grant(scope: Scope, attached: NamedPolicy) -> tuple[Reach, DecidingStatement | None]:
    """The Allow of the trust or resource policy that names the caller most directly."""
    name, policy = attached
    best, deciding = _NO_GRANT
    for statement in policy.statements_for(scope.request.action).allows:
        reach = statement.reach(scope.request.principal)
        if reach > best and statement.applies(scope):
            best, deciding = reach, (name, statement)
    return best, deciding


def _layer_results(scope: Scope, policies: PolicySet) -> dict[Layer, LayerResult]:
    kind = scope.request.principal.kind
    found: dict[Layer, LayerResult] = {}
    if policies.scps and kind != "service":
        levels = [_first_allow(level, scope) for level in policies.scps]
        found["scp"] = _layer_result("allow", None if None in levels else levels[0])
    if policies.attached is not None:
        layer, named = policies.attached
        found[layer] = _layer_result("allow", _grant(scope, named)[1])
    if kind == "root":
        found["identity"] = LayerResult("allow")
    if kind in ("user", "role"):
        found["identity"] = _layer_result("allow", _first_allow(policies.identity, scope))
        if policies.boundary is not None:
            found["boundary"] = _layer_result("allow", _first_allow((policies.boundary,), scope))
        if policies.session:
            found["session"] = _layer_result("allow", _first_allow(policies.session, scope))
    denials = {
        layer: _layer_result("deny", deciding) for layer, deciding in reversed([*_denials(scope, policies)])
    }
    return found | denials


def _layer_result(verdict: Verdict, deciding: DecidingStatement | None) -> LayerResult:
    return LayerResult("silent") if deciding is None else LayerResult(verdict, *deciding)
