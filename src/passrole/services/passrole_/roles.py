"""A role of SageMaker's for its user."""

from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import service_principal
from passrole.services.context import Context
from passrole.services.operation import Parameters, PassRole, operation
from passrole.services.service_sessions import SessionRequest, assume

SAGEMAKER = "sagemaker.amazonaws.com"
SESSION_NAME = "SageMaker"
"""As of the session that a notebook's programs have."""


def _notebooks(ctx: Context, parameters: Parameters) -> str:
    """Every notebook instance, because none exists. Raises ValidationException for an invalid RoleArn."""
    role = parameters["role_arn"]
    if not isinstance(role, str) or arns.parse(role) is None:
        raise Fault("ValidationException", "RoleArn must be the ARN of a role")
    return arns.notebook_instance(ctx.region, ctx.account, "*")


@operation(
    "sagemaker:CreatePresignedNotebookInstanceUrl",
    resource=_notebooks,
    passes=[PassRole("role_arn", SAGEMAKER)],
)
async def assume_role_for_user(
    ctx: Context, *, role_arn: str, role_session_name: str = SESSION_NAME
) -> dict[str, Any]:
    """A session of a role that trusts SageMaker, as a notebook has one: SageMaker assumes it for its user.

    The caller needs what a notebook asks: to hand the role to SageMaker, and to open the notebook.
    https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    """
    sagemaker = service_principal(SAGEMAKER, ctx.account)
    session = await assume(ctx.call, SessionRequest(role_arn, role_session_name, sagemaker, ctx.region))
    return dict(session.answer)
