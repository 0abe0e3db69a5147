"""ARNs of IAM's own things as parameters: their form is checked before anything is looked up.

AWS checks partition, service, region and type of resource; its sentence for a text that is no ARN is
recorded, as is that for another partition. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

import string

from passrole import arns
from passrole.services.iam import refusals

_DIGITS = frozenset(string.digits)
_ACCOUNT_LENGTH = 12


def check_policy(arn: str) -> None:
    """Raises ValidationError unless the text is the ARN of a managed policy, there or not."""
    check(arn)
    parsed = arns.parse(arn)
    kind, slash, name = parsed.resource.partition("/") if parsed else ("", "", "")
    if kind != "policy" or not slash or not name.rpartition("/")[2]:
        raise refusals.wrong_arn(arn)


def check(arn: str) -> None:
    """Raises ValidationError unless the text is an ARN of IAM's."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
        raise refusals.no_arn()
    _, partition, service, region, account, _ = parts
    if partition != arns.PARTITION:
        raise refusals.other_partition()
    is_account = len(account) == _ACCOUNT_LENGTH and set(account) <= _DIGITS
    if service != "iam" or region or not (is_account or account == "aws") or arn != arn.strip():
        raise refusals.wrong_arn(arn)
