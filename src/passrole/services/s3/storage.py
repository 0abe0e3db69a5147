"""The storage class and the encryption of an object, as requested, stored and answered.

The bytes are a plain file whatever is asked, as readable as their disk: class and encryption are recorded and
answered. KMS decides who may write and read an object with a key, all the same (see kms_keys.py). What cannot
be kept up is refused: classes whose objects must be restored before they can be read.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from passrole.faults import Fault
from passrole.services.s3.refusals import invalid_argument, malformed_xml

STANDARD = "STANDARD"
CLASSES = frozenset(
    {STANDARD, "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"}
)
BY_S3 = "AES256"  # every object's since January 2023, unless another is asked for
MANAGED_KEY = "alias/aws/s3"  # AWS's own
BY_KMS = frozenset({"aws:kms", "aws:kms:dsse"})


@dataclass(frozen=True)
class Storage:
    """`key` is the KMS key, as requested and then by its ARN; `bucket_key` whether a bucket's key spares
    calls of KMS; `data_key` the object's data key (base64), encrypted by the key.
    """

    class_: str = STANDARD
    encryption: str = BY_S3
    key: str | None = None
    bucket_key: bool = False
    data_key: str = ""


def requested(
    bucket: Mapping[str, Any],
    acl: str | None = None,
    storage_class: str | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    bucket_key_enabled: bool | None = None,
) -> Storage:
    """The storage class and encryption of a request; where it says nothing, those of its bucket's objects.

    `bucket` is the bucket's default, as it is stored.
    Raises AccessControlListNotSupported, InvalidStorageClass, InvalidArgument.
    """
    if acl not in (None, "", "private", "bucket-owner-full-control"):  # s3fs sends it empty
        raise Fault("AccessControlListNotSupported", "The bucket does not allow ACLs", status=400)
    if storage_class is not None and storage_class not in CLASSES:
        message = "The storage class you specified is not valid"
        members = {"StorageClassRequested": storage_class}
        raise Fault("InvalidStorageClass", message, status=400, members=members)
    usual = from_stored(bucket)
    encryption = server_side_encryption or usual.encryption
    if encryption not in (BY_S3, *BY_KMS):
        message = "The encryption method specified is not supported"
        raise invalid_argument(message, "x-amz-server-side-encryption", encryption)
    if ssekms_key_id is not None and server_side_encryption not in BY_KMS:
        message = (
            "Server Side Encryption with AWS KMS managed key requires HTTP header"
            " x-amz-server-side-encryption : aws:kms"
        )
        raise invalid_argument(message, "x-amz-server-side-encryption", server_side_encryption or BY_S3)
    asked = (ssekms_key_id or MANAGED_KEY) if encryption in BY_KMS else None
    key = usual.key if server_side_encryption is None else asked
    bucket_key = usual.bucket_key if bucket_key_enabled is None else bucket_key_enabled
    return Storage(storage_class or STANDARD, encryption, key, bool(bucket_key and key))


def default(rules: Sequence[Mapping[str, Any]]) -> Storage:
    """The encryption of a bucket's objects, by the rules of its configuration.

    Raises InvalidArgument, MalformedXML.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
    """
    if len(rules) != 1 or "ApplyServerSideEncryptionByDefault" not in rules[0]:
        raise malformed_xml()
    asked = rules[0]["ApplyServerSideEncryptionByDefault"]
    encryption, key = asked["SSEAlgorithm"], asked.get("KMSMasterKeyID")
    if encryption not in (BY_S3, *BY_KMS):
        raise malformed_xml()
    if encryption not in BY_KMS and key is not None:
        message = (
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
        raise invalid_argument(message, "ApplyServerSideEncryptionByDefault", encryption)
    named = (key or MANAGED_KEY) if encryption in BY_KMS else None
    return Storage(STANDARD, encryption, named, bool(rules[0].get("BucketKeyEnabled")))


def rule(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `default`, of what is stored. A key of one's own is told, AWS's is not."""
    usual = from_stored(stored)
    key = {} if usual.key in (None, MANAGED_KEY) else {"KMSMasterKeyID": usual.key}
    by_default = {"SSEAlgorithm": usual.encryption, **key}
    return {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": usual.bucket_key}


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
