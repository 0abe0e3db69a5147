"""Roles that EventBridge is given: whether it can assume them, and the session in which it delivers."""

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.service_sessions import SessionRequest, assume, request_for

SERVICE = "events.amazonaws.com"
SESSION_NAME = "events"


async def check_role(ctx: Context, role: str, rule: str) -> None:
    """Refuse a role that EventBridge cannot assume for a rule (its ARN)."""
    parsed = arns.parse(role)
    if parsed is None or not parsed.resource.startswith("role/"):
        raise refusals.bad_arn(role)
    try:
        await assume(ctx.call, session_request(role, rule))
    except Fault as fault:
        if not fault.sender:
            raise
        raise refusals.role_refused(role) from fault


def session_request(role: str, rule: str) -> SessionRequest:
    """A session of the role for a rule (its ARN), which is aws:SourceArn."""
    return request_for(SERVICE, role, SESSION_NAME, rule)
