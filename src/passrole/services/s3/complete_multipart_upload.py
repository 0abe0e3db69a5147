"""CompleteMultipartUpload."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passrole import trees
from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import (
    checksums,
    kms_keys,
    object_headers,
    objects,
    storage,
    temporary_files,
    write_permissions,
)
from passrole.services.s3.multipart_uploads import Part, Upload, delete_upload, existing_upload, parts_of
from passrole.services.s3.objects import Object
from passrole.services.s3.records import Bucket, bucket_of, its_policy, the_object
from passrole.services.s3.refusals import invalid_argument, malformed_xml, no_such_upload
from passrole.services.s3.rows import ObjectMetadata, ObjectRecord
from passrole.services.s3.temporary_files import Written
from passrole.services.s3.turns import turn
from passrole.store import Tx
from passrole.wire.s3_routing import object_uri

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedMultipartUploadTypeDef, CompletedPartTypeDef

PART_BYTES_MIN = 5 * 1024 * 1024


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.creation_keys,
    ignores=("request_payer",),
)
async def complete_multipart_upload(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    multipart_upload: "CompletedMultipartUploadTypeDef | None" = None,
    checksum_crc32: str | None = None,
    checksum_crc32_c: str | None = None,
    checksum_crc64_nvme: str | None = None,
    checksum_sha1: str | None = None,
    checksum_sha256: str | None = None,
    checksum_type: str | None = None,
    expected_bucket_owner: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    mpu_object_size: int | None = None,
) -> dict[str, Any]:
    """Make the object of the listed parts; the other parts are deleted.

    Clients repeat a call whose answer they did not hear, also while it is under way ("applications should be
    prepared to retry"). So completions of an upload take turns, and whoever finds it over is answered again.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    """
    inside = await bucket_of(ctx, bucket, expected_bucket_owner)
    given = checksums.given(
        crc32=checksum_crc32,
        crc32c=checksum_crc32_c,
        crc64nvme=checksum_crc64_nvme,
        sha1=checksum_sha1,
        sha256=checksum_sha256,
    )
    listed = (multipart_upload or {}).get("Parts") or []
    wanted = _Wanted(listed, given, checksum_type, mpu_object_size, if_match, if_none_match)
    async with turn(temporary_files.work(ctx), upload_id):
        try:
            record = await _completed(ctx, bucket, key, upload_id, wanted)
        except Fault as fault:
            if fault.code != "NoSuchUpload":
                raise
            record = _completed_before(await objects.find(ctx, bucket, key), upload_id, listed)
    return _answer(inside, key, record)


@dataclass(frozen=True)
class _Wanted:
    """What a completion lists and demands; `checksums` by member name."""

    parts: "Sequence[CompletedPartTypeDef]"
    checksums: Mapping[str, str]
    checksum_type: str | None
    size: int | None
    if_match: str | None
    if_none_match: str | None


async def _completed(ctx: Context, bucket: str, key: str, upload_id: str, wanted: _Wanted) -> ObjectRecord:
    """The record of the new object. Raises NoSuchUpload, also where the upload is aborted meanwhile."""
    upload = await ctx.store.read(lambda tx: existing_upload(tx, bucket, key, upload_id))
    await kms_keys.check(ctx, storage.from_stored(upload.storage), bucket, key)
    parts = await _parts(ctx, upload, wanted)
    condition = await objects.expected(ctx, bucket, key, wanted.if_match, wanted.if_none_match)
    while (written := await _put_together(ctx, upload, parts)) is None:
        parts = await _parts(ctx, upload, wanted)
    sums = _checksums(upload, parts, written, wanted.checksums)
    record = ObjectRecord(
        checksums.etag_of_parts([part.etag for part in parts]), _object_metadata(upload, parts, sums)
    )

    def check(tx: Tx) -> None:
        existing_upload(tx, bucket, key, upload_id)

    def finish(tx: Tx) -> None:
        delete_upload(tx, upload)

    await objects.put(ctx, bucket, key, written, record, condition=condition, check=check, finish=finish)
    await asyncio.to_thread(trees.remove, temporary_files.work(ctx, upload.id))
    return record


async def _parts(ctx: Context, upload: Upload, wanted: _Wanted) -> list[Part]:
    """The listed parts. Raises NoSuchUpload, InvalidArgument, and as `chosen`."""

    def read(tx: Tx) -> list[Part]:
        existing_upload(tx, upload.bucket, upload.key, upload.id)
        return parts_of(tx, upload.id)

    parts = chosen(await ctx.store.read(read), wanted.parts, upload.id)
    size = sum(part.size for part in parts)
    if wanted.size not in (None, size):
        raise invalid_argument(f"The provided 'x-amz-mp-object-size' header does not match {size}")
    if wanted.checksum_type not in (None, "FULL_OBJECT" if upload.full else "COMPOSITE"):
        raise invalid_argument("The upload was created using another checksum type.")
    return parts


async def _put_together(ctx: Context, upload: Upload, parts: Sequence[Part]) -> Written | None:
    """A temporary file with the bytes of the parts, or None where one has gone: with its upload, which was
    aborted, or because its number was uploaded again.
    """
    work = temporary_files.work(ctx, upload.id)
    digests = {upload.checksum} if upload.checksum and upload.full else set()
    try:
        return await temporary_files.write(temporary_files.work(ctx), _bytes(work, parts), digests)
    except FileNotFoundError:
        present = await ctx.store.read(lambda tx: parts_of(tx, upload.id))
        if all(part in present for part in parts):
            raise  # nobody has taken it away: it is lost
        return None


def chosen(present: Sequence[Part], wanted: "Sequence[CompletedPartTypeDef]", upload: str) -> list[Part]:
    """The parts that a completion lists, in order. Raises InvalidPart, InvalidPartOrder, EntityTooSmall."""
    if not wanted:
        raise malformed_xml()
    numbers = [each.get("PartNumber") or 0 for each in wanted]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        message = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise Fault("InvalidPartOrder", message, status=400, members={"UploadId": upload})
    by_number = {part.number: part for part in present}
    parts = []
    for each, number in zip(wanted, numbers, strict=True):
        part = by_number.get(number)
        if part is None or part.etag != (each.get("ETag") or "").strip('"') or not _same(part, each):
            raise _invalid_part(number, each.get("ETag"), upload)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < PART_BYTES_MIN:
            raise _too_small(part)
    return parts


def _completed_before(
    found: Object | None, upload_id: str, listed: "Sequence[CompletedPartTypeDef]"
) -> ObjectRecord:
    """The record of what the upload became, while that is there. Raises NoSuchUpload, InvalidPart."""
    if found is None or found.record.metadata.upload != upload_id:
        raise no_such_upload(upload_id)
    etags = [str(each.get("ETag") or "").strip('"') for each in listed]
    try:
        is_same = checksums.etag_of_parts(etags) == found.record.etag
    except ValueError:
        is_same = False
    if not is_same:
        raise _invalid_part(None, None, upload_id)
    return found.record


def _answer(bucket: Bucket, key: str, record: ObjectRecord) -> dict[str, Any]:
    return {
        "Location": object_uri(bucket.name, bucket.region, key),
        "Bucket": bucket.name,
        "Key": key,
        "ETag": object_headers.quoted(record.etag),
        **object_headers.checksum_members(record.metadata.checksums),
        **storage.members(storage.from_stored(record.metadata.storage)),
    }


def _object_metadata(upload: Upload, parts: Sequence[Part], sums: Mapping[str, str]) -> ObjectMetadata:
    of_parts = [part.checksums.get(upload.checksum) for part in parts] if upload.checksum else []
    return ObjectMetadata(
        upload.headers,
        upload.metadata,
        sums,
        upload.tags,
        len(parts),
        part_sizes=[part.size for part in parts],
        part_checksums=[each for each in of_parts if each] if all(of_parts) else [],
        upload=upload.id,
        storage=upload.storage,
    )


def _same(part: Part, listed: Mapping[str, object]) -> bool:
    """Whether the checksums that are listed with a part are those that it has."""
    return all(
        part.checksums[name] == listed[name] for name in part.checksums if listed.get(name) is not None
    )


def _bytes(work: Path, parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        yield from temporary_files.pieces((work / part.file).open("rb"), 0, part.size)


def _checksums(
    upload: Upload, parts: Sequence[Part], written: Written, given: Mapping[str, str]
) -> dict[str, str]:
    """The checksums of the object: of the whole, or of its parts' checksums. Raises BadDigest."""
    name = upload.checksum
    if name is None:
        return dict(given)
    if upload.full:
        computed = {name: written.digests[name]} if name in written.digests else {}
        try:
            checksums.check(computed, given, None)
        except Fault:
            written.path.unlink(missing_ok=True)
            raise
        return {**given, **{each: checksums.encoded(digest) for each, digest in computed.items()}}
    value = checksums.composite(name, [part.checksums.get(name) for part in parts])
    return {name: value} if value else {}


def _invalid_part(number: int | None, etag: str | None, upload: str) -> Fault:
    message = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the"
        " specified entity tag may not match the part's entity tag."
    )
    sums = {"ETag": (etag or "").strip('"') or None, "PartNumber": number, "UploadId": upload}
    members = without_none(**sums)
    return Fault("InvalidPart", message, status=400, members=members)


def _too_small(part: Part) -> Fault:
    message = "Your proposed upload is smaller than the minimum allowed size"
    members = {
        "ETag": part.etag,
        "MinSizeAllowed": PART_BYTES_MIN,
        "PartNumber": part.number,
        "ProposedSize": part.size,
    }
    return Fault("EntityTooSmall", message, status=400, members=members)
