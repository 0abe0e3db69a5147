"""What a writer says of an object and a reader is told: headers, metadata, tags, storage.

It knows no bytes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from passrole.faults import Fault
from passrole.policy.tags import is_reserved
from passrole.services.s3.objects import Object
from passrole.services.s3.refusals import invalid_argument, not_implemented

METADATA_BYTES_MAX = 2_048
TAGS_MAX = 10
TAG_KEY_LENGTH_MAX = 128
TAG_VALUE_LENGTH_MAX = 256
DEFAULT_TYPE = "binary/octet-stream"


def check_storage(
    acl: str | None = None, storage_class: str | None = None, server_side_encryption: str | None = None
) -> None:
    """Refuse what a folder does not do: ACLs, as buckets do since 2023; other classes; keys. Raises Fault."""
    if acl not in (None, "private", "bucket-owner-full-control"):
        raise Fault("AccessControlListNotSupported", "The bucket does not allow ACLs", status=400)
    if storage_class not in (None, "STANDARD"):
        message = "The storage class you specified is not valid"
        raise Fault("InvalidStorageClass", message, status=400)
    if server_side_encryption not in (None, "AES256"):
        raise not_implemented()


def check_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """User metadata, its names in lower case as S3 keeps them. Raises Fault."""
    kept = {name.lower(): value for name, value in (metadata or {}).items()}
    if sum(len(name.encode()) + len(value.encode()) for name, value in kept.items()) > METADATA_BYTES_MAX:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise Fault("MetadataTooLarge", message, status=400)
    return kept


def kept_headers(**headers: str | float | None) -> dict[str, str | float]:
    """The headers that are kept with an object, by member name: `kept_headers(CacheControl=...)`."""
    return {name: value for name, value in headers.items() if value is not None}


def header_tags(header: str | None) -> dict[str, str]:
    """The tags in a header, which are written like a query. Raises Fault."""
    pairs = parse_qsl(header, keep_blank_values=True) if header else []
    return check_tags([{"Key": key, "Value": value} for key, value in pairs])


def check_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The tags by key. Raises Fault where they are too many, too long, or twice the same."""
    if len(tags) > TAGS_MAX:
        raise Fault("BadRequest", f"Object tags cannot be greater than {TAGS_MAX}", status=400)
    kept: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if not 1 <= len(key) <= TAG_KEY_LENGTH_MAX or is_reserved([key]):
            raise Fault("InvalidTag", "The TagKey you have provided is invalid", status=400)
        if len(value) > TAG_VALUE_LENGTH_MAX:
            raise Fault("InvalidTag", "The TagValue you have provided is invalid", status=400)
        if key in kept:
            raise Fault("InvalidTag", "Cannot provide multiple Tags with the same key", status=400)
        kept[key] = value
    return kept


def directive(value: str | None, name: str) -> bool:
    """Whether a copy replaces what was said of its source. Raises Fault."""
    if value not in (None, "COPY", "REPLACE"):
        raise invalid_argument(f"Unknown {name} directive.")
    return value == "REPLACE"


def described(found: Object, *, checksums: bool) -> dict[str, Any]:
    """What GetObject and HeadObject tell alike, in AWS's spelling."""
    about = found.known.about
    answer: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": float(int(found.identity.modified)),
        "ContentLength": found.identity.size,
        "ETag": quoted(found.known.etag),
        "ContentType": DEFAULT_TYPE,
        **about.headers,
        "Metadata": dict(about.metadata),
    }
    if checksums and about.checksums:
        answer |= told_checksums(about.checksums)
    return answer


def told_checksums(checksums: Mapping[str, str]) -> dict[str, str]:
    """Checksums with their type: that of parts ends in the number of them."""
    if not checksums:
        return {}
    is_composite = any("-" in value for value in checksums.values())
    return {**checksums, "ChecksumType": "COMPOSITE" if is_composite else "FULL_OBJECT"}


def quoted(etag: str) -> str:
    """An ETag as it is on the wire."""
    return f'"{etag}"'
