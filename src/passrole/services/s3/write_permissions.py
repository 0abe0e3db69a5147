"""Condition keys and further permissions of calls that write an object.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Permission
from passrole.services.s3 import copy_sources, names, object_headers, stored_tags
from passrole.services.s3.records import header_keys, its_policy, the_object, version_keys

Parameters = Mapping[str, Any]

_CREATES = "s3:ObjectCreationOperation"


def creation_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The keys of PutObject, CopyObject and CompleteMultipartUpload."""
    return {_CREATES: "true", **_keys(ctx, parameters)}


def upload_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The keys of calls that only prepare an object, and take no condition on one.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    return {_CREATES: "false", **_keys(ctx, parameters)}


def tag_and_acl_permissions(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """Who writes an object with tags needs s3:PutObjectTagging as well; with an ACL, s3:PutObjectAcl.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    tags = object_headers.header_tags(parameters.get("tagging"))
    tagging = [_tagging_permission(ctx, parameters, tags)] if tags else []
    return [*_acl_permissions(ctx, parameters), *tagging]


async def copy_permissions(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """A copy of an object with tags reads those and writes them; one that replaces them writes its own.

    That the caller may read the source is asked first, so that nobody else learns whether it has tags.
    """
    if object_headers.directive(parameters.get("tagging_directive"), "tagging"):
        return tag_and_acl_permissions(ctx, parameters)
    bucket, key = copy_sources.named(parameters["copy_source"])
    tags = await stored_tags.existing(ctx, bucket, key)
    controlling = _acl_permissions(ctx, parameters)
    if not tags:
        return controlling
    source, policy = names.object_arn(bucket, key), await its_policy(ctx, {"bucket": bucket})
    version = copy_sources.version(parameters["copy_source"])
    of = "Object" if version is None else "ObjectVersion"
    version_key = version_keys(ctx, {"version_id": version})
    reading = [
        Permission(action, source, version_key, policy) for action in (f"s3:Get{of}", f"s3:Get{of}Tagging")
    ]
    return (*reading, *controlling, _tagging_permission(ctx, parameters, tags))


def request_tags(tags: Mapping[str, str]) -> Mapping[str, Values]:
    """The condition keys of tags in a call."""
    keys = {f"s3:RequestObjectTag/{name}": value for name, value in tags.items()}
    return {"s3:RequestObjectTagKeys": tuple(tags), **keys} if tags else {}


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    keys = dict(header_keys(ctx, parameters))
    source = parameters.get("copy_source")
    if source is not None:
        keys["s3:x-amz-copy-source"] = "/".join(copy_sources.named(source))
    copies_tags = source is not None and not object_headers.directive(
        parameters.get("tagging_directive"), "tagging"
    )
    return (
        keys
        if copies_tags
        else {**keys, **request_tags(object_headers.header_tags(parameters.get("tagging")))}
    )


def _acl_permissions(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """An ACL that is empty is none, as s3fs sends it."""
    if not parameters.get("acl"):
        return ()
    keys = header_keys(ctx, {name: parameters.get(name) for name in ("acl", "storage_class")})
    return (Permission("s3:PutObjectAcl", the_object(ctx, parameters), keys),)


def _tagging_permission(ctx: Context, parameters: Parameters, tags: Mapping[str, str]) -> Permission:
    return Permission("s3:PutObjectTagging", the_object(ctx, parameters), request_tags(tags))
