"""Another S3 endpoint in the folder's place: what the door has allowed is asked there, and answered as there.

It knows no buckets and no files. Callers sign for passrole and are authorised by passrole; towards the
endpoint every call is signed with the one access key that the settings name. Handlers here exist only
where one call of S3 stands for several permissions, which would otherwise be asked of nobody.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from botocore import xform_name
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from botocore.session import Session

from passrole.config import Config, ConfigError
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Operation
from passrole.services.s3.putting import check_source

_KEY_BY_KEY = frozenset({"DeleteObjects"})  # its handler calls DeleteObject through the door for each
_COPIES = frozenset({"CopyObject", "UploadPartCopy"})
_CLIENT = ClientConfig(
    parameter_validation=False,
    max_pool_connections=32,
    retries={"total_max_attempts": 2},
    s3={"addressing_style": "path"},
)


class Elsewhere:
    """Answers the operations of S3 from another endpoint; see the settings `s3_*`."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError where the endpoint has no access key."""
        if not (config.s3_access_key_id and config.s3_secret_access_key):
            raise ConfigError("setting `s3_endpoint` needs `s3_access_key_id` and `s3_secret_access_key`")
        self._config = config

    async def answer(
        self, ctx: Context, declared: Operation, name: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The endpoint's answer to an operation, both in AWS's spelling. Raises Fault as the endpoint does.

        `declared` is asked in place of the endpoint where its handler only calls the door again.
        """
        if name in _KEY_BY_KEY:
            snake = {xform_name(member): value for member, value in parameters.items()}
            given = {member: value for member, value in snake.items() if member in declared.takes}
            return await declared.handler(ctx, **given) or {}
        asked = dict(parameters)
        if name in _COPIES:
            bucket, key = await check_source(ctx, parameters["CopySource"], {})
            # What was decided on, and not the text once more, which would be decoded twice.
            asked["CopySource"] = {"Bucket": bucket, "Key": key}
        return await asyncio.to_thread(self._asked, name, asked)

    def _asked(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(self._client, xform_name(name))(**parameters)
        except ClientError as error:
            raise _fault(error) from error
        except BotoCoreError as error:
            message = f"the S3 endpoint does not answer: {error}"
            raise Fault("ServiceUnavailable", message, status=503, sender=False) from error
        answer.pop("ResponseMetadata", None)
        return {member: _plain(value) for member, value in answer.items()}

    @cached_property
    def _client(self) -> Any:
        return Session().create_client(
            "s3",
            region_name=self._config.region,
            endpoint_url=self._config.s3_endpoint,
            aws_access_key_id=self._config.s3_access_key_id,
            aws_secret_access_key=self._config.s3_secret_access_key,
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
