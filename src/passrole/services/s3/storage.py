"""The storage class and the encryption of an object, as requested, stored and answered.

The bytes are a plain file whatever is asked, as readable as their disk: class and encryption are recorded and
answered. So nothing is refused that a pipeline sends by habit: the SageMaker SDK asks for `aws:kms` whenever
it uploads a folder. What cannot be kept up is refused: another key than AWS's own `aws/s3`, for there is no
KMS that would decide who may use it, and classes whose objects must be restored before they can be read.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from passrole.faults import Fault
from passrole.services.s3.records import Bucket
from passrole.services.s3.refusals import invalid_argument

STANDARD = "STANDARD"
CLASSES = frozenset(
    {STANDARD, "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"}
)
BY_S3 = "AES256"  # every object's since January 2023, unless another is asked for
BY_KMS = frozenset({"aws:kms", "aws:kms:dsse"})


@dataclass(frozen=True)
class Storage:
    """`key` is the ARN of the KMS key; `bucket_key` whether a bucket's key spares calls of KMS."""

    class_: str = STANDARD
    encryption: str = BY_S3
    key: str | None = None
    bucket_key: bool = False


def requested(
    bucket: Bucket,
    acl: str | None = None,
    storage_class: str | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    bucket_key_enabled: bool | None = None,
) -> Storage:
    """The storage class and encryption of a request.

    Raises AccessControlListNotSupported, InvalidStorageClass, InvalidArgument, KMS.NotFoundException.
    """
    if acl not in (None, "", "private", "bucket-owner-full-control"):  # s3fs sends it empty
        raise Fault("AccessControlListNotSupported", "The bucket does not allow ACLs", status=400)
    if storage_class is not None and storage_class not in CLASSES:
        message = "The storage class you specified is not valid"
        members = {"StorageClassRequested": storage_class}
        raise Fault("InvalidStorageClass", message, status=400, members=members)
    encryption = server_side_encryption or BY_S3
    if encryption not in (BY_S3, *BY_KMS):
        message = "The encryption method specified is not supported"
        raise invalid_argument(message, "x-amz-server-side-encryption", encryption)
    if ssekms_key_id is not None and encryption not in BY_KMS:
        message = (
            "Server Side Encryption with AWS KMS managed key requires HTTP header"
            " x-amz-server-side-encryption : aws:kms"
        )
        raise invalid_argument(message, "x-amz-server-side-encryption", encryption)
    key = _key(bucket, ssekms_key_id) if encryption in BY_KMS else None
    return Storage(storage_class or STANDARD, encryption, key, bool(bucket_key_enabled and key))


def members(storage: Storage) -> dict[str, Any]:
    """The response members about encryption."""
    answer: dict[str, Any] = {"ServerSideEncryption": storage.encryption}
    if storage.key is not None:
        answer["SSEKMSKeyId"] = storage.key
    return answer | ({"BucketKeyEnabled": True} if storage.bucket_key else {})


def stored_members(storage: Storage) -> dict[str, Any]:
    """As it is stored: the fields that are not the default."""
    usual = asdict(Storage())
    return {name: value for name, value in asdict(storage).items() if value != usual[name]}


def from_stored(stored: Mapping[str, Any]) -> Storage:
    """Inverse of `stored_members`."""
    return Storage(**stored)


def managed_key(region: str, account: str) -> str:
    """The ARN of AWS's own key for S3 in a region; always the same."""
    id_ = uuid.uuid5(uuid.NAMESPACE_URL, f"kms/{region}/{account}/alias/aws/s3")
    return f"arn:aws:kms:{region}:{account}:key/{id_}"


def _key(bucket: Bucket, given: str | None) -> str:
    """The KMS key, by its id, its ARN or its alias. Raises KMS.NotFoundException for every other."""
    arn = managed_key(bucket.region, bucket.account)
    start = arn.partition("key/")[0]
    if given in (None, arn, arn.removeprefix(f"{start}key/"), "alias/aws/s3", f"{start}alias/aws/s3"):
        return arn
    assert given is not None
    if given.startswith(("alias/", "arn:")) and ":alias/" in f":{given}":
        alias = given if given.startswith("arn:") else start + given
        message = f"Alias {alias} is not found."
    elif given.startswith("arn:"):
        message = f"Key '{given}' does not exist"
    else:
        message = f"Invalid keyId '{given}'"
    raise Fault("KMS.NotFoundException", message, status=400)
