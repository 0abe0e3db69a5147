"""ECR through boto3: tokens that open nothing, repositories that are not there, and who may ask."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server
from tests.policies import allowing
from tests.refusals import refusal

IMAGE = {"repositoryName": "team/train"}
CALLS: dict[str, dict[str, Any]] = {
    "describe_repositories": {"repositoryNames": ["team/train"]},
    "describe_images": {**IMAGE, "imageIds": [{"imageTag": "latest"}], "filter": {"tagStatus": "TAGGED"}},
    "list_images": {**IMAGE, "filter": {"tagStatus": "TAGGED"}},
    "batch_get_image": {**IMAGE, "imageIds": [{"imageTag": "latest"}]},
}


def test_a_token_has_the_form_of_ecrs_and_opens_nothing(server: Server) -> None:
    """Read as the SDK's local mode reads it."""
    (data,) = server.client("ecr").get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert (user, password) == ("AWS", "passrole-has-no-registry-this-opens-nothing")
    assert data["proxyEndpoint"] == f"https://{server.account}.dkr.ecr.{server.region}.amazonaws.com"
    left = data["expiresAt"] - datetime.now(UTC)
    assert timedelta(hours=11, minutes=50) < left <= timedelta(hours=12, minutes=1)


def test_there_is_a_token_for_each_registry(server: Server) -> None:
    registries = ["683313688378", "763104351884"]
    answer = server.client("ecr").get_authorization_token(registryIds=registries)
    shown = [each["proxyEndpoint"].partition(".")[0] for each in answer["authorizationData"]]
    assert shown == [f"https://{each}" for each in registries]


def test_there_are_no_repositories(server: Server) -> None:
    assert server.client("ecr").describe_repositories()["repositories"] == []


@pytest.mark.parametrize("operation", CALLS)
def test_a_repository_that_is_named_does_not_exist(server: Server, operation: str) -> None:
    call = getattr(server.client("ecr"), operation)
    assert refusal(call, **CALLS[operation]) == (
        "RepositoryNotFoundException",
        f"The repository with name 'team/train' does not exist in the registry with id '{server.account}'",
    )


@pytest.mark.parametrize("operation", CALLS)
def test_repositories_of_other_accounts_are_shared_with_nobody(server: Server, operation: str) -> None:
    call = getattr(server.client("ecr"), operation)
    code, message = refusal(call, registryId="683313688378", **CALLS[operation])
    assert code == "AccessDeniedException"
    assert ":683313688378:repository/team/train" in message


@pytest.mark.parametrize("operation", CALLS)
def test_each_call_is_authorised_on_its_repository(server: Server, operation: str) -> None:
    action = f"ecr:{operation.title().replace('_', '')}"
    repository = f"arn:aws:ecr:{server.region}:{server.account}:repository/team/train"
    other = server.client("ecr", user_policy=allowing(action, resource=f"{repository}-other"))
    code, message = refusal(getattr(other, operation), **CALLS[operation])
    assert code == "AccessDeniedException"
    assert f"{action} on resource: {repository} " in message
    may = server.client("ecr", user_policy=allowing(action, resource=repository))
    assert refusal(getattr(may, operation), **CALLS[operation])[0] == "RepositoryNotFoundException"


def test_every_repository_of_a_call_is_authorised(server: Server) -> None:
    repository = f"arn:aws:ecr:{server.region}:{server.account}:repository"
    client = server.client("ecr", user_policy=allowing("ecr:Describe*", resource=f"{repository}/mine"))
    code, message = refusal(client.describe_repositories, repositoryNames=["mine", "yours"])
    assert code == "AccessDeniedException" and f"{repository}/yours" in message


def test_a_token_is_authorised(server: Server) -> None:
    client = server.client("ecr", user_policy=allowing("ecr:Describe*"))
    code, message = refusal(client.get_authorization_token)
    assert code == "AccessDeniedException" and "ecr:GetAuthorizationToken on resource: * " in message
