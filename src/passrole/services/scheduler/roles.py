"""Roles that EventBridge Scheduler is given: whether it can assume them, and the session in which it invokes.

It acts for the group of a schedule, not for the schedule: that is what aws:SourceArn has.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
"""

import hashlib

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.scheduler import refusals
from passrole.services.service_sessions import SessionRequest, assume, request_for

SERVICE = "scheduler.amazonaws.com"


async def check_role(ctx: Context, role: str, schedule: str, group: str) -> None:
    """Refuse a role that EventBridge Scheduler cannot assume. Raises ValidationException."""
    try:
        await assume(ctx.call, session_request(role, schedule, group))
    except Fault as fault:
        if not fault.sender:
            raise
        raise refusals.role_refused() from fault


def session_request(role: str, schedule: str, group: str) -> SessionRequest:
    """A session of the role for a schedule of a group (ARNs); its name is hexadecimal, as on AWS."""
    name = hashlib.sha256(schedule.encode()).hexdigest()[:32]
    return request_for(SERVICE, role, name, group)
