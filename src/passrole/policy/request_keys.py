"""The global condition keys of a call, from its properties and its tags.

It knows no service. `needs` (for predicted requests) and `api` and `services` (for real ones) use the same
code, so that both have the same keys.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Mapping, Sequence
from typing import Final

from passrole import iso8601
from passrole.policy.request import Values

# "You cannot limit permissions to pass a role based on tags attached to that role."
WITHOUT_RESOURCE_TAGS: Final = frozenset({"iam:PassRole"})


def call_keys(
    region: str,
    *,
    secure: bool,
    via_service: bool = False,
    user_agent: str | None = None,
    source_ip: str | None = None,
) -> dict[str, Values]:
    """The global keys of the call itself; an unknown property gives no key.

    aws:CalledVia is never set: AWS lists the services that set it, and none of ours is among them.
    """
    keys: dict[str, Values] = {
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true" if secure else "false",
        "aws:ViaAWSService": "true" if via_service else "false",
    }
    if user_agent is not None:
        keys["aws:UserAgent"] = user_agent
    if source_ip is not None:
        keys["aws:SourceIp"] = source_ip
    return keys


def source_keys(arn: str, account: str) -> dict[str, Values]:
    """The keys of a service's call on behalf of a resource, against the confused deputy problem.

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    return {"aws:SourceArn": arn, "aws:SourceAccount": account}


def time_keys(now: int) -> dict[str, Values]:
    """The keys of a time, in seconds since the epoch."""
    return {"aws:CurrentTime": iso8601.seconds(now), "aws:EpochTime": str(now)}


def request_tag_keys(tags: Mapping[str, str], prefixes: Sequence[str] = ("aws",)) -> dict[str, Values]:
    """The keys of the tags in a request, under each of the `prefixes`; none without tags."""
    keys: dict[str, Values] = {"aws:TagKeys": tuple(tags)} if tags else {}
    return {**keys, **_tag_keys("RequestTag", tags, prefixes)}


def resource_tag_keys(tags: Mapping[str, str], prefixes: Sequence[str] = ("aws",)) -> dict[str, Values]:
    """The keys of a resource's tags."""
    return _tag_keys("ResourceTag", tags, prefixes)


def _tag_keys(kind: str, tags: Mapping[str, str], prefixes: Sequence[str]) -> dict[str, Values]:
    return {f"{prefix}:{kind}/{key}": value for prefix in prefixes for key, value in tags.items()}
