"""Checks the Resource of an identity-based policy, with AWS's messages.

It knows no statements and no requests. An incomplete ARN is valid: AWS completes it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from collections.abc import Mapping
from typing import Final

from passrole.policy.scope import split_arn

LEGACY: Final = "The policy failed legacy parsing"

OWN_PARTITION: Final = frozenset({"aws"})
PARTITIONS: Final = OWN_PARTITION | {
    *("aws-cn", "aws-us-gov", "aws-eusc"),
    *("aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"),
}
"""All partitions: a file to lint may be for any of them, a document sent to the API only for our own."""

_ARN_SEGMENTS: Final = 6
_ANY: Final = "*"
_REGIONLESS: Final[Mapping[str, str]] = {
    "iam": "IAM resource {} cannot contain region information.",
    "s3": "Resource {} can not contain region information.",
}
# Resources of S3 that have a region and an account.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_S3_REGIONAL: Final = ("accesspoint/", "job/", "storage-lens", "access-grants/", "async-request/", "*")
_IAM_PATHS: Final = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/"),
    *("policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
)
_IAM_PATH: Final = f'IAM resource path must either be "*", root, or start with {", ".join(_IAM_PATHS)}.'
_VENDOR: Final = "Resource vendor must be fully qualified and cannot contain regexes."


def unparsable(text: str) -> bool:
    """Whether IAM's legacy parser fails: an ARN without a service, or a short one with an empty segment."""
    segments = split_arn(text)
    if segments[0] != "arn" or len(segments) < 3:
        return False
    return not segments[2] or (len(segments) < _ARN_SEGMENTS and "" in segments)


def malformed(text: str) -> str | None:
    """AWS's message for an invalid ARN in any partition; None if it is valid."""
    if text == _ANY:
        return None
    scheme, colon, _ = text.partition(":")
    if not colon:
        return f'Resource {text} must be in ARN format or "*".'
    segments = split_arn(text)
    if scheme != "arn":
        return _not_a_partition(segments)
    service, region, account, resource = (*segments[2:], "", "", "", "")[:4]
    if not service or not {"*", "?"}.isdisjoint(service):
        return _VENDOR
    if _has_stray_region(service, region, account, resource, len(segments)):
        return _REGIONLESS[service].format(text)
    if service == "iam" and len(segments) == _ARN_SEGMENTS and not _is_iam_path(resource):
        return _IAM_PATH
    return None


def foreign(text: str, partitions: frozenset[str]) -> str | None:
    """AWS's message for an ARN of another partition; None if it is of ours."""
    segments = split_arn(text)
    own = text == _ANY or segments[1] in partitions or segments[1] == _ANY
    return None if own else _not_a_partition(segments)


def _not_a_partition(segments: list[str]) -> str:
    """IAM takes the text after the first colon for the partition, and fills missing segments with `*`."""
    partition, *rest = segments[1:]
    filled = [*rest, *[_ANY] * (_ARN_SEGMENTS - 2 - len(rest))]
    return f'Partition "{partition}" is not valid for resource "arn:{partition}:{":".join(filled)}".'


def _has_stray_region(service: str, region: str, account: str, resource: str, size: int) -> bool:
    if service not in _REGIONLESS or not region:
        return False
    if size < _ARN_SEGMENTS and region == _ANY:
        return False
    return service == "iam" or not account or not resource.startswith(_S3_REGIONAL)


def _is_iam_path(resource: str) -> bool:
    # A variable may be the path; AWS does not document otherwise.
    return resource in (_ANY, "root") or resource.startswith((*_IAM_PATHS, "${"))
