"""GetAuthorizationToken, DescribeRepositories, DescribeImages, ListImages, BatchGetImage.

The SDK's local mode asks for a token before it pulls an image; other tools ask whether an image is there.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
"""

import base64
from collections.abc import Sequence
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Parameters, Permission, operation

TOKEN_SECONDS = 12 * 60 * 60
NO_ACCESS = "passrole-has-no-registry-this-opens-nothing"
"""The password in a token: who reads it in a log knows why a registry refuses it."""


def _repository(ctx: Context, parameters: Parameters, name: str) -> str:
    registry = arns.Account(parameters.get("registry_id") or ctx.account)
    return arns.ecr_repository(ctx.region, registry, name)


def _named(ctx: Context, parameters: Parameters) -> str:
    return _repository(ctx, parameters, parameters["repository_name"])


def _first(ctx: Context, parameters: Parameters) -> str:
    names: Sequence[str] = parameters.get("repository_names") or ("*",)
    return _repository(ctx, parameters, names[0])


def _others(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    names: Sequence[str] = parameters.get("repository_names") or ()
    return [
        Permission("ecr:DescribeRepositories", _repository(ctx, parameters, name), {}) for name in names[1:]
    ]


@operation("ecr:GetAuthorizationToken")
async def get_authorization_token(ctx: Context, *, registry_ids: Sequence[str] = ()) -> dict[str, Any]:
    """A token for each registry, in the form that `docker login` takes; it opens none."""
    token = base64.b64encode(f"AWS:{NO_ACCESS}".encode()).decode()
    return {
        "authorizationData": [
            {
                "authorizationToken": token,
                "expiresAt": ctx.clock() + TOKEN_SECONDS,
                "proxyEndpoint": f"https://{registry}.dkr.ecr.{ctx.region}.amazonaws.com",
            }
            for registry in registry_ids or [ctx.account]
        ]
    }


@operation("ecr:DescribeRepositories", resource=_first, also=_others)
async def describe_repositories(
    ctx: Context,
    *,
    registry_id: str | None = None,
    repository_names: Sequence[str] = (),
    next_token: str | None = None,  # noqa: ARG001 (there are none)
    max_results: int = 100,  # noqa: ARG001
) -> dict[str, Any]:
    """There are none. Raises RepositoryNotFoundException for one that is named."""
    for name in repository_names:
        raise _unknown(ctx, registry_id, name)
    return {"repositories": []}


@operation(
    "ecr:DescribeImages", resource=_named, ignores=["image_ids", "next_token", "max_results", "filter_"]
)
async def describe_images(ctx: Context, *, repository_name: str, registry_id: str | None = None) -> None:
    """Raises RepositoryNotFoundException."""
    raise _unknown(ctx, registry_id, repository_name)


@operation("ecr:ListImages", resource=_named, ignores=["next_token", "max_results", "filter_"])
async def list_images(ctx: Context, *, repository_name: str, registry_id: str | None = None) -> None:
    """Raises RepositoryNotFoundException."""
    raise _unknown(ctx, registry_id, repository_name)


@operation("ecr:BatchGetImage", resource=_named, ignores=["image_ids", "accepted_media_types"])
async def batch_get_image(ctx: Context, *, repository_name: str, registry_id: str | None = None) -> None:
    """Raises RepositoryNotFoundException."""
    raise _unknown(ctx, registry_id, repository_name)


def _unknown(ctx: Context, registry: str | None, name: str) -> Fault:
    """In AWS's words."""
    message = (
        f"The repository with name '{name}' does not exist in the registry with id "
        f"'{registry or ctx.account}'"
    )
    return Fault("RepositoryNotFoundException", message)
