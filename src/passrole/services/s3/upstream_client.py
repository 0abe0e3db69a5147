"""The client of the S3 endpoint that the settings `s3_*` name.

Every call is signed with the one access key that the settings name, whoever it is made for.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from botocore import xform_name
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from botocore.session import Session

from passrole.config import Config
from passrole.faults import Fault

_CLIENT = ClientConfig(
    parameter_validation=False,
    max_pool_connections=32,
    retries={"total_max_attempts": 2},
    s3={"addressing_style": "path"},
)


def call(config: Config, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint's answer; blocks. Raises Fault as the endpoint does, and where it does not answer."""
    try:
        answer = getattr(_client(config), xform_name(name))(**parameters)
    except ClientError as error:
        raise _fault(error) from error
    except BotoCoreError as error:
        message = f"the S3 endpoint does not answer: {error}"
        raise Fault("ServiceUnavailable", message, status=503, sender=False) from error
    answer.pop("ResponseMetadata", None)
    return {member: _plain(value) for member, value in answer.items()}


@lru_cache(maxsize=4)
def _client(config: Config) -> Any:
    return Session().create_client(
        "s3",
        region_name=config.region,
        endpoint_url=config.s3_endpoint,
        aws_access_key_id=config.s3_access_key_id,
        aws_secret_access_key=config.s3_secret_access_key,
        config=_CLIENT,
    )


def _fault(error: ClientError) -> Fault:
    """The endpoint's refusal; a HEAD without a body has its status for a code."""
    details = error.response["Error"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return Fault(details.get("Code", str(status)), details.get("Message", ""), status=status)


def _plain(value: Any) -> Any:
    """As our own handlers answer: moments in epoch seconds, bodies as bytes."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, StreamingBody):
        return value.read()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
