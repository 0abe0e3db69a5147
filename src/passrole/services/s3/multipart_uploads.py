"""Multipart uploads that are under way, as documents; a part's bytes are a file in the upload's folder.

It knows no object: what an upload becomes is `complete_multipart_upload.py`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passrole.services.s3.refusals import no_such_upload
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Upload:
    """`headers`, `metadata` and `tags` as in rows.ObjectMetadata; `initiated` in epoch seconds.

    `checksum` is the member name of the checksum that the parts bring, `full` whether one is wanted of the
    whole object instead of one of the parts' checksums. `storage` as in storage.Storage.
    """

    id: str
    bucket: str
    key: str
    initiated: float
    initiator: str
    headers: dict[str, str | float] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    checksum: str | None = None
    full: bool = False
    storage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """`file` is its name in the upload's folder, `etag` without quotes, `modified` in epoch seconds."""

    number: int
    file: str
    size: int
    etag: str
    modified: float
    checksums: Mapping[str, str] = field(default_factory=dict)


UPLOADS = Collection("s3_uploads", Upload)
PARTS = Collection("s3_parts", Part)


def existing_upload(tx: Tx, bucket: str, key: str, id_: str) -> Upload:
    """The upload of an id, if it is for this object. Raises NoSuchUpload."""
    upload = UPLOADS.get(tx, f"{bucket}/{id_}")
    if upload is None or upload.key != key:
        raise no_such_upload(id_)
    return upload


def put_upload(tx: Tx, upload: Upload) -> None:
    """Store an upload."""
    UPLOADS.put(tx, UPLOADS.child(upload.bucket, upload.id), upload)


def uploads_of(tx: Tx, bucket: str) -> list[Upload]:
    """The uploads of a bucket, by key and then by when they were begun."""
    found = [upload for _, upload in UPLOADS.children(tx, bucket)]
    return sorted(found, key=lambda upload: (upload.key, upload.initiated, upload.id))


def put_part(tx: Tx, upload: str, part: Part) -> str | None:
    """Store a part, in place of one of its number; the file of that one, which nobody needs now."""
    key = PARTS.child(upload, f"{part.number:05}")
    replaced = PARTS.get(tx, key)
    PARTS.put(tx, key, part)
    return replaced.file if replaced else None


def parts_of(tx: Tx, upload: str) -> list[Part]:
    """The parts of an upload by number."""
    return [part for _, part in PARTS.children(tx, upload)]


def delete_upload(tx: Tx, upload: Upload) -> None:
    """Delete the row of an upload; the caller removes its folder."""
    UPLOADS.delete(tx, UPLOADS.child(upload.bucket, upload.id))
    for part in parts_of(tx, upload.id):
        PARTS.delete(tx, PARTS.child(upload.id, f"{part.number:05}"))


def delete_uploads(tx: Tx, bucket: str) -> list[str]:
    """Delete the uploads of a bucket; their ids."""
    uploads = uploads_of(tx, bucket)
    for upload in uploads:
        delete_upload(tx, upload)
    return [upload.id for upload in uploads]
