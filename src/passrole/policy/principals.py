"""Who a Principal element names, and how directly.

It knows no statement. How directly matters: within one account a resource-based policy that names a user or
a session grants by itself and passes over the boundary and the session policy; one that names the role is
still limited by those; one that names the account only hands the question to the account's own policies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
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
    """A compiled Principal or NotPrincipal element."""

    names: frozenset[str]
    services: frozenset[str]
    everyone: bool
    negated: bool

    def reach(self, principal: Principal) -> Reach:
        """How directly the element names `principal`."""
        reach = self._named(principal)
        if self.negated:
            return Reach.NONE if reach else Reach.ROLE
        return reach

    def _named(self, principal: Principal) -> Reach:
        if principal.kind == "service":
            named = principal.name in self.services
            return Reach.DIRECT if named else self._as_everyone()
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
        # AWS does not say whether `*` passes over a boundary; the careful reading is that it does not.
        return Reach.ROLE if self.everyone else Reach.NONE


def compile_principals(element: object, *, negated: bool) -> Principals:
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
