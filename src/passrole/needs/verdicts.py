"""Each need put to the evaluator, and the answer explained.

It decides nothing itself: `policy/evaluate` does. A resource known only at run time is asked literally, `*`
and all: what is allowed on the pattern is allowed on everything it stands for, as far as Allows go. Of a
resource in another account only the role's own side is asked where the other side's policy is not known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from passrole import arns
from passrole.arns import Account
from passrole.needs.need import SAGEMAKER, Need
from passrole.policy.document import CompiledPolicy
from passrole.policy.evaluate import Decision, PolicySet, evaluate
from passrole.policy.explain import denial_sentence
from passrole.policy.near_misses import NearMiss, rank_near_misses
from passrole.policy.remedy import statement_for
from passrole.policy.request import Principal, Request, service_principal
from passrole.policy.trust import ASSUME_ROLE

_NEAR_MISSES_MAX = 3
_SESSION = "SageMaker"


@dataclass(frozen=True, slots=True)
class Answer:
    """A need and its verdict; `reason` is AWS's sentence, None where it is allowed."""

    need: Need
    request: Request
    decision: Decision
    reason: str | None
    misses: tuple[NearMiss, ...]

    @property
    def allowed(self) -> bool:
        """Whether the request would go through."""
        return self.decision.allowed

    @property
    def near_misses(self) -> tuple[str, ...]:
        """The nearest of them, in words."""
        return tuple(miss.sentence for miss in self.misses[:_NEAR_MISSES_MAX])

    @property
    def grant(self) -> Mapping[str, object] | None:
        """The smallest statement that would allow it; None where it is allowed, or explicitly denied."""
        if self.allowed or self.decision.explicit:
            return None
        return statement_for(self.request, "trust" if self.need.action == ASSUME_ROLE else "identity")


def role_session(role_arn: str) -> Principal:
    """SageMaker's session of the execution role. Raises Unfit for what is no role's ARN."""
    name = role_arn.rpartition("/")[2]
    found = arns.parse(role_arn)
    account = Account(found.account if found else "")
    session = arns.assumed_role(account, name, _SESSION)
    return Principal("role", session, account, f"AROA:{_SESSION}", name, role_arn, _SESSION)


def judge(
    needs: Iterable[Need],
    principal: Principal,
    policies: PolicySet,
    attached: Mapping[str, CompiledPolicy] | None = None,
) -> list[Answer]:
    """The answers in the order of the needs; sts:AssumeRole is asked of `policies.trust` as SageMaker.

    `attached` are the policies of functions and queues by ARN, as far as they are known.
    """
    known = attached or {}
    own = {arn: policies.replace(resource=policy) for arn, policy in known.items()}
    alone = policies.replace()
    return [
        _judge(need, service_principal(SAGEMAKER, principal.account), policies, principal.account)
        if need.action == ASSUME_ROLE
        else _judge(need, principal, own.get(need.resource, alone), _owner(need, principal.account, known))
        for need in needs
    ]


def is_elsewhere(need: Need, account: str) -> bool:
    """Whether the resource is another account's."""
    found = arns.parse(need.resource)
    return found is not None and found.account not in ("", account)


def _owner(need: Need, account: str, known: Mapping[str, CompiledPolicy]) -> str:
    """Whose the resource is taken to be: the role's own where the other side's policy is not known."""
    return need.resource.split(":")[4] if is_elsewhere(need, account) and need.resource in known else account


def _judge(need: Need, principal: Principal, policies: PolicySet, owner: str) -> Answer:
    context = need.context
    if need.associated is not None:
        context = {**context, "iam:AssociatedResourceArn": need.associated}
    if is_elsewhere(need, owner):
        context = {**context, "aws:ResourceAccount": need.resource.split(":")[4]}
    request = Request(principal, need.action, need.resource, owner, context)
    decision = evaluate(request, policies)
    if decision.allowed:
        return Answer(need, request, decision, None, ())
    sentence = denial_sentence(request, decision)
    return Answer(need, request, decision, sentence, tuple(rank_near_misses(request, policies)))
