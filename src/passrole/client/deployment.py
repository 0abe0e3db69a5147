"""Creates functions and pipelines, or updates those that exist."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from passrole.client.packaging import Source, archive, code_sha256

if TYPE_CHECKING:
    from passrole.client.connection import Client

TIMEOUT_SECONDS = 120  # the default of the SageMaker SDK's Lambda helper; Lambda's is 3
RUNTIME = f"python3.{sys.version_info.minor}"


def put_function(client: "Client", source: Source, role_arn: str) -> str:
    """Deploy a function: `created`, `updated` or `unchanged`. Raises ClientError."""
    zipped = archive(source.folder)
    configuration = {"Runtime": RUNTIME, "Handler": source.handler, "Role": role_arn}
    try:
        client.create_function(
            FunctionName=source.name, Code={"ZipFile": zipped}, Timeout=TIMEOUT_SECONDS, **configuration
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceConflictException":
            raise
        return _update_function(client, source.name, zipped, configuration)
    return "created"


def put_pipeline(client: "Client", name: str, definition: str, role_arn: str) -> str:
    """Deploy a pipeline: `created`, `updated` or `unchanged`. Raises ClientError."""
    wanted = {"PipelineName": name, "PipelineDefinition": definition, "RoleArn": role_arn}
    try:
        client.create_pipeline(**wanted)
    except ClientError as error:
        if "already exists" not in error.response["Error"]["Message"]:  # AWS defines no specific error code
            raise
    else:
        return "created"
    there = client.describe_pipeline(PipelineName=name)
    if (there["PipelineDefinition"], there["RoleArn"]) == (definition, role_arn):
        return "unchanged"
    client.update_pipeline(**wanted)
    return "updated"


def _update_function(client: "Client", name: str, zipped: bytes, configuration: dict[str, str]) -> str:
    there = client.get_function_configuration(FunctionName=name)
    outdated: list[Callable[[], Any]] = []
    if there["CodeSha256"] != code_sha256(zipped):
        outdated.append(lambda: client.update_function_code(FunctionName=name, ZipFile=zipped))
    if any(there.get(key) != value for key, value in configuration.items()):
        outdated.append(lambda: client.update_function_configuration(FunctionName=name, **configuration))
    for update in outdated:
        update()
        client.get_waiter("function_updated_v2").wait(
            FunctionName=name
        )  # Lambda accepts one update at a time
    return "updated" if outdated else "unchanged"
