"""Model packages of the registry: listed, approved and rejected."""

from typing import Any, Final, Literal

from botocore.exceptions import ClientError

from passrole.client.connection import Client
from passrole.client.errors import InvalidInput
from passrole.client.listing import Summary, pages

Approval = Literal["Approved", "Rejected", "PendingManualApproval"]

STATUSES: Final[dict[str, Approval]] = {
    "pending": "PendingManualApproval",
    "approved": "Approved",
    "rejected": "Rejected",
}
"""What AWS calls an approval status, by the short word for it."""


def packages(sagemaker: Client, group: str | None = None, status: Approval | None = None) -> list[Summary]:
    """ModelPackageSummaryList of a group, or of all groups and without one, newest first.

    Raises InvalidInput for an unknown group, ClientError.
    """
    asked: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    asked |= {"ModelPackageGroupName": group} if group else {"ModelPackageType": "Both"}
    asked |= {"ModelApprovalStatus": status} if status else {}
    try:
        return list(pages(sagemaker, "list_model_packages", "ModelPackageSummaryList", **asked))
    except ClientError as error:
        raise _unknown(error, f"model package group `{group}`") from error


def is_package(text: str) -> bool:
    """Whether a text names a model package, by ARN or as `group/version`: no callback token has a slash."""
    return "/" in text


def decide(sagemaker: Client, package: str, status: Approval, description: str | None) -> str:
    """Set the approval status of a package, with a description; the package's ARN.

    Raises InvalidInput for an unknown package, ClientError.
    """
    try:
        arn = str(sagemaker.describe_model_package(ModelPackageName=package)["ModelPackageArn"])
    except ClientError as error:
        raise _unknown(error, f"model package `{package}`") from error
    told = {"ApprovalDescription": description} if description else {}
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status, **told)
    return arn


def _unknown(error: ClientError, what: str) -> Exception:
    """InvalidInput where the error says that there is no such thing, else the error itself."""
    if "does not exist" not in error.response["Error"].get("Message", ""):
        return error
    return InvalidInput(f"there is no {what}; `passrole models` lists the packages")
