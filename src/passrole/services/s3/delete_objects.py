"""DeleteObject and DeleteObjects."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from passrole.faults import Fault
from passrole.members import without_none
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Permission, operation
from passrole.services.s3 import names, objects, versions
from passrole.services.s3.conditions import fits
from passrole.services.s3.records import bucket_of, header_keys, its_policy, the_object, version_keys
from passrole.services.s3.refusals import malformed_xml, no_such_bucket, precondition_failed

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import DeleteTypeDef, ObjectIdentifierTypeDef

KEYS_MAX = 1_000


def _keys(ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    return {**header_keys(ctx, parameters), **version_keys(ctx, parameters)}


def _comparing(ctx: Context, parameters: Mapping[str, Any]) -> Sequence[Permission]:
    """Who has an ETag compared needs s3:GetObject as well; who asks whether there is an object does not.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html
    """
    is_compared = parameters.get("if_match") not in (None, "*")
    return (Permission("s3:GetObject", the_object(ctx, parameters)),) if is_compared else ()


@operation(
    "s3:DeleteObject",
    versioned="s3:DeleteObjectVersion",
    resource=the_object,
    resource_policy=its_policy,
    keys=_keys,
    also=_comparing,
    ignores=("request_payer",),
)
async def delete_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """Delete an object; deleting one that does not exist succeeds.

    With If-Match it is the object that was compared, or none: what is put meanwhile stays, and its writer was
    answered. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
    """
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    condition = None
    if if_match is not None:
        found = await objects.existing(ctx, bucket, key)
        if not fits(if_match, found.record.etag):
            raise precondition_failed("If-Match")
        condition = objects.Expected(found.identity)
    try:
        path = names.segments(key)
    except Fault:
        return {}  # no folder can hold it, so it is not there
    await objects.remove(ctx, bucket, path, key, condition=condition)
    return {}


@operation(None, ignores=("checksum_algorithm", "request_payer"))
async def delete_objects(
    ctx: Context, *, bucket: str, delete: "DeleteTypeDef", expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Delete up to a thousand objects; the response has the result of each.

    Each goes through the door as a DeleteObject, because S3 asks for `s3:DeleteObject` key by key, or for
    `s3:DeleteObjectVersion` where a version is named, and answers for a key that the caller may not delete
    within the list. Whether there is the bucket is told only to those who may delete something in it.
    """
    wanted = delete.get("Objects") or []
    if not 1 <= len(wanted) <= KEYS_MAX:
        raise malformed_xml()
    named = {"Bucket": bucket, "ExpectedBucketOwner": expected_bucket_owner}
    given = without_none(**named)
    fates = await asyncio.gather(*(_result(ctx, given, each) for each in wanted))
    if any(fate.get("Code") == "NoSuchBucket" for fate in fates):
        raise no_such_bucket(bucket)
    failed = [fate for fate in fates if "Code" in fate]
    deleted = [fate for fate in fates if "Code" not in fate]
    answer: dict[str, Any] = {}
    if deleted and not delete.get("Quiet"):
        answer["Deleted"] = deleted
    return answer | ({"Errors": failed} if failed else {})


async def _result(
    ctx: Context, named: Mapping[str, str], wanted: "ObjectIdentifierTypeDef"
) -> dict[str, Any]:
    key = wanted["Key"]
    version = {"VersionId": wanted["VersionId"]} if wanted.get("VersionId") is not None else {}
    condition = {"IfMatch": wanted["ETag"]} if wanted.get("ETag") else {}
    try:
        await ctx.call("s3", "DeleteObject", {**named, "Key": key, **version, **condition})
    except Fault as fault:
        code, message = fault.code, fault.message
        if version and code == "InvalidArgument":  # a list says it in other words than a single call
            code, message = "NoSuchVersion", "The specified version does not exist."
        return {"Key": key, **version, "Code": code, "Message": message}
    return {"Key": key, **version}
