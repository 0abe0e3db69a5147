"""Object metadata in requests and responses: headers, user metadata, tags, storage.

It knows no bytes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from passrole.faults import Fault
from passrole.policy.tags import is_reserved
from passrole.services.s3 import storage
from passrole.services.s3.objects import Object
from passrole.services.s3.refusals import invalid_argument

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TagTypeDef

METADATA_BYTES_MAX = 2_048
TAGS_MAX = 10
TAG_KEY_LENGTH_MAX = 128
TAG_VALUE_LENGTH_MAX = 256
DEFAULT_TYPE = "binary/octet-stream"


def check_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """User metadata, its names in lower case as S3 keeps them. Raises MetadataTooLarge."""
    kept = {name.lower(): value for name, value in (metadata or {}).items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in kept.items())
    if size > METADATA_BYTES_MAX:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        members = {"Size": size, "MaxSizeAllowed": METADATA_BYTES_MAX}
        raise Fault("MetadataTooLarge", message, status=400, members=members)
    return kept


def header_tags(header: str | None) -> dict[str, str]:
    """The tags in a header, which are written like a query. Raises InvalidTag, BadRequest."""
    pairs = parse_qsl(header, keep_blank_values=True) if header else []
    return check_tags([{"Key": key, "Value": value} for key, value in pairs])


def check_tags(
    tags: "Sequence[TagTypeDef]", tagged: str = "Object", count_max: int = TAGS_MAX
) -> dict[str, str]:
    """The tags by key. Raises InvalidTag, and BadRequest for too many."""
    if len(tags) > count_max:
        raise Fault("BadRequest", f"{tagged} tags cannot be greater than {count_max}", status=400)
    kept: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if not 1 <= len(key) <= TAG_KEY_LENGTH_MAX or is_reserved([key]):
            raise _invalid_tag("The TagKey you have provided is invalid", key)
        if len(value) > TAG_VALUE_LENGTH_MAX:
            raise _invalid_tag("The TagValue you have provided is invalid", key, value)
        if key in kept:
            raise _invalid_tag("Cannot provide multiple Tags with the same key", key)
        kept[key] = value
    return kept


def directive(value: str | None, name: str) -> bool:
    """Whether a copy replaces the metadata, or the tags, of its source. Raises InvalidArgument."""
    if value not in (None, "COPY", "REPLACE"):
        raise invalid_argument(f"Unknown {name} directive.", f"x-amz-{name}-directive", value)
    return value == "REPLACE"


def object_members(found: Object, *, checksums: bool) -> dict[str, Any]:
    """The response members that GetObject and HeadObject share."""
    object_metadata = found.record.metadata
    stored = storage.from_stored(object_metadata.storage)
    answer: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": float(int(found.identity.modified)),
        "ContentLength": found.identity.size,
        "ETag": quoted(found.record.etag),
        "ContentType": DEFAULT_TYPE,
        **object_metadata.headers,
        "Metadata": dict(object_metadata.metadata),
        **storage.members(stored),
    }
    if stored.class_ != storage.STANDARD:
        answer["StorageClass"] = stored.class_
    if checksums and object_metadata.checksums:
        answer |= checksum_members(object_metadata.checksums)
    return answer


def checksum_members(checksums: Mapping[str, str]) -> dict[str, str]:
    """Checksums with their type: that of parts ends in the number of them."""
    if not checksums:
        return {}
    is_composite = any("-" in value for value in checksums.values())
    return {**checksums, "ChecksumType": "COMPOSITE" if is_composite else "FULL_OBJECT"}


def quoted(etag: str) -> str:
    """An ETag as it is on the wire."""
    return f'"{etag}"'


def _invalid_tag(message: str, key: str, value: str | None = None) -> Fault:
    members = {"TagKey": key} if value is None else {"TagKey": key, "TagValue": value}
    return Fault("InvalidTag", message, status=400, members=members)
