"""Evaluates needs with `policy/evaluate`, and explains the results.

A resource that is known only at run time is evaluated for each candidate that the policies distinguish
(`candidates`): allowed if all are, denied if none is, and else `maybe`. For a resource in another account
whose policy is unknown, only the role's own side is evaluated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from passrole import arns
from passrole.arns import Account
from passrole.needs.candidates import candidates
from passrole.needs.need import SAGEMAKER, Need
from passrole.policy.denials import denial_message
from passrole.policy.document import CompiledPolicy
from passrole.policy.evaluate import Decision, PolicySet, evaluate
from passrole.policy.near_misses import NearMiss, rank_near_misses
from passrole.policy.remedy import statement_for
from passrole.policy.request import Principal, Request, Values, service_principal
from passrole.policy.trust import ASSUME_ROLE, must_grant

_NEAR_MISSES_MAX = 3
_SESSION = "SageMaker"

Verdict = Literal["allowed", "denied", "maybe"]
Keys = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Answer:
    """A need and its verdict; `reason` is AWS's message, None if it is allowed.

    `request` is the decisive request; `allowing` are the candidates that the policies allow.
    """

    need: Need
    request: Request
    decision: Decision
    reason: str | None
    misses: tuple[NearMiss, ...]
    verdict: Verdict
    allowing: tuple[Request, ...]

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed for all possible names."""
        return self.verdict == "allowed"

    @property
    def counts_against(self) -> bool:
        """Whether it is required, and missing or possibly missing."""
        return self.need.is_required and not self.allowed

    @property
    def near_misses(self) -> tuple[str, ...]:
        """The messages of the nearest misses."""
        return tuple(miss.message for miss in self.misses[:_NEAR_MISSES_MAX])

    @property
    def grant(self) -> Mapping[str, object] | None:
        """The smallest statement that would allow it; None if it is allowed or explicitly denied."""
        if self.allowed or self.decision.explicit:
            return None
        return statement_for(self.request, "trust" if self.need.action == ASSUME_ROLE else "identity")


def execution_role_session(role_arn: str) -> Principal:
    """SageMaker's session of the execution role. Raises InvalidPart if it is not a role's ARN."""
    name = role_arn.rpartition("/")[2]
    found = arns.parse(role_arn)
    account = Account(found.account if found else "")
    session = arns.assumed_role(account, name, _SESSION)
    return Principal("role", session, account, f"AROA:{_SESSION}", name, role_arn, _SESSION)


def evaluate_needs(
    needs: Iterable[Need],
    principal: Principal,
    policies: PolicySet,
    attached: Mapping[str, CompiledPolicy] | None = None,
    keys: Keys | None = None,
) -> list[Answer]:
    """The answers in the order of the needs; sts:AssumeRole is evaluated as SageMaker, with `policies.trust`.

    `attached` are the known policies of functions, queues and keys by ARN; `keys` are the condition keys of
    every call, such as its region.
    """
    known, everywhere = attached or {}, keys or {}
    own = {
        arn: policies.replace(resource=policy, must_grant=must_grant(f"{arn.split(':')[2]}:"))
        for arn, policy in known.items()
    }
    alone = policies.replace()
    return [
        _judge(
            need,
            service_principal(SAGEMAKER, principal.account),
            policies,
            principal.account,
            everywhere,
        )
        if need.action == ASSUME_ROLE
        else _judge(
            need,
            principal,
            own.get(need.resource, alone),
            _owner(need, principal.account, known),
            everywhere,
        )
        for need in needs
    ]


def is_elsewhere(need: Need, account: str) -> bool:
    """Whether the resource is in another account."""
    found = arns.parse(need.resource)
    return found is not None and found.account not in ("", account)


def _owner(need: Need, account: str, known: Mapping[str, CompiledPolicy]) -> str:
    """The resource's account, or the role's own if the policy of a resource elsewhere is unknown."""
    return need.resource.split(":")[4] if is_elsewhere(need, account) and need.resource in known else account


def _judge(need: Need, principal: Principal, policies: PolicySet, owner: str, keys: Keys) -> Answer:
    context = {**keys, **need.context}
    if need.associated is not None:
        context["iam:AssociatedResourceArn"] = need.associated
    if is_elsewhere(need, owner):
        context["aws:ResourceAccount"] = need.resource.split(":")[4]
    request = Request(principal, need.action, need.resource, owner, context)
    shaped = replace(request, resource=need.shape or need.resource)
    decisions = [
        evaluate(candidate, policies)
        for candidate in candidates(shaped, policies, is_pattern=need.is_pattern)
    ]
    allowing = tuple(decision.request for decision in decisions if decision.allowed)
    refused = [decision for decision in decisions if not decision.allowed]
    if not refused:
        return Answer(need, request, decisions[0], None, (), "allowed", allowing)
    # The name with `*` makes a clearer message than a generated one, if it is denied too.
    literal = evaluate(request, policies)
    decision = refused[0] if literal.allowed else literal
    return Answer(
        need,
        decision.request,
        decision,
        denial_message(decision.request, decision),
        tuple(rank_near_misses(decision.request, policies)),
        "maybe" if allowing else "denied",
        allowing,
    )
