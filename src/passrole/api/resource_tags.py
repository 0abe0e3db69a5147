"""Tags of the resource that a call is about, as condition keys: `aws:ResourceTag/team`.

They are read only where a policy that applies asks for some, because most never do and every call would wait
for the read. It knows who keeps tags and decides nothing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
"""

from collections.abc import Awaitable, Callable, Mapping

from passrole import arns
from passrole.policy import PolicySet
from passrole.policy.request import Values
from passrole.services import Context, Permission, iam, lambda_, sagemaker, sqs

TagsOf = Callable[[Context, str], Awaitable[Mapping[str, str]]]

# "You cannot limit permissions to pass a role based on tags attached to that role."
_WITHOUT = frozenset({"iam:PassRole"})


async def resource_tag_keys(
    context: Context, permission: Permission, policies: PolicySet
) -> Mapping[str, Values]:
    """The keys, under AWS's name and those of the service's own; none where no policy asks for any."""
    if not policies.asks_for_resource_tags or permission.action in _WITHOUT:
        return {}
    arn = arns.parse(permission.resource)
    tags_of = _TAGS_OF.get(arn.service) if arn else None
    if arn is None or tags_of is None:
        return {}
    tags = await tags_of(context, permission.resource)
    prefixes = ("aws", *_OWN_PREFIXES.get(arn.service, ()))
    return {f"{prefix}:ResourceTag/{key}": value for prefix in prefixes for key, value in tags.items()}


# By the service of the ARN. EMR's operations bring their clusters' tags themselves.
_TAGS_OF: Mapping[str, TagsOf] = {
    "iam": iam.tags.tags_of,
    "lambda": lambda_.tagging.tags_of,
    "sagemaker": sagemaker.tags.tags_of,
    "sqs": sqs.tags.tags_of,
}
_OWN_PREFIXES: Mapping[str, tuple[str, ...]] = {"iam": ("iam",), "sagemaker": ("sagemaker",)}
