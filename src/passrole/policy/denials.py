"""AWS's message for a denied request.

It reveals no more than AWS does: one cause, even if several layers deny. The audit trail and the operator get
the statements that nearly allowed the request (`near_misses`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from collections.abc import Callable, Mapping
from typing import Final

from passrole.policy.evaluate import Decision, Layer, evaluate
from passrole.policy.request import Request

_IMPLICIT: Final[Mapping[Layer, str]] = {
    "identity": "because no identity-based policy allows the {action} action",
    "resource": "because no resource-based policy allows the {action} action",
    "boundary": "because no permissions boundary allows the {action} action",
    "session": "because no session policy allows the {action} action",
    "scp": "because no service control policy allows the {action} action",
    "trust": "because no role trust policy allows the {action} action",
}
_EXPLICIT: Final[Mapping[Layer, str]] = {
    "identity": "with an explicit deny in an identity-based policy",
    "resource": "with an explicit deny in a resource-based policy",
    "boundary": "with an explicit deny in a permissions boundary",
    "session": "with an explicit deny in a session policy",
    "scp": "with an explicit deny in a service control policy",
    "trust": "with an explicit deny in the role trust policy",
}

_HIDING_ACTIONS: Final = frozenset({"sts:assumerole"})
_ROOT_ASSUMES: Final = "Roles may not be assumed by root accounts."

# Services that do not print the action as the API spells it; seen in real denials.
_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "sns": lambda action: f"SNS:{action.partition(':')[2]}",
    "sqs": str.lower,
}
# S3 puts the ARN in double quotes.
_QUOTING_SERVICES: Final = frozenset({"s3"})


def denial_message(
    request: Request, decision: Decision, action_spelling: str | None = None, *, name_policy: bool = True
) -> str:
    """AWS's message for a refused request; `action_spelling` overrides how the service prints the action.

    A request whose resource is empty names none. With `name_policy` an explicit Deny ends in the ARN of its
    policy, as AWS has done since 2026 for policies that have one and callers of the same account.
    """
    assert not decision.allowed, "an allowed request has no denial message"
    if decision.layer == "trust" and request.principal.kind == "root" and not decision.explicit:
        return _ROOT_ASSUMES
    action = _spelled(request.action, action_spelling)
    cause = (_EXPLICIT if decision.explicit else _IMPLICIT)[decision.layer].format(action=action)
    ending = _policy_arn(request, decision) if name_policy else ""
    return f"{_without_cause(request, action)} {cause}{ending}"


def message_for_caller(request: Request, decision: Decision) -> str:
    """The message for the caller. For AssumeRole it does not reveal whether the role exists.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html
    """
    if request.action.lower() not in _HIDING_ACTIONS or request.principal.kind == "root":
        return denial_message(request, decision)
    own = evaluate(request, decision.policies.replace())
    return denial_message(request, own) if own.explicit else _without_cause(request, request.action)


def _spelled(action: str, spelling: str | None) -> str:
    return spelling or _SPELLINGS.get(action.partition(":")[0].lower(), str)(action)


def _without_cause(request: Request, action: str) -> str:
    quoting = request.action.partition(":")[0].lower() in _QUOTING_SERVICES
    resource = f'"{request.resource}"' if quoting else request.resource
    where = f" on resource: {resource}" if request.resource else ""
    return f"User: {request.principal.arn} is not authorized to perform: {action}{where}"


def _policy_arn(request: Request, decision: Decision) -> str:
    policy = decision.policy
    same_account = request.principal.account == request.resource_account
    has_arn = decision.explicit and policy is not None and policy.startswith("arn:")
    return f": {policy}" if has_arn and same_account else ""
