"""ListParts and ListMultipartUploads."""

from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import paging, storage
from passrole.services.s3.key_order import common_prefix
from passrole.services.s3.multipart_uploads import Part, Upload, existing_upload, parts_of, uploads_of
from passrole.services.s3.object_headers import quoted
from passrole.services.s3.records import bucket_of, its_policy, the_bucket, the_object
from passrole.services.s3.refusals import invalid_argument
from passrole.store import Tx

_MARKER_DIGITS_MAX = 10


@operation(
    "s3:ListMultipartUploadParts", resource=the_object, resource_policy=its_policy, ignores=("request_payer",)
)
async def list_parts(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    max_parts: int | None = None,
    part_number_marker: int | str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """The parts of an upload that are there, by number."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    limit, after = paging.limit(max_parts, "max-parts"), _marker(part_number_marker)

    def look(tx: Tx) -> tuple[Upload, list[Part]]:
        return existing_upload(tx, bucket, key, upload_id), parts_of(tx, upload_id)

    upload, parts = await ctx.store.read(look)
    rest = [part for part in parts if part.number > after]
    page = rest[:limit]
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "Key": key,
        "UploadId": upload_id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1].number if page else after,
        "MaxParts": limit,
        "IsTruncated": len(rest) > len(page),
        "Initiator": {"ID": upload.initiator},
        "Owner": {"ID": ctx.account},
        "StorageClass": storage.from_stored(upload.storage).class_,
    }
    return answer | ({"Parts": [_part(part) for part in page]} if page else {})


@operation(
    "s3:ListBucketMultipartUploads",
    resource=the_bucket,
    resource_policy=its_policy,
    ignores=("request_payer",),
)
async def list_multipart_uploads(
    ctx: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_uploads: int | None = None,
    prefix: str | None = None,
    upload_id_marker: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """The uploads of a bucket that are under way, by key and age."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    limit, write = paging.limit(max_uploads, "max-uploads"), paging.encoding(encoding_type)
    found = await ctx.store.read(lambda tx: uploads_of(tx, bucket))
    begins = [upload for upload in found if upload.key.startswith(prefix or "")]
    rolled = {common_prefix(upload.key, prefix or "", delimiter or "") for upload in begins} - {None}
    alone = [upload for upload in begins if common_prefix(upload.key, prefix or "", delimiter or "") is None]
    rest = _beyond(alone, key_marker or "", upload_id_marker)
    page = rest[:limit]
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "KeyMarker": write(key_marker or ""),
        "UploadIdMarker": upload_id_marker or "",
        "Prefix": write(prefix or ""),
        "MaxUploads": limit,
        "IsTruncated": len(rest) > len(page),
    }
    if page:
        answer["Uploads"] = [_upload(ctx, upload, write(upload.key)) for upload in page]
        answer |= {"NextKeyMarker": write(page[-1].key), "NextUploadIdMarker": page[-1].id}
    if prefixes := sorted(each for each in rolled if each and each > (key_marker or "")):
        answer["CommonPrefixes"] = [{"Prefix": write(each)} for each in prefixes]
    optional = {"Delimiter": delimiter and write(delimiter), "EncodingType": encoding_type}
    return answer | {name: value for name, value in optional.items() if value}


def _marker(given: int | str | None) -> int:
    text = str(given or 0)
    if not (text.isascii() and text.isdecimal() and len(text) <= _MARKER_DIGITS_MAX):
        raise invalid_argument("Provided part-number-marker not an integer or within integer range")
    return int(text)


def _part(part: Part) -> dict[str, Any]:
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": quoted(part.etag),
        "Size": part.size,
        **part.checksums,
    }


def _upload(ctx: Context, upload: Upload, key: str) -> dict[str, Any]:
    return {
        "UploadId": upload.id,
        "Key": key,
        "Initiated": upload.initiated,
        "StorageClass": storage.from_stored(upload.storage).class_,
        "Owner": {"ID": ctx.account},
        "Initiator": {"ID": upload.initiator},
    }


def _beyond(uploads: list[Upload], key_marker: str, id_marker: str | None) -> list[Upload]:
    """Those after the markers: of the marked key, the ones begun after the marked upload."""
    marked = next((upload for upload in uploads if upload.id == id_marker), None)
    if marked is None or marked.key != key_marker:
        return [upload for upload in uploads if upload.key > key_marker]
    return uploads[uploads.index(marked) + 1 :]
