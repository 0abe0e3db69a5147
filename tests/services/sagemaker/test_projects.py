"""Projects through boto3: there are none, and whoever asks must be allowed to."""

from typing import Any

import pytest
from tests.conftest import Server
from tests.policies import allowing
from tests.refusals import refusal

UNKNOWN = ("ValidationException", "Project p does not exist.")
CALLS: dict[str, dict[str, Any]] = {
    "create_project": {"ProjectName": "p", "ProjectDescription": "d", "Tags": [{"Key": "a", "Value": "b"}]},
    "describe_project": {"ProjectName": "p"},
    "update_project": {"ProjectName": "p", "ProjectDescription": "d"},
    "delete_project": {"ProjectName": "p"},
    "list_projects": {"NameContains": "p", "SortBy": "Name"},
}


def action(operation: str) -> str:
    return f"sagemaker:{operation.title().replace('_', '')}"


def test_there_are_no_projects(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    assert sagemaker.list_projects()["ProjectSummaryList"] == []
    for operation in ("describe_project", "update_project", "delete_project"):
        assert refusal(getattr(sagemaker, operation), **CALLS[operation]) == UNKNOWN


def test_to_create_one_is_refused_with_the_reason(server: Server) -> None:
    code, message = refusal(server.client("sagemaker").create_project, **CALLS["create_project"])
    assert code == "ValidationException"
    assert "templates of Service Catalog" in message and "CreatePipeline" in message


@pytest.mark.parametrize("operation", CALLS)
def test_each_call_is_authorised(server: Server, operation: str) -> None:
    client = server.client("sagemaker", user_policy=allowing(*(map(action, CALLS.keys() - {operation}))))
    code, message = refusal(getattr(client, operation), **CALLS[operation])
    resource = "*" if operation == "list_projects" else f"{server.account}:project/p"
    assert code == "AccessDeniedException"
    assert f"{action(operation)} on resource: " in message and resource in message
