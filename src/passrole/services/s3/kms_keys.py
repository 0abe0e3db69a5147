"""The KMS keys of objects: whoever writes or reads one must be allowed to use its key.

As S3 does it, an object is given a data key when it is written, by GenerateDataKey as the caller, and is read
by who may Decrypt that. Both calls have `kms:ViaService` and the object's ARN as encryption context. The data
key encrypts nothing: the bytes are a plain file (see storage.py).
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.s3 import names, storage
from passrole.services.s3.objects import Object
from passrole.services.s3.storage import Storage

_CONTEXT = "aws:s3:arn"
_DENIED = "AccessDeniedException"


async def with_data_key(ctx: Context, stored: Storage, bucket: str, key: str) -> Storage:
    """The storage of a new object with a data key, if it has a key; its key is an ARN then.

    Raises AccessDenied, KMS.NotFoundException, KMS.DisabledException, KMS.KMSInvalidStateException.
    """
    if stored.key is None:
        return stored
    context = _context(stored, bucket, key)
    asked = {"KeyId": stored.key, "KeySpec": "AES_256", "EncryptionContext": context}
    made = await _kms(ctx, "GenerateDataKey", asked)
    data_key = base64.b64encode(made["CiphertextBlob"]).decode()
    return replace(stored, key=made["KeyId"], data_key=data_key)


async def check_read(ctx: Context, found: Object) -> None:
    """Refuse who may not decrypt an object. Raises as `with_data_key`."""
    stored = found.record.metadata.storage
    if stored:
        await check(ctx, storage.from_stored(stored), found.bucket, found.key)


async def check(ctx: Context, stored: Storage, bucket: str, key: str) -> None:
    """Refuse who may not decrypt what is stored so; objects of earlier versions have no data key."""
    if stored.data_key:
        blob, context = base64.b64decode(stored.data_key), _context(stored, bucket, key)
        await _kms(ctx, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": context})


def _context(stored: Storage, bucket: str, key: str) -> Mapping[str, str]:
    """The object's ARN; with a bucket key, the bucket's."""
    return {_CONTEXT: names.bucket_arn(bucket) if stored.bucket_key else names.object_arn(bucket, key)}


async def _kms(ctx: Context, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return await ctx.call("kms", operation, parameters)
    except Fault as fault:
        if not fault.sender:
            raise
        if fault.code == _DENIED:
            raise Fault("AccessDenied", fault.message, status=403) from None
        raise Fault(f"KMS.{fault.code}", fault.message, status=400) from None
