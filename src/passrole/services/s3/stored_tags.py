"""The tags that an object has, here or upstream, for IAM decisions: no permission is asked for."""

from collections.abc import Mapping

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.s3 import objects, upstream_client

_NOT_FOUND = 404


async def existing(ctx: Context, bucket: str, key: str) -> Mapping[str, str]:
    """The tags of an object; none where there is no such object.

    Raises what the other S3 endpoint raises, if one is set.
    """
    if not ctx.config.s3_endpoint:
        found = await objects.find(ctx, bucket, key)
        return found.record.metadata.tags if found else {}
    parameters = {"Bucket": bucket, "Key": key}
    try:
        answer = await upstream_client.endpoint(ctx.config).call("GetObjectTagging", parameters)
    except Fault as fault:
        if fault.status == _NOT_FOUND:
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the object with an ARN; buckets have none here."""
    parsed = arns.parse(arn)
    bucket, slash, key = parsed.resource.partition("/") if parsed else ("", "", "")
    return await existing(ctx, bucket, key) if slash and key else {}
