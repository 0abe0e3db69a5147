"""ListObjects and ListObjectsV2: the same page of keys in two responses."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import objects, paging, records, rows, storage
from passrole.services.s3.key_order import LAST, KeyWalk, common_prefix
from passrole.services.s3.object_headers import quoted
from passrole.services.s3.objects import Object
from passrole.services.s3.records import bucket_of, its_policy, listing_keys, the_bucket

IGNORED = ("optional_object_attributes", "request_payer")


@dataclass(frozen=True)
class ListRequest:
    """The parameters of a list. Raises InvalidArgument for a bad limit or encoding."""

    bucket: str
    prefix: str
    delimiter: str
    max_keys: int | None
    encoding_type: str | None

    def __post_init__(self) -> None:
        """Raises InvalidArgument."""
        paging.encoding(self.encoding_type), self.limit

    @property
    def limit(self) -> int:
        """How many keys and prefixes a page holds at most."""
        return paging.limit(self.max_keys, "maxKeys")

    def write(self, key: str) -> str:
        """A key as it is written."""
        return paging.encoding(self.encoding_type)(key)


@dataclass(frozen=True)
class Page:
    """Keys and common prefixes, each in order. `last` is the last of them, None where no page follows."""

    keys: Sequence[str]
    prefixes: Sequence[str]
    last: str | None


@operation(
    "s3:ListBucket",
    resource=the_bucket,
    resource_policy=its_policy,
    keys=listing_keys,
    ignores=IGNORED,
)
async def list_objects(
    ctx: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Version 1: the next page begins after the last key; NextMarker is only there with a delimiter."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    request = ListRequest(bucket, prefix or "", delimiter or "", max_keys, encoding_type)
    answer, last = await by_marker(ctx, request, marker or "")
    answer["Marker"] = paging.encoding(encoding_type)(marker or "")
    return answer | ({"NextMarker": last} if last is not None and delimiter else {})


@operation(
    "s3:ListBucket",
    resource=the_bucket,
    resource_policy=its_policy,
    keys=listing_keys,
    ignores=IGNORED,
)
async def list_objects_v2(
    ctx: Context,
    *,
    bucket: str,
    continuation_token: str | None = None,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    fetch_owner: bool | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    start_after: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """A page of the bucket's keys, and the token of the next."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    request = ListRequest(bucket, prefix or "", delimiter or "", max_keys, encoding_type)
    after = start_after or "" if continuation_token is None else paging.last_of(bucket, continuation_token)
    page = await list_page(ctx, bucket, request.prefix, request.delimiter, after, request.limit)
    answer = await _response(ctx, request, page, with_owner=bool(fetch_owner))
    answer["KeyCount"] = len(page.keys) + len(page.prefixes)
    optional = {
        "ContinuationToken": continuation_token,
        "NextContinuationToken": None if page.last is None else paging.cursor(bucket, page.last),
        "StartAfter": start_after and request.write(start_after),
    }
    return answer | _present(optional)


async def by_marker(ctx: Context, request: ListRequest, marker: str) -> tuple[dict[str, Any], str | None]:
    """A page after a marker, with owners, and the last key as it is encoded; None where no page follows.

    A marker inside of a common prefix is beyond the whole of it, which StartAfter is not.
    """
    rolled = common_prefix(marker, request.prefix, request.delimiter)
    page = await list_page(
        ctx, request.bucket, request.prefix, request.delimiter, rolled or marker, request.limit
    )
    answer = await _response(ctx, request, page, with_owner=True)
    return answer, None if page.last is None else request.write(page.last)


async def list_page(ctx: Context, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """The keys beyond `after` that begin with `prefix`, those with the delimiter after it rolled up."""
    markers = await ctx.store.read(lambda tx: rows.markers(tx, bucket, prefix))
    walk = KeyWalk(records.root(ctx, bucket), markers)
    return await asyncio.to_thread(_page, walk, prefix, delimiter, after, limit)


def _page(walk: KeyWalk, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    keys: list[str] = []
    prefixes: list[str] = []
    last = after
    if delimiter and (rolled := common_prefix(after, prefix, delimiter)) and after == rolled:
        after += LAST  # the page before ended with this prefix
    while (key := walk.next_key(after, prefix)) is not None:
        if len(keys) + len(prefixes) == limit:
            return Page(keys, prefixes, last if limit else None)
        rolled = common_prefix(key, prefix, delimiter)
        if rolled is None:
            keys.append(key)
            last = after = key
        else:
            prefixes.append(rolled)
            last, after = rolled, rolled + LAST
    return Page(keys, prefixes, None)


async def _response(ctx: Context, request: ListRequest, page: Page, *, with_owner: bool) -> dict[str, Any]:
    found = await asyncio.gather(*(objects.find(ctx, request.bucket, key) for key in page.keys))
    owner = {"Owner": {"ID": ctx.account}} if with_owner else {}
    write = request.write
    answer: dict[str, Any] = {
        "Name": request.bucket,
        "Prefix": write(request.prefix),
        "MaxKeys": request.limit,
        "IsTruncated": page.last is not None,
        **_present({"Delimiter": write(request.delimiter), "EncodingType": request.encoding_type}),
    }
    if contents := [_content(each, write(each.key)) | owner for each in found if each is not None]:
        answer["Contents"] = contents
    if page.prefixes:
        answer["CommonPrefixes"] = [{"Prefix": write(each)} for each in page.prefixes]
    return answer


def _content(found: Object, key: str) -> dict[str, Any]:
    return {
        "Key": key,
        "LastModified": found.identity.modified,
        "ETag": quoted(found.record.etag),
        "Size": found.identity.size,
        "StorageClass": storage.from_stored(found.record.metadata.storage).class_,
    }


def _present(optional: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in optional.items() if value}
