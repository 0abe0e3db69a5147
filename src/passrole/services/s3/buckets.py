"""CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from passrole import trees
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Permission, operation
from passrole.services.pages import wanted_rows
from passrole.services.s3 import folders, names, paging, records, rows
from passrole.services.s3.key_order import KeyWalk
from passrole.services.s3.multipart_uploads import delete_uploads
from passrole.services.s3.records import BUCKETS, Bucket, bucket_of, header_keys, its_policy, the_bucket
from passrole.services.s3.refusals import invalid_argument, not_implemented
from passrole.services.s3.temporary_files import work
from passrole.services.s3.turns import changed, turn_alone
from passrole.store import Tx
from passrole.wire.descriptions import service_model

FIRST_REGION = "us-east-1"  # the one that is no location constraint
PAGE_MAX = 10_000
_OLD_NAMES = {"EU": "eu-west-1"}


def creation_keys(ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition keys of a call that says where its bucket shall be, and whose its objects."""
    given = (parameters.get("create_bucket_configuration") or {}).get("LocationConstraint")
    location: Mapping[str, Values] = {"s3:locationconstraint": given} if given else {}
    return {**header_keys(ctx, parameters), **location}


def _acl_permissions(ctx: Context, parameters: Mapping[str, Any]) -> Sequence[Permission]:
    """What else CreateBucket asks for: an ACL that is not private, and who owns the objects.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    bucket, acl = the_bucket(ctx, parameters), parameters.get("acl")
    of_acl = (
        [Permission("s3:PutBucketAcl", bucket, {"s3:x-amz-acl": acl})] if acl and acl != "private" else []
    )
    if not parameters.get("object_ownership"):
        return of_acl
    return [*of_acl, Permission("s3:PutBucketOwnershipControls", bucket)]


@operation("s3:CreateBucket", resource=the_bucket, keys=creation_keys, also=_acl_permissions)
async def create_bucket(
    ctx: Context,
    *,
    bucket: str,
    acl: str | None = None,
    create_bucket_configuration: Mapping[str, Any] | None = None,
    object_ownership: str | None = None,
) -> dict[str, Any]:
    """Create a bucket and its folder; a folder of that name that is there already becomes the bucket's."""
    names.check_bucket(bucket)
    if acl not in (None, "", "private"):
        message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Fault("InvalidBucketAclWithObjectOwnership", message, status=400)
    if object_ownership not in (None, "BucketOwnerEnforced"):
        raise not_implemented()
    region = _location(ctx, create_bucket_configuration or {})
    created = Bucket(bucket, ctx.account, region, ctx.clock())
    root = records.root(ctx, bucket)

    def create(tx: Tx) -> None:
        existing = BUCKETS.get(tx, bucket)
        if existing is None:
            BUCKETS.put(tx, bucket, created)
        elif not region == existing.region == FIRST_REGION:  # there, S3 says yes again, as it always did
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise Fault("BucketAlreadyOwnedByYou", message, status=409, members={"BucketName": bucket})

    async with turn_alone(root):
        await changed(partial(root.mkdir, parents=True, exist_ok=True))
        await ctx.store.write(create)
    await asyncio.to_thread(folders.sync, root.parent.parent, (root.parent.name,))
    # From the first region, S3 names the bucket of another one by its host.
    location = f"/{bucket}" if region == ctx.region else f"http://{bucket}.s3.amazonaws.com/"
    return {"Location": location, "BucketArn": names.bucket_arn(bucket)}


@operation("s3:ListBucket", resource=the_bucket, resource_policy=its_policy)
async def head_bucket(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Whether there is the bucket, and where."""
    return {"BucketRegion": (await bucket_of(ctx, bucket, expected_bucket_owner)).region}


@operation("s3:GetBucketLocation", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_location(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """The region; nothing for us-east-1, as S3 has it."""
    region = (await bucket_of(ctx, bucket, expected_bucket_owner)).region
    return {} if region == FIRST_REGION else {"LocationConstraint": region}


@operation("s3:DeleteBucket", resource=the_bucket, resource_policy=its_policy)
async def delete_bucket(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Delete a bucket that has no object, and its folder."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    root = records.root(ctx, bucket)

    def check(tx: Tx) -> None:
        records.existing(tx, bucket)
        if KeyWalk(root, rows.markers(tx, bucket, "")).next_key() is not None:
            message = "The bucket you tried to delete is not empty"
            raise Fault("BucketNotEmpty", message, status=409, members={"BucketName": bucket})

    def delete(tx: Tx) -> list[str]:
        rows.delete_bucket(tx, bucket)
        BUCKETS.delete(tx, bucket)
        return delete_uploads(tx, bucket)

    async with turn_alone(root):
        await ctx.store.read(check)
        await changed(partial(_remove_folders, root))
        uploads = await ctx.store.write(delete)
    for upload in uploads:
        await asyncio.to_thread(trees.remove, work(ctx, upload))
    return {}


@operation("s3:ListAllMyBuckets")
async def list_buckets(
    ctx: Context,
    *,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> dict[str, Any]:
    """The buckets by name; in pages only where MaxBuckets is given."""
    if max_buckets is not None and not 1 <= max_buckets <= PAGE_MAX:
        message = f"Argument max-buckets must be an integer between 1 and {PAGE_MAX}"
        raise invalid_argument(message, "max-buckets", max_buckets)
    limit = max_buckets or PAGE_MAX
    buckets = await ctx.store.read(
        lambda tx: wanted_rows(
            lambda after, limit: BUCKETS.within(tx, begins=prefix or "", after=after, limit=limit),
            lambda each: bucket_region in (None, each.region),
            after="" if continuation_token is None else paging.last_of("", continuation_token),
            limit=limit + 1,
        )
    )
    page = buckets[:limit]
    answer: dict[str, Any] = {
        "Buckets": [
            {"Name": each.name, "CreationDate": each.created, "BucketRegion": each.region} for each in page
        ],
        "Owner": {"ID": ctx.account},
    }
    if len(buckets) > len(page):
        answer["ContinuationToken"] = paging.cursor("", page[-1].name)
    return answer | ({"Prefix": prefix} if prefix else {})


def _location(ctx: Context, configuration: Mapping[str, Any]) -> str:
    """The region that a bucket shall be in.

    The first region makes buckets everywhere, any other only its own; the first is no constraint. Raises
    InvalidLocationConstraint, IllegalLocationConstraintException, NotImplemented.
    """
    if set(configuration) - {"LocationConstraint"}:
        raise not_implemented()
    given = configuration.get("LocationConstraint")
    region = _OLD_NAMES.get(given, given) if given else FIRST_REGION
    if given == FIRST_REGION or region not in (*_regions(), FIRST_REGION, ctx.region):
        message = "The specified location-constraint is not valid"
        members = {"LocationConstraint": given}
        raise Fault("InvalidLocationConstraint", message, status=400, members=members)
    if ctx.region not in (region, FIRST_REGION):
        message = (
            f"The {given or 'unspecified'} location constraint is incompatible for the region specific"
            " endpoint this request was sent to."
        )
        raise Fault("IllegalLocationConstraintException", message, status=400)
    return str(region)


@cache
def _regions() -> frozenset[str]:
    return frozenset(service_model("s3").shape_for("BucketLocationConstraint").metadata["enum"])


def _remove_folders(root: Path) -> None:
    """What is left of a bucket without objects; one that is a link to a folder elsewhere loses the link."""
    if root.is_symlink():
        root.unlink()
        return
    for folder in reversed(list(trees.folders(root))):
        with suppress(OSError):  # what stands in it is no object, and not ours to remove
            folder.rmdir()
