"""The artefacts that models and model packages name: whether they are in S3."""

from collections.abc import Iterator, Mapping
from typing import Any

from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services.context import Context

Container = Mapping[str, Any]

_NOT_THERE = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


class Missing(Exception):
    """No object is at the URI."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and key."""
        return _place(self.uri)


class Unreadable(Missing):
    """The principal may not look at the object."""


async def check(ctx: Context, container: Container, principal: Principal) -> None:
    """Look at each artefact of a container as the principal. Raises Missing, Unreadable."""
    for uri, is_prefix in _named(container):
        try:
            found = await _is_there(ctx, uri, is_prefix, principal)
        except Fault as fault:
            if not fault.sender:  # our own failure says nothing about the object
                raise
            raise (Missing if fault.code in _NOT_THERE else Unreadable)(uri) from fault
        if not found:
            raise Missing(uri)


def _named(container: Container) -> Iterator[tuple[str, bool]]:
    """The URIs in S3, and whether any object below counts."""
    if container.get("ModelDataUrl"):
        yield container["ModelDataUrl"], container.get("Mode") == "MultiModel"
    sources = [container.get("ModelDataSource"), *(container.get("AdditionalModelDataSources") or ())]
    for source in sources:
        given = (source or {}).get("S3DataSource")
        if given:
            yield given["S3Uri"], given["S3DataType"] == "S3Prefix"


async def _is_there(ctx: Context, uri: str, is_prefix: bool, principal: Principal) -> bool:
    bucket, key = _place(uri)
    if not bucket or (not key and not is_prefix):
        return False
    if not is_prefix:
        await ctx.call("s3", "HeadObject", {"Bucket": bucket, "Key": key}, principal)
        return True
    listed = await ctx.call("s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": key, "MaxKeys": 1}, principal)
    return bool(listed.get("Contents"))


def _place(uri: str) -> tuple[str, str]:
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return (bucket, key) if scheme == "s3" else ("", "")
