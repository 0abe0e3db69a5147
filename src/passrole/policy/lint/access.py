"""Rules about access: Allow with exceptions, roles that anybody may assume, iam:PassRole of any role."""

from collections.abc import Iterator, Mapping
from typing import Final

from passrole.policy.elements import texts
from passrole.policy.lint.findings import Element, StatementRule, allows, keys_of, listed
from passrole.policy.matching import action_matcher
from passrole.policy.scope import split_arn
from passrole.policy.syntax import DocumentKind

PASSING: Final = "iam:passrole"
PASSED_TO: Final = "iam:passedtoservice"

# Keys that identify the caller, or the resource for which a service acts.
_WHO: Final = frozenset(
    {
        *("aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"),
        *("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:userid"),
        *("sts:externalid", "aws:principaltype"),
    }
)


def _allows_the_rest(element: Element, _kind: DocumentKind) -> Iterator[str]:
    if not allows(element):
        return
    for name, rest in (("NotResource", "every resource"), ("NotAction", "every action")):
        if name in element:
            yield f"an Allow with {name} allows {rest} except those listed, including future ones"


def _passes_any_role(element: Element, kind: DocumentKind) -> Iterator[str]:
    if kind in ("resource", "trust") or not allows(element) or "NotAction" in element:
        return
    covers = any(action_matcher(text)(PASSING) for text in listed(element, "Action"))
    if covers and PASSED_TO not in keys_of(element) and any(map(is_every_role, listed(element, "Resource"))):
        yield (
            "it allows iam:PassRole of every role to every service; name the roles, or add the condition "
            "iam:PassedToService"
        )


def is_every_role(resource: str) -> bool:
    """Whether a Resource covers roles of any name."""
    segments = split_arn(resource)
    if len(segments) < 6:
        return resource == "*" or segments[2:3] == ["iam"]
    return segments[2] == "iam" and segments[5] in ("*", "role/*")


def _trusts_anybody(element: Element, kind: DocumentKind) -> Iterator[str]:
    if kind != "trust" or not allows(element) or not _WHO.isdisjoint(keys_of(element)):
        return
    principal = element.get("Principal")
    if principal == "*" or (
        isinstance(principal, Mapping) and "*" in (texts(principal.get("AWS", [])) or [])
    ):
        yield (
            "anybody in any account may assume the role; name accounts, roles or services as Principal, or"
            " add a condition on aws:PrincipalOrgID or aws:PrincipalArn"
        )


def _excepts_by_not_principal(element: Element, _kind: DocumentKind) -> Iterator[str]:
    if "NotPrincipal" in element:
        yield (
            "NotPrincipal denies everybody who has a permissions boundary, and sessions whose own ARN is not"
            ' named; use "Principal": "*" with ArnNotEquals on aws:PrincipalArn'
        )


RULES: Final[Mapping[str, StatementRule]] = {
    "PR301": _allows_the_rest,
    "PR302": _passes_any_role,
    "PR303": _trusts_anybody,
    "PR304": _excepts_by_not_principal,
}
