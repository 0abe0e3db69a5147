"""Answers to model packages that wait for approval, and who gave them."""

from typing import Any

from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import KEPT, Parameters, operation
from passrole.services.sagemaker.registry import changes
from passrole.services.sagemaker.registry.names import require_package
from passrole.services.sagemaker.registry.packages import changed_keys, current_keys, named
from passrole.services.sagemaker.registry.records import PENDING, Package
from passrole.store import Tx

COMMENT_CHARACTERS_MAX = 1024
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html"""
_ANSWERS = ("Approved", "Rejected")


def _package(ctx: Context, parameters: Parameters) -> str:
    if not isinstance(parameters["model_package_arn"], str):
        raise Fault("ValidationException", "ModelPackageArn must be a text")
    return named(ctx, parameters)


async def _keys(ctx: Context, parameters: Parameters) -> dict[str, Values]:
    return dict(await changed_keys(ctx, {**parameters, KEPT: _asked(parameters)}))


@operation("sagemaker:UpdateModelPackage", resource=_package, keys=_keys)
async def answer_model_package(
    ctx: Context, *, model_package_arn: str, model_approval_status: str, answer_count: int, comment: str = ""
) -> dict[str, Any]:
    """UpdateModelPackage for people: the second of two loses, and is told who was first.

    `answer_count` is how many answers the package had when it was shown: it may have been answered, and wait
    again. Raises ValidationException, ConflictException.
    """
    asked = _asked({"model_approval_status": model_approval_status, "comment": comment})
    if isinstance(answer_count, bool) or not isinstance(answer_count, int):
        raise Fault("ValidationException", "AnswerCount must be a number")

    def answer(tx: Tx) -> dict[str, Any]:
        package = require_package(tx, ctx, model_package_arn)
        if package.approval != PENDING or len(package.answers) != answer_count:
            raise Fault("ConflictException", _why_not(package))
        changes.update(tx, ctx, package, asked)
        return {"ModelPackageArn": package.arn}

    return await ctx.store.write(answer)


@operation("sagemaker:DescribeModelPackage", resource=_package, keys=current_keys)
async def list_model_package_answers(ctx: Context, *, model_package_arn: str) -> dict[str, Any]:
    """Who approved or rejected a package, when, and with which comment, oldest first.

    Raises ValidationException for an unknown package.
    """
    package = await ctx.store.read(lambda tx: require_package(tx, ctx, model_package_arn))
    return {"Answers": list(package.answers)}


def _asked(parameters: Parameters) -> dict[str, Any]:
    """The members of UpdateModelPackage. Raises ValidationException."""
    status, comment = parameters["model_approval_status"], parameters.get("comment", "")
    if status not in _ANSWERS:
        raise Fault("ValidationException", f"ModelApprovalStatus must be one of {', '.join(_ANSWERS)}")
    if not isinstance(comment, str) or len(comment) > COMMENT_CHARACTERS_MAX:
        message = f"Comment must be a text of {COMMENT_CHARACTERS_MAX} characters at most"
        raise Fault("ValidationException", message)
    return {"ModelApprovalStatus": status, **({"ApprovalDescription": comment} if comment else {})}


def _why_not(package: Package) -> str:
    of = f"Version {package.version} of {package.group}"
    if not package.answers:  # it was created with this status, or answered before answers were kept
        return f"{of} is {package.approval}: it waits for no answer."
    last = package.answers[-1]
    word = _WORDS.get(last["Status"], f"put back to {last['Status']}")
    return f"{of} was {word} by {last['By']} already."


_WORDS = {"Approved": "approved", "Rejected": "rejected"}
