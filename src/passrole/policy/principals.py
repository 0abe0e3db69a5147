"""Compiles Principal elements: whom they name, and how directly.

Directness matters: within one account a resource-based policy that names a user or a session grants alone and
bypasses the boundary and the session policies; one that names the role is still limited by those; one that
names the account only delegates to the account's own policies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html

A Deny works differently: anybody it names is denied, and a NotPrincipal excepts a caller only if it names the
account, the role, and the user or session itself.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from passrole.policy.request import Principal

_EVERYONE: Final = "*"
_ACCOUNT_ID_DIGITS: Final = 12


class Reach(IntEnum):
    """How directly a Principal element names the caller; each level includes the lower ones."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


@dataclass(frozen=True, slots=True)
class Principals:
    """A compiled Principal or NotPrincipal element.

    `by_arn`: a condition of the statement names principals by `aws:PrincipalArn`, which together with the
    Principal `*` is as direct as naming the session.
    """

    names: frozenset[str]
    services: frozenset[str]
    everyone: bool
    negated: bool
    by_arn: bool = False

    def reach(self, principal: Principal) -> Reach:
        """How directly an Allow with this element names `principal`."""
        reach = self._named(principal)
        if self.negated:
            return Reach.NONE if reach else Reach.ROLE
        return reach

    def denies(self, principal: Principal, bounded: bool) -> bool:
        """Whether a Deny with this element applies to `principal`; `bounded`: it has a permissions boundary.

        "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions
        boundary policy attached, regardless of the values specified in the NotPrincipal element."
        """
        if self.negated:
            return bounded or not self._excepts(principal)
        if self.everyone:
            return True
        every_service = principal.kind == "service" and _EVERYONE in self.services
        return every_service or self._named(principal) is not Reach.NONE

    def _named(self, principal: Principal) -> Reach:
        if principal.kind == "service":
            named = principal.name in self.services
            return Reach.DIRECT if named else min(Reach.ROLE, self._as_everyone())
        if principal.arn in self.names or principal.id in self.names:
            return Reach.DIRECT
        # The part of a session's id before the colon is the id of its role.
        role_id, _, session = principal.id.partition(":")
        if principal.role_arn in self.names or (session and role_id in self.names):
            return Reach.ROLE
        if principal.account in self.names:
            return Reach.DIRECT if principal.kind == "root" else max(Reach.ACCOUNT, self._as_everyone())
        return self._as_everyone()

    def _as_everyone(self) -> Reach:
        # AWS does not document whether `*` alone bypasses a boundary; here it does not.
        # "Permissions boundaries and session policies do not limit permissions granted using the
        # aws:PrincipalArn condition key with a wildcard(*) in the Principal element."
        return (Reach.DIRECT if self.by_arn else Reach.ROLE) if self.everyone else Reach.NONE

    def _excepts(self, principal: Principal) -> bool:
        """Whether a NotPrincipal names the caller's account, role, and user or session."""
        if self.everyone:
            return True
        if principal.kind == "service":
            return principal.name in self.services
        if principal.account not in self.names:
            return False
        if principal.kind == "root":
            return True
        role_id, _, session = principal.id.partition(":")
        itself = principal.arn in self.names or principal.id in self.names
        role = not session or principal.role_arn in self.names or role_id in self.names
        return itself and role


def compile_principals(element: object, *, negated: bool, by_arn: bool = False) -> Principals:
    """Compile an element of parsed JSON: `"*"`, or names under AWS, Service, Federated, CanonicalUser.

    `*` inside an ARN is no wildcard here. passrole has no federated and canonical users, so these match
    nobody.
    """
    kinds = element if isinstance(element, Mapping) else {"AWS": element}
    names = frozenset(_normal(name) for name in _texts(kinds.get("AWS")))
    return Principals(
        names=names - {_EVERYONE},
        services=frozenset(_texts(kinds.get("Service"))),
        everyone=_EVERYONE in names,
        negated=negated,
        by_arn=by_arn,
    )


def is_account_id(text: str) -> bool:
    """Whether the text is an account id of twelve digits."""
    return len(text) == _ACCOUNT_ID_DIGITS and text.isascii() and text.isdigit()


def _normal(name: str) -> str:
    """`arn:aws:iam::<account>:root` means the account, like its bare id."""
    parts = name.split(":")
    is_root = len(parts) == 6 and parts[2] == "iam" and parts[5] == "root"
    return parts[4] if is_root else name


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return [text for text in values if isinstance(text, str)]
