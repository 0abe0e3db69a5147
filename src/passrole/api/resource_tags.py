"""Tags of the resource that a call is about, as condition keys: `aws:ResourceTag/team`.

They are read only if an applicable policy uses them, because most do not and every call would wait for the
read.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
"""

from collections.abc import Awaitable, Callable, Mapping

from passrole import arns
from passrole.policy import PolicySet, request_keys
from passrole.policy.request import Values
from passrole.services import (
    Context,
    Permission,
    emr_serverless,
    events,
    iam,
    kms,
    lambda_,
    s3,
    sagemaker,
    scheduler,
    sqs,
)

TagsOf = Callable[[Context, str], Awaitable[Mapping[str, str]]]

_UNTAGGED = frozenset(
    {
        *request_keys.WITHOUT_RESOURCE_TAGS,
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    }
)


async def resource_tag_keys(
    context: Context, permission: Permission, policies: PolicySet
) -> Mapping[str, Values]:
    """The keys with AWS's prefix and the service's own; none if no policy reads any."""
    if not policies.reads_resource_tags or permission.action in _UNTAGGED:
        return {}
    arn = arns.parse(permission.resource)
    tags_of = _TAGS_OF.get(arn.service) if arn else None
    if arn is None or tags_of is None:
        return {}
    tags = await tags_of(context, permission.resource)
    prefixes = _PREFIXES.get(arn.service, _DEFAULT_PREFIXES)
    if arn.service == "iam" and not arn.resource.startswith(_ENTITIES):
        prefixes = _DEFAULT_PREFIXES
    return {f"{prefix}{key}": value for prefix in prefixes for key, value in tags.items()}


# By the service of the ARN. EMR's operations declare their clusters' tags themselves.
_TAGS_OF: Mapping[str, TagsOf] = {
    "emr-serverless": emr_serverless.tags.tags_of,
    "events": events.tags.tags_of,
    "iam": iam.tags.tags_of,
    "kms": kms.tags.tags_of,
    "lambda": lambda_.tags.tags_of,
    "s3": s3.stored_tags.tags_of,
    "sagemaker": sagemaker.tags.tags_of,
    "scheduler": scheduler.tags.tags_of,
    "sqs": sqs.tags.tags_of,
}
# "Filters access by the tags attached to an IAM entity (user or role)"; policies and profiles are none.
_ENTITIES = ("role/", "user/")
_DEFAULT_PREFIXES = ("aws:ResourceTag/",)
# Object tags have only S3's own prefix, and do not apply to operations that write or delete the object.
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "iam": ("aws:ResourceTag/", "iam:ResourceTag/"),
    "s3": ("s3:ExistingObjectTag/",),
    "sagemaker": ("aws:ResourceTag/", "sagemaker:ResourceTag/"),
}
