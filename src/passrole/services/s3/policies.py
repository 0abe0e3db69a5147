"""Bucket policies: PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy."""

import dataclasses
import json
from typing import Any

from passrole.faults import Fault
from passrole.identities import principals
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import records
from passrole.services.s3.names import bucket_arn
from passrole.services.s3.records import BUCKETS, bucket_of, its_policy, the_bucket
from passrole.store import Tx

POLICY_BYTES_MAX = 20 * 1024


@operation(
    "s3:PutBucketPolicy",
    resource=the_bucket,
    resource_policy=its_policy,
    ignores=("checksum_algorithm", "confirm_remove_self_bucket_access", "content_md5"),
)
async def put_bucket_policy(
    ctx: Context, *, bucket: str, policy: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Attach a policy to a bucket, in place of the one it has."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    _check(policy, bucket)

    def attach(tx: Tx) -> None:
        try:
            _attach(tx, bucket, principals.with_unique_ids(tx, ctx.account, policy))
        except principals.UnknownPrincipal as unknown:
            raise _malformed("Invalid principal in policy", Detail=f'"AWS" : "{unknown.name}"') from None

    await ctx.store.write(attach)
    return {}


@operation("s3:GetBucketPolicy", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_policy(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """The policy with its users and roles by ARN; those that are gone, by their unique ids."""
    policy = (await bucket_of(ctx, bucket, expected_bucket_owner)).policy
    if policy is None:
        message = "The bucket policy does not exist"
        raise Fault("NoSuchBucketPolicy", message, status=404, members={"BucketName": bucket})
    return {"Policy": await ctx.store.read(lambda tx: principals.WithArns(tx, ctx.account)(policy))}


@operation("s3:DeleteBucketPolicy", resource=the_bucket, resource_policy=its_policy)
async def delete_bucket_policy(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Take the policy away, if there is one."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    await ctx.store.write(lambda tx: _attach(tx, bucket, None))
    return {}


def _attach(tx: Tx, name: str, policy: str | None) -> None:
    BUCKETS.put(tx, name, dataclasses.replace(records.existing(tx, name), policy=policy))


def _check(policy: str, bucket: str) -> None:
    if len(policy.encode(errors="surrogatepass")) > POLICY_BYTES_MAX:
        raise _malformed("Policy exceeds the maximum allowed document size.")
    try:
        parse_document(policy, "resource")
    except MalformedPolicyDocument as error:
        raise _malformed(error.message) from None
    statements = json.loads(policy)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        resources = statement.get("Resource", statement.get("NotResource", []))
        for resource in [resources] if isinstance(resources, str) else resources:
            if resource != bucket_arn(bucket) and not resource.startswith(f"{bucket_arn(bucket)}/"):
                raise _malformed("Policy has invalid resource")


def _malformed(message: str, **members: str) -> Fault:
    return Fault("MalformedPolicy", message, status=400, members=members)
