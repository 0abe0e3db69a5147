"""Who a Principal element names, and how directly.

It knows no statement. How directly matters: within one account a resource-based policy that names a user or
a session grants by itself and passes over the boundary and the session policy; one that names the role is
still limited by those; one that names the account only hands the predicate to the account's own policies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html

A Deny is asked differently: whoever is named at all is denied, and a NotPrincipal excepts a caller only where
it names all that AWS may look at: the account, the role, and the user or session itself.
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
    """How directly a Principal element names the caller; each grade does all that the lower ones do."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


@dataclass(frozen=True, slots=True)
class Principals:
    """A compiled Principal or NotPrincipal element.

    `by_arn` says that a condition of the statement names principals by `aws:PrincipalArn`: with `*` as
    Principal that is as direct as to name the session.
    """

    names: frozenset[str]
    services: frozenset[str]
    everyone: bool
    negated: bool
    by_arn: bool = False

    def reach(self, principal: Principal) -> Reach:
        """How directly an Allow with the element names `principal`."""
        reach = self._named(principal)
        if self.negated:
            return Reach.NONE if reach else Reach.ROLE
        return reach

    def denies(self, principal: Principal, bounded: bool) -> bool:
        """Whether a Deny with the element is about `principal`, which has a boundary or not.

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
        # AWS does not say whether `*` alone passes over a boundary; the careful reading is that it does not.
        # "Permissions boundaries and session policies do not limit permissions granted using the
        # aws:PrincipalArn condition key with a wildcard(*) in the Principal element."
        return (Reach.DIRECT if self.by_arn else Reach.ROLE) if self.everyone else Reach.NONE

    def _excepts(self, principal: Principal) -> bool:
        """Whether a NotPrincipal names all that the caller is."""
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
    """The element as JSON holds it: `"*"` or lists of names under AWS, Service, Federated, CanonicalUser.

    `*` inside an ARN is no wildcard here. Federated and canonical users name nobody: passrole has neither.
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
    """Whether the text is an account's twelve digits."""
    return len(text) == _ACCOUNT_ID_DIGITS and text.isascii() and text.isdigit()


def _normal(name: str) -> str:
    """`arn:aws:iam::<account>:root` means the account, exactly as its bare id does."""
    parts = name.split(":")
    is_root = len(parts) == 6 and parts[2] == "iam" and parts[5] == "root"
    return parts[4] if is_root else name


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return [text for text in values if isinstance(text, str)]
