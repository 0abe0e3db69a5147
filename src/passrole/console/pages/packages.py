"""A version of a model package group: its answers, its form where it waits, and the other versions."""

from starlette.requests import Request

from passrole import arns
from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages import approvals


async def show(caller: Caller, request: Request) -> Page:
    """The page `/packages/GROUP/VERSION`."""
    group, version = request.path_params["group"], request.path_params["version"]
    arn = arns.model_package(caller.region, caller.account, f"{group}/{version}")
    described = await caller.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
    facts = {
        "package": described,
        "item": await approvals.package(caller, described),
        "versions": await caller.listed(
            "sagemaker",
            "ListModelPackages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=group,
            SortOrder="Descending",
            MaxResults=approvals.LISTED_AT_ONCE,
        ),
    }
    return Page("package.html", facts, changes="*")
