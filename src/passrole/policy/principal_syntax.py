"""Checks Principal elements, with AWS's messages. It does not know the kinds of document.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from collections.abc import Mapping
from typing import Final

from passrole.policy.elements import Statement, texts
from passrole.policy.principals import is_account_id
from passrole.policy.scope import split_arn

_PRINCIPAL_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_UNIQUE_ID_PREFIXES: Final = ("AIDA", "AROA")


def required_principal(statement: Statement) -> str | None:
    element = statement.get("Principal", statement.get("NotPrincipal"))
    if element is None:
        return "Missing required field Principal"
    if element in ("", [], {}):
        return "Missing required field Principal cannot be empty!"
    return _principal(element)


def no_allow_by_exception(statement: Statement) -> str | None:
    """AWS: `NotPrincipal must be used with "Effect":"Deny"`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    allows = statement.get("Effect") == "Allow"
    return "Allow with NotPrincipal is not allowed." if allows and "NotPrincipal" in statement else None


def no_exception(statement: Statement) -> str | None:
    return "Has prohibited field NotPrincipal" if "NotPrincipal" in statement else None


def foreign_principal(statement: Statement, partitions: frozenset[str]) -> str | None:
    element = statement.get("Principal", statement.get("NotPrincipal"))
    names = texts(element.get("AWS", [])) if isinstance(element, Mapping) else None
    for name in names or ():
        if name.startswith("arn:") and split_arn(name)[1] not in partitions:
            return _invalid_principal(name)
    return None


def _principal(element: object) -> str | None:
    if element == "*":
        return None
    if not isinstance(element, Mapping) or not element.keys() <= _PRINCIPAL_KINDS:
        return "Invalid principal in policy"
    for kind, value in element.items():
        names = texts(value)
        if names is None:
            return "Invalid principal in policy"
        for name in names:
            if kind == "AWS" and not _is_aws_principal(name):
                return _invalid_principal(name)
    return None


def _is_aws_principal(name: str) -> bool:
    if name == "*" or is_account_id(name) or name.startswith(_UNIQUE_ID_PREFIXES):
        return True
    parts = name.split(":", 5)
    # "You cannot use a wildcard to match part of a principal name or ARN."
    return len(parts) == 6 and parts[0] == "arn" and parts[2] in ("iam", "sts") and "*" not in name


def _invalid_principal(name: str) -> str:
    return f'Invalid principal in policy: "AWS":"{name}"'
