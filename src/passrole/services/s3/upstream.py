"""Another S3 endpoint in place of the folder: what the door has allowed is forwarded to it.

It knows no buckets and no files. Callers sign for passrole and are authorised by passrole. Handlers here
exist only where one call of S3 stands for several permissions, which would otherwise be asked of nobody.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from botocore import xform_name

from passrole.config import Config, ConfigError
from passrole.services.context import Context
from passrole.services.operation import Operation
from passrole.services.s3 import copy_sources
from passrole.services.s3.copy_object import check_source
from passrole.services.s3.upstream_client import endpoint

_KEY_BY_KEY = frozenset({"DeleteObjects"})  # its handler calls DeleteObject through the door for each
_COPIES = frozenset({"CopyObject", "UploadPartCopy"})


Forward = Callable[[Context, Operation, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]


def check(config: Config) -> None:
    """Raises ConfigError where the endpoint has no access key."""
    if config.s3_endpoint and not (config.s3_access_key_id and config.s3_secret_access_key):
        raise ConfigError("setting `s3_endpoint` needs `s3_access_key_id` and `s3_secret_access_key`")


def of_services(config: Config) -> Mapping[str, Forward]:
    """Where calls are forwarded, by service; none where objects are in the folder."""
    return {"s3": S3Upstream(config).forward} if config.s3_endpoint else {}


class S3Upstream:
    """Forwards operations of S3 to another endpoint; see the settings `s3_*`."""

    def __init__(self, config: Config) -> None:
        self._endpoint = endpoint(config)

    async def forward(
        self, ctx: Context, declared: Operation, name: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The endpoint's answer to an operation, both in AWS's spelling. Raises Fault as the endpoint does.

        A handler that only calls the door again is run in place of the endpoint.
        """
        if name in _KEY_BY_KEY:
            snake = {xform_name(member): value for member, value in parameters.items()}
            given = {member: value for member, value in snake.items() if member in declared.takes}
            return await declared.handler(ctx, **given) or {}
        given = dict(parameters)
        if name in _COPIES:
            bucket, key = await check_source(ctx, parameters["CopySource"], {})
            # What was decided on, and not the text once more, which would be decoded twice.
            version = copy_sources.version(parameters["CopySource"])
            of = {} if version is None else {"VersionId": version}
            given["CopySource"] = {"Bucket": bucket, "Key": key, **of}
        return await self._endpoint.call(name, given)
