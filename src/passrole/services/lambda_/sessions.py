"""Sessions of functions' roles: which one Lambda asks for, and how a refusal is worded."""

from passrole import arns
from passrole.arns import Account, Region
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services.context import Context
from passrole.services.lambda_ import refusals
from passrole.services.service_sessions import SessionRequest, assume, request_for

SERVICE = "lambda.amazonaws.com"


def session_request(role: str, function_arn: str) -> SessionRequest:
    """The session of a role that Lambda assumes for a function.

    A trust policy may name the function, unqualified, as aws:SourceArn.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    arn = arns.parse(function_arn)
    assert arn is not None, "functions have ARNs"
    name = arn.resource.split(":")[1]
    source = arns.function(Region(arn.region), Account(arn.account), name)
    # a session's name has two characters at least, a function's has one
    return request_for(SERVICE, role, name.ljust(2, "_"), source)


async def of_role(ctx: Context, role: str, function_arn: str) -> Principal:
    """A session of a role as who is calling, while a call is answered.

    Calls from outside the function's environment have no lambda:SourceFunctionArn. Raises Fault
    InvalidParameterValueException where Lambda cannot assume the role, as CreateFunction does.
    """
    try:
        return (await assume(ctx.call, session_request(role, function_arn))).principal
    except Fault as fault:
        raise refusals.role_refused() from fault
