"""ListObjects and ListObjectsV2: the same page of a folder's keys, told in two ways."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import objects, registry, rows
from passrole.services.s3.objects import Object
from passrole.services.s3.refusals import invalid_argument
from passrole.services.s3.registry import bucket_of, its_policy, listing_keys, the_bucket
from passrole.services.s3.saying import quoted
from passrole.services.s3.walking import LAST, Walk, rolled_up

KEYS_MAX = 1_000
Spelling = Callable[[str], str]
IGNORED = ("optional_object_attributes", "request_payer")


@dataclass(frozen=True)
class Page:
    """Keys and common prefixes, each in order. `last` is what the page ends with, None where all is told."""

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
    """The older list: the next page begins after the last key, which is only told with a delimiter."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    write, limit = _spelling(encoding_type), _limit(max_keys)
    page = await paged(ctx, bucket, prefix or "", delimiter or "", marker or "", limit)
    answer = await _told(ctx, bucket, page, write, with_owner=True)
    answer |= {"Name": bucket, "Prefix": write(prefix or ""), "Marker": write(marker or "")}
    answer |= {"MaxKeys": limit, "IsTruncated": page.last is not None}
    optional = {"Delimiter": delimiter and write(delimiter), "EncodingType": encoding_type}
    if page.last is not None and delimiter:
        optional["NextMarker"] = write(page.last)
    return answer | _present(optional)


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
    write, limit = _spelling(encoding_type), _limit(max_keys)
    after = start_after or "" if continuation_token is None else _place(continuation_token)
    page = await paged(ctx, bucket, prefix or "", delimiter or "", after, limit)
    answer = await _told(ctx, bucket, page, write, with_owner=bool(fetch_owner))
    answer |= {"Name": bucket, "Prefix": write(prefix or ""), "MaxKeys": limit}
    answer |= {"KeyCount": len(page.keys) + len(page.prefixes), "IsTruncated": page.last is not None}
    optional = {
        "ContinuationToken": continuation_token,
        "Delimiter": delimiter and write(delimiter),
        "EncodingType": encoding_type,
        "NextContinuationToken": None if page.last is None else _token(page.last),
        "StartAfter": start_after and write(start_after),
    }
    return answer | _present(optional)


async def paged(ctx: Context, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """The keys beyond `after` that begin with `prefix`, those with the delimiter after it rolled up."""
    markers = await ctx.store.read(lambda tx: rows.markers(tx, bucket, prefix))
    walk = Walk(registry.root(ctx, bucket), markers)
    return await asyncio.to_thread(_page, walk, prefix, delimiter, after, limit)


def _page(walk: Walk, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    keys: list[str] = []
    prefixes: list[str] = []
    last = after
    if delimiter and (rolled := rolled_up(after, prefix, delimiter)) and after == rolled:
        after += LAST  # the page before ended with this prefix
    while (key := walk.following(after, prefix)) is not None:
        if len(keys) + len(prefixes) == limit:
            return Page(keys, prefixes, last if limit else None)
        rolled = rolled_up(key, prefix, delimiter)
        if rolled is None:
            keys.append(key)
            last = after = key
        else:
            prefixes.append(rolled)
            last, after = rolled, rolled + LAST
    return Page(keys, prefixes, None)


async def _told(
    ctx: Context, bucket: str, page: Page, write: Spelling, *, with_owner: bool
) -> dict[str, Any]:
    found = await asyncio.gather(*(objects.find(ctx, bucket, key) for key in page.keys))
    owner = {"Owner": {"ID": ctx.account}} if with_owner else {}
    answer: dict[str, Any] = {}
    if contents := [_content(each, write(each.key)) | owner for each in found if each is not None]:
        answer["Contents"] = contents
    if page.prefixes:
        answer["CommonPrefixes"] = [{"Prefix": write(each)} for each in page.prefixes]
    return answer


def _content(found: Object, key: str) -> dict[str, Any]:
    return {
        "Key": key,
        "LastModified": found.identity.modified,
        "ETag": quoted(found.known.etag),
        "Size": found.identity.size,
        "StorageClass": "STANDARD",
    }


def _limit(max_keys: int | None) -> int:
    if max_keys is not None and max_keys < 0:
        raise invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647")
    return KEYS_MAX if max_keys is None else min(max_keys, KEYS_MAX)


def _spelling(encoding_type: str | None) -> Spelling:
    """How keys are written; `url` is for those that XML cannot carry."""
    if encoding_type not in (None, "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request")
    return str if encoding_type is None else quote


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _place(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (UnicodeError, binascii.Error):
        raise invalid_argument("The continuation token provided is incorrect") from None


def _present(optional: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in optional.items() if value}
