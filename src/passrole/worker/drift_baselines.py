"""The baselines of a model package group: those of its latest approved package, asked for as the execution's
role.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from passrole.worker.calls import Action

Call = Callable[[Action, dict[str, Any]], Awaitable[dict[str, Any]]]


async def latest(call: Call, group: str) -> tuple[str | None, Mapping[str, Any]]:
    """The ARN of the package and its DriftCheckBaselines; None where none is approved. Raises CallFailed."""
    listed = await call(
        _action("ListModelPackages"),
        {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": 1,
        },
    )
    if not listed["ModelPackageSummaryList"]:
        return None, {}
    arn = str(listed["ModelPackageSummaryList"][0]["ModelPackageArn"])
    described = await call(_action("DescribeModelPackage"), {"ModelPackageName": arn})
    return arn, described.get("DriftCheckBaselines") or {}


def _action(operation: str) -> Action:
    return Action("sagemaker", operation, f"sagemaker:{operation}")
