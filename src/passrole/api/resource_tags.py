"""Tags of the resource that a call is about, as condition keys: `aws:ResourceTag/team`.

They are read only where a policy that applies asks for some, because most never do and every call would wait
for the read. It knows who keeps tags and decides nothing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
"""

from collections.abc import Awaitable, Callable, Mapping

from passrole import arns
from passrole.policy import PolicySet, request_keys
from passrole.policy.request import Values
from passrole.services import Context, Permission, events, iam, lambda_, s3, sagemaker, sqs

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
    """The keys, under AWS's name and those of the service's own; none where no policy asks for any."""
    if not policies.reads_resource_tags or permission.action in _UNTAGGED:
        return {}
    arn = arns.parse(permission.resource)
    tags_of = _TAGS_OF.get(arn.service) if arn else None
    if arn is None or tags_of is None:
        return {}
    tags = await tags_of(context, permission.resource)
    prefixes = _PREFIXES.get(arn.service, _PREFIXES_ELSEWHERE)
    if arn.service == "iam" and not arn.resource.startswith(_ENTITIES):
        prefixes = _PREFIXES_ELSEWHERE
    return {f"{prefix}{key}": value for prefix in prefixes for key, value in tags.items()}


# By the service of the ARN. EMR's operations bring their clusters' tags themselves.
_TAGS_OF: Mapping[str, TagsOf] = {
    "events": events.tags.tags_of,
    "iam": iam.tags.tags_of,
    "lambda": lambda_.tags.tags_of,
    "s3": s3.stored_tags.tags_of,
    "sagemaker": sagemaker.tags.tags_of,
    "sqs": sqs.tags.tags_of,
}
# "Filters access by the tags attached to an IAM entity (user or role)"; policies and profiles are none.
_ENTITIES = ("role/", "user/")
_PREFIXES_ELSEWHERE = ("aws:ResourceTag/",)
# Tags of objects are under S3's own name alone, and do not count for what writes or deletes the object.
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "iam": ("aws:ResourceTag/", "iam:ResourceTag/"),
    "s3": ("s3:ExistingObjectTag/",),
    "sagemaker": ("aws:ResourceTag/", "sagemaker:ResourceTag/"),
}
