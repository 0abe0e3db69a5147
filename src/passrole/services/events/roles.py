"""Roles that EventBridge is given: whether it can assume them, and the session in which it delivers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import Principal, role_session, service_principal
from passrole.services.context import Context
from passrole.services.events import refusals

SERVICE = "events.amazonaws.com"
SESSION_NAME = "events"

Call = Callable[[str, str, Mapping[str, Any], Principal, str], Awaitable[dict[str, Any]]]
"""The door from inside: service, operation, parameters, principal, region."""


async def check_role(ctx: Context, role: str, rule: str) -> None:
    """Refuse a role that EventBridge cannot assume for a rule (its ARN)."""
    parsed = arns.parse(role)
    if parsed is None or not parsed.resource.startswith("role/"):
        raise refusals.bad_arn(role)
    try:
        caller = service_principal(SERVICE, ctx.account, source=rule)
        await ctx.call("sts", "AssumeRole", _asked(role), principal=caller)
    except Fault as fault:
        if not fault.sender:
            raise
        raise refusals.role_refused(role) from fault


async def session(call: Call, role: str, rule: str) -> Principal:
    """A session of the role for a rule (its ARN), which is aws:SourceArn. Raises Fault as AssumeRole does."""
    arn = arns.parse(rule)
    assert arn is not None, "rules have ARNs"
    caller = service_principal(SERVICE, arn.account, source=rule)
    user = (await call("sts", "AssumeRole", _asked(role), caller, arn.region))["AssumedRoleUser"]
    return role_session(role, arn.account, user["AssumedRoleId"], user["Arn"], SESSION_NAME)


def _asked(role: str) -> dict[str, str]:
    return {"RoleArn": role, "RoleSessionName": SESSION_NAME}
