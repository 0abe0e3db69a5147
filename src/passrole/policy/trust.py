"""Assuming a role: the trust policy asked, with the keys that an AssumeRole call carries.

It issues no session and knows no roles but the one it is given. The rules (a trusted user of the same account
needs no policy of its own, a trusted account hands the predicate on, both sides are needed across accounts, a
service needs the trust alone) are the evaluator's; here are the request and its keys.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from passrole.policy.document import CompiledPolicy
from passrole.policy.evaluate import Decision, PolicySet, evaluate
from passrole.policy.request import Principal, Request, Values, service_principal
from passrole.policy.scope import split_arn

ASSUME_ROLE: Final = "sts:AssumeRole"

# What a trust policy decides of: the session of a role, with what is given to it.
_OF_A_TRUST_POLICY: Final = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})

_NO_POLICIES: Final = PolicySet()


def asks_trust(action: str) -> bool:
    """Whether the policy that counts for an action on a role is the role's trust policy."""
    return action.lower() in _OF_A_TRUST_POLICY


def assume(
    principal: Principal,
    role_arn: str,
    trust: CompiledPolicy,
    policies: PolicySet = _NO_POLICIES,
    context: Mapping[str, Values] | None = None,
) -> Decision:
    """May `principal`, whose own policies are given, assume the role? `context` is `assume_keys(...)`."""
    request = assume_request(principal, role_arn, context)
    return evaluate(request, replace(policies, trust=trust))


def assume_request(
    principal: Principal, role_arn: str, context: Mapping[str, Values] | None = None
) -> Request:
    """The request that an AssumeRole call puts to the evaluator."""
    account = split_arn(role_arn)[4]
    return Request(principal, ASSUME_ROLE, role_arn, account, context or {})


def assume_keys(
    *,
    session_name: str | None = None,
    external_id: str | None = None,
    source_identity: str | None = None,
    tags: Mapping[str, str] | None = None,
    transitive_tags: tuple[str, ...] = (),
) -> dict[str, Values]:
    """The condition keys of the call's parameters; a parameter that was not given is an absent key."""
    keys: dict[str, Values | None] = {
        "sts:RoleSessionName": session_name,
        "sts:ExternalId": external_id,
        "sts:SourceIdentity": source_identity,
        "sts:TransitiveTagKeys": transitive_tags or None,
        "aws:TagKeys": tuple(tags) if tags else None,
        **{f"aws:RequestTag/{name}": value for name, value in (tags or {}).items()},
    }
    return {key: value for key, value in keys.items() if value is not None}


def trusts_service(
    trust: CompiledPolicy, service: str, role_arn: str, context: Mapping[str, Values] | None = None
) -> bool:
    """Whether the service (`sagemaker.amazonaws.com`) may assume the role."""
    principal = service_principal(service, split_arn(role_arn)[4])
    return assume(principal, role_arn, trust, context=context).allowed
