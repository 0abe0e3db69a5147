"""Authorises a call: the permissions that its operation declares, decided by the policy evaluator."""

import inspect
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, TypeVar

from passrole import arns
from passrole.api.resource_tags import resource_tag_keys
from passrole.audit import Check
from passrole.clock import Clock
from passrole.identities import Directory
from passrole.policy import (
    CompiledPolicy,
    Decision,
    PolicySet,
    evaluate,
    message_for_caller,
    near_misses,
)
from passrole.policy.ambiguous_tags import decide
from passrole.policy.document import compile_document, policy_of
from passrole.policy.request import Request, Values
from passrole.policy.request_keys import time_keys
from passrole.policy.tags import merged, repeats
from passrole.policy.trust import asks_trust, must_grant
from passrole.services import Context, Operation, Permission
from passrole.services.operation import passing

T = TypeVar("T")
Parameters = Mapping[str, Any]
Keys = Mapping[str, Values]

_PASSED_TO = "iam:PassedToService"


@dataclass
class Verdict:
    """What was asked so far, and AWS's message for the first refusal."""

    checks: list[Check] = field(default_factory=list)
    message: str | None = None


class Authoriser:
    """Turns an operation's permissions into requests and decides them, until one is denied."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    async def check(
        self, operation: Operation, context: Context, parameters: Parameters, keys: Keys, verdict: Verdict
    ) -> None:
        """Decide every permission of the call; `verdict.message` is set where one is refused."""
        if operation.action is None:
            return
        policies, tags = await self._directory.effective_policies(context.principal)
        if tags:
            # A session has its role's tags; its own take precedence.
            principal = context.principal
            context = replace(context, principal=replace(principal, tags=merged(tags, principal.tags)))
        everything = {**keys, **_time_keys(int(self._clock()))}
        own = await own_permission(operation, context, parameters)
        if not await _decide(own, context, everything, policies, verdict):
            return
        for permission in await further_permissions(operation, own, context, parameters):
            if not await _decide(permission, context, everything, policies, verdict):
                return


async def own_permission(operation: Operation, context: Context, parameters: Parameters) -> Permission:
    """The permission of the operation's own action, with the resource's policy."""
    resource = await _awaited(operation.resource(context, parameters))
    keys = await _awaited(operation.keys(context, parameters)) if operation.keys else {}
    found = await operation.resource_policy(context, parameters) if operation.resource_policy else None
    attached = found if found is None or isinstance(found, str) else tuple(found)
    names_version = operation.versioned is not None and parameters.get("version_id") is not None
    action = operation.versioned if names_version else operation.action
    return Permission(action or "", resource, keys, attached or None)


async def further_permissions(
    operation: Operation, own: Permission, context: Context, parameters: Parameters
) -> list[Permission]:
    """The further permissions: iam:PassRole of the passed roles, and those that the declaration adds."""
    passed = [
        passing(parameters[hand.parameter], hand.to, own.resource)
        for hand in operation.passes
        if parameters.get(hand.parameter)
    ]
    also = await _awaited(operation.also(context, parameters)) if operation.also else ()
    return [*passed, *(_on_its_resource(permission, own) for permission in also)]


async def request_for(permission: Permission, context: Context, keys: Keys, policies: PolicySet) -> Request:
    """The evaluator's request: the call's `keys`, and the resource's tags if a policy reads any."""
    return _request(permission, context, keys, await _permission_keys(permission, context, policies))


def _on_its_resource(permission: Permission, own: Permission) -> Permission:
    """The permission with the resource's policy, if it is on the same resource."""
    if permission.resource_policy is not None or permission.resource != own.resource:
        return permission
    return replace(permission, resource_policy=own.resource_policy)


async def _decide(
    permission: Permission, context: Context, keys: Keys, policies: PolicySet, verdict: Verdict
) -> bool:
    attached = permission.resource_policy
    if attached is not None:
        policies = _joined(policies, permission.action, attached)
    permission_keys = await _permission_keys(permission, context, policies)
    request = _request(permission, context, keys, permission_keys)
    # Only tags can have keys that differ only in letter case.
    decision = decide(request, policies) if repeats(permission_keys) else evaluate(request, policies)
    verdict.checks.append(_audited(decision.request, policies, decision))
    if not decision.allowed:
        verdict.message = message_for_caller(decision.request, decision)
    return decision.allowed


async def _permission_keys(permission: Permission, context: Context, policies: PolicySet) -> Keys:
    """The permission's condition keys, besides those of the call."""
    tags = await resource_tag_keys(context, permission, policies)
    return {**tags, **permission.context} if tags else permission.context


def _request(permission: Permission, context: Context, keys: Keys, permission_keys: Keys) -> Request:
    return Request(
        principal=context.principal,
        action=permission.action,
        resource=permission.resource,
        resource_account=_owner(permission.resource) or context.account,
        context={**keys, **permission_keys} if permission_keys else keys,
    )


def _owner(resource: str) -> str:
    """The account in an ARN; empty for AWS's managed policies (`arn:aws:iam::aws:policy/...`)."""
    arn = arns.parse(resource)
    return arn.account if arn and arn.account != "aws" else ""


def _audited(request: Request, policies: PolicySet, decision: Decision) -> Check:
    passed_to = request.context.get(_PASSED_TO)
    return Check(
        action=request.action,
        resource=request.resource,
        allowed=decision.allowed,
        layer=decision.layer,
        policy=decision.policy,
        statement=decision.statement,
        near_misses=() if decision.allowed else near_misses(request, policies),
        verdicts=None if decision.allowed else decision.verdicts,
        passed_to=passed_to if isinstance(passed_to, str) else None,
    )


def _joined(policies: PolicySet, action: str, attached: str | tuple[str, ...]) -> PolicySet:
    documents = (attached,) if isinstance(attached, str) else attached
    if asks_trust(action):
        return policies.replace(trust=_compiled(documents, "trust"))
    return policies.replace(resource=_compiled(documents, "resource"), must_grant=must_grant(action))


@lru_cache(maxsize=1024)
def _compiled(documents: tuple[str, ...], kind: Literal["resource", "trust"]) -> CompiledPolicy:
    """Compile each document separately, since Sids and versions are per document."""
    # Not checked again: the rules may have changed since it was stored.
    compiled = [compile_document(json.loads(document), kind) for document in documents]
    if len(compiled) == 1:
        return compiled[0]
    return policy_of([statement for policy in compiled for statement in policy.statements])


@lru_cache(maxsize=1)
def _time_keys(now: int) -> dict[str, Values]:
    return time_keys(now)


async def _awaited(value: T | Awaitable[T]) -> T:
    return await value if inspect.isawaitable(value) else value
