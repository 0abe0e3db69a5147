"""Model packages: the groups, a group with its versions and metrics, a version with its answers and its form.

A package's metrics are documents in S3, read as the caller; the numbers in them are shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from starlette.requests import Request

from passrole import arns
from passrole.console import property_files
from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages import approvals
from passrole.faults import Fault

VERSIONS_MAX = 50
MEASURED_MAX = 20
"""Of how many versions of a group the metrics are read, the newest."""
NUMBERS_MAX = 12
"""How many numbers of a version are shown."""


async def show_groups(caller: Caller, _request: Request) -> Page:
    """The page `/packages`."""
    groups = await caller.every("sagemaker", "ListModelPackageGroups", "ModelPackageGroupSummaryList")
    return Page("packages.html", {"groups": groups}, changes="*")


async def show_group(caller: Caller, request: Request) -> Page:
    """The page `/packages/GROUP`, the newest version first."""
    name = request.path_params["group"]
    of = {"ModelPackageGroupName": name}
    group = await caller.call("sagemaker", "DescribeModelPackageGroup", **of)
    answer = await caller.call(
        "sagemaker", "ListModelPackages", **of, SortOrder="Descending", MaxResults=VERSIONS_MAX
    )
    versions = answer["ModelPackageSummaryList"]
    for each in versions[:MEASURED_MAX]:
        each["Numbers"] = await _numbers(caller, each["ModelPackageArn"])
    columns = list(dict.fromkeys(name for each in versions for name in each.get("Numbers", ())))
    facts = {
        "group": group,
        "versions": versions,
        "columns": columns[:NUMBERS_MAX],
        "has_more": "NextToken" in answer,
    }
    return Page("package_group.html", facts, changes="*")


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


async def _numbers(caller: Caller, arn: str) -> dict[str, float]:
    """The numbers of a package's metrics by name; none of what the caller may not see or read."""
    if await caller.refusal("sagemaker", "DescribeModelPackage", ModelPackageName=arn) is not None:
        return {}
    try:
        described = await caller.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
    except Fault as fault:
        if not fault.sender:
            raise
        return {}
    found: dict[str, float] = {}
    for uri in _documents(described.get("ModelMetrics", {})):
        file = await property_files.beginning(caller, "", uri)
        try:
            found |= _leaves(orjson.loads(file.text))
        except orjson.JSONDecodeError:
            continue
    return dict(list(found.items())[:NUMBERS_MAX])


def _documents(metrics: Mapping[str, Any]) -> Iterator[str]:
    """The URIs of ModelMetrics, which has them two levels down."""
    for kind in metrics.values():
        for source in kind.values():
            if str(source.get("S3Uri", "")).startswith("s3://"):
                yield source["S3Uri"]


def _leaves(document: object) -> dict[str, float]:
    """The first numbers of a document by the path to them, without the `value` at its end."""
    found: dict[str, float] = {}
    open_: list[tuple[str, object]] = [("", document)]
    while open_ and len(found) < NUMBERS_MAX:
        path, value = open_.pop()
        if isinstance(value, dict):
            open_ += [(f"{path}.{name}".lstrip("."), each) for name, each in reversed(value.items())]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[path.removesuffix(".value")] = value
    return found
