"""Projects: DescribeProject, ListProjects, CreateProject, UpdateProject, DeleteProject.

A project is what AWS Service Catalog provisions from a template: repositories, builds, roles. None of that is
here, so there are no projects, and none can be created.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProject.html
"""

from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.paging import SortOrder
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList


def _resource(ctx: Context, parameters: Parameters) -> str:
    return arns.project(ctx.region, ctx.account, parameters["project_name"])


@operation(
    "sagemaker:CreateProject",
    resource=_resource,
    keys=TAGS.request_keys,
    ignores=["project_description", "service_catalog_provisioning_details", "template_providers"],
)
async def create_project(
    _ctx: Context,
    *,
    project_name: str,
    tags: TagList = (),  # noqa: ARG001 (they are condition keys)
) -> None:
    """Raises ValidationException: there is nothing to provision it from."""
    message = (
        f"passrole cannot create project {project_name}: AWS provisions projects from templates of Service "
        "Catalog or CloudFormation, which are not here. Create the pipeline itself with CreatePipeline."
    )
    raise Fault("ValidationException", message)


@operation("sagemaker:DescribeProject", resource=_resource)
async def describe_project(_ctx: Context, *, project_name: str) -> None:
    """Raises ValidationException: there are none."""
    raise _unknown(project_name)


@operation(
    "sagemaker:UpdateProject",
    resource=_resource,
    keys=TAGS.request_keys,
    ignores=[
        *("project_description", "service_catalog_provisioning_update_details"),
        "template_providers_to_update",
    ],
)
async def update_project(
    _ctx: Context,
    *,
    project_name: str,
    tags: TagList = (),  # noqa: ARG001
) -> None:
    """Raises ValidationException: there are none."""
    raise _unknown(project_name)


@operation("sagemaker:DeleteProject", resource=_resource)
async def delete_project(_ctx: Context, *, project_name: str) -> None:
    """Raises ValidationException: there are none."""
    raise _unknown(project_name)


@operation("sagemaker:ListProjects")
async def list_projects(
    _ctx: Context,
    *,
    name_contains: str = "",  # noqa: ARG001 (there are none)
    creation_time_after: float | None = None,  # noqa: ARG001
    creation_time_before: float | None = None,  # noqa: ARG001
    sort_by: str = "CreationTime",  # noqa: ARG001
    sort_order: SortOrder = "Ascending",  # noqa: ARG001
    next_token: str | None = None,  # noqa: ARG001
    max_results: int = 10,  # noqa: ARG001
) -> dict[str, Any]:
    """There are none."""
    return {"ProjectSummaryList": []}


def _unknown(name: str) -> Fault:
    """Terraform reads AWS's error by `does not exist`."""
    return Fault("ValidationException", f"Project {name} does not exist.")
