"""Where a function's archive comes from: the request itself, or an object in S3 that it names.

The object is read as the caller, who therefore needs s3:GetObject on it.
"""

from collections.abc import Mapping
from typing import Any

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.lambda_ import refusals
from passrole.services.lambda_.archives import ZIPPED_BYTES_MAX

_IN_S3 = frozenset({"S3Bucket", "S3Key"})


async def archive(ctx: Context, code: Mapping[str, Any]) -> bytes:
    """The bytes of a FunctionCode. Raises InvalidParameterValueException."""
    others = sorted(set(code) - _IN_S3 - {"ZipFile"})
    if others:
        raise refusals.unsupported(f"{others[0]} as a function's code: it takes ZipFile, S3Bucket and S3Key")
    if "ZipFile" in code and _IN_S3 & set(code):
        raise refusals.invalid(
            "Please do not provide other FunctionCode parameters when providing a ZipFile."
        )
    if set(code) >= _IN_S3:
        return await _object(ctx, code["S3Bucket"], code["S3Key"])
    given: bytes = code.get("ZipFile") or b""
    if not given:
        raise refusals.invalid("Please provide a source for function code.")
    return given


async def _object(ctx: Context, bucket: str, key: str) -> bytes:
    """No more than is allowed, so that a huge object costs nobody its size."""
    parameters = {"Bucket": bucket, "Key": key, "Range": f"bytes=0-{ZIPPED_BYTES_MAX}"}
    try:
        body: bytes = (await ctx.call("s3", "GetObject", parameters))["Body"]
    except Fault as fault:
        if not fault.sender:  # our own failure says nothing about the object
            raise
        raise refusals.invalid(
            f"Error occurred while GetObject. S3 Error Code: {fault.code}. S3 Error Message: {fault.message}"
        ) from fault
    return body
