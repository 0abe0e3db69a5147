"""Roles that SageMaker is given: whether it can assume them for a resource."""

from passrole.faults import Fault
from passrole.policy.request import service_principal
from passrole.services.context import Context
from passrole.services.service_sessions import ServiceSession, SessionRequest, assume

SERVICE = "sagemaker.amazonaws.com"


async def check_role(ctx: Context, role_arn: str, session_name: str, source: str) -> ServiceSession:
    """A session of the role, which SageMaker must be able to assume for `source`, an ARN or its pattern.

    Raises ValidationException; whether it still can is seen when it is needed.
    """
    caller = service_principal(SERVICE, ctx.account, source=source)
    try:
        return await assume(ctx.call, SessionRequest(role_arn, session_name, caller, ctx.region))
    except Fault as fault:
        if not fault.sender:  # our own failure says nothing about the role
            raise
        message = (
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{SERVICE}' to assume the role."
        )
        raise Fault("ValidationException", message) from fault
