"""Users and roles in resource-based and trust policies: stored by unique id, returned by ARN.

A policy grants to the user or role that exists now, not to a later one of the same name. So an ARN is
replaced by the unique id when the document is stored, and by the ARN again when it is returned; the id of a
deleted identity is returned as it is. A document that names an unknown user or role is refused.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles

The services word the refusal. Documents stored by earlier versions hold ARNs, which the evaluator accepts
too. Users and roles of other accounts are unknown here and stay ARNs.
"""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from passrole import arns
from passrole.arns import Account
from passrole.identities import records
from passrole.identities.records import Role, User
from passrole.policy.elements import statements
from passrole.store import Tx

USER_ID, ROLE_ID = "AIDA", "AROA"
_IDS = (USER_ID, ROLE_ID)
_SESSION = "assumed-role"


class UnknownPrincipal(Exception):
    """The document names a user, role or unique id that does not exist: `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def with_unique_ids(tx: Tx, account: Account, document: str) -> str:
    """A checked document (JSON) with unique ids in place of ARNs. Raises UnknownPrincipal."""
    return _rewritten(document, lambda name: unique_id_of(tx, account, name))


class WithArns:
    """Replaces unique ids by ARNs, in one transaction: `WithArns(tx, account)(document)`."""

    def __init__(self, tx: Tx, account: Account) -> None:
        self._tx = tx
        self._account = account

    def __call__(self, document: str) -> str:
        """The document with the ARNs of existing identities; unchanged if it has no unique id."""
        has_ids = any(f'"{prefix}' in document for prefix in _IDS)
        return _rewritten(document, self.name) if has_ids else document

    @cached_property
    def _known(self) -> Mapping[str, User | Role]:
        return _by_id(self._tx, self._account)

    def name(self, name: str) -> str:
        """The ARN of one principal; what is no unique id of an existing identity is as it was."""
        if not name.startswith(_IDS):
            return name
        unique, _, session = name.partition(":")
        row = self._known.get(unique)
        if row is None:
            return name
        return arns.assumed_role(row.account, row.name, session) if session else row.arn


def unique_id_of(tx: Tx, account: Account, name: str) -> str:
    """The stored form of one name of a Principal element. Raises UnknownPrincipal."""
    if name.startswith(_IDS):
        if name.partition(":")[0] not in _by_id(tx, account):
            raise UnknownPrincipal(name)
        return name
    arn = arns.parse(name)
    if arn is None or arn.account != account or (arn.service, arn.resource) == ("iam", "root"):
        return name
    noun, _, rest = arn.resource.partition("/")
    if noun == _SESSION:
        role_name, _, session = rest.partition("/")
        role = records.find(tx, records.ROLES, account, role_name)
        if role is None or name != arns.assumed_role(account, role_name, session):
            raise UnknownPrincipal(name)
        return f"{role.id}:{session}"
    if arn.service == "sts":
        return name  # a federated user has no row
    found: User | Role | None = None
    if noun == "user":
        found = records.find_arn(tx, records.USERS, name)
    elif noun == "role":
        found = records.find_arn(tx, records.ROLES, name)
    if found is None:
        raise UnknownPrincipal(name)
    return found.id


def _by_id(tx: Tx, account: Account) -> Mapping[str, User | Role]:
    rows: list[User | Role] = [*records.every(tx, records.USERS, account)]
    rows += records.every(tx, records.ROLES, account)
    return {row.id: row for row in rows}


def _rewritten(document: str, change: Callable[[str], str]) -> str:
    """The document with its AWS principals replaced; the same text if none changes."""
    read: dict[str, Any] = json.loads(document)
    changed = False
    for statement in statements(read):
        for element in ("Principal", "NotPrincipal"):
            named = statement.get(element)
            given = named.get("AWS") if isinstance(named, dict) else None
            if isinstance(named, dict) and given is not None:
                named["AWS"] = after = _changed(given, change)
                changed = changed or after != given
    return json.dumps(read, separators=(",", ":"), ensure_ascii=False) if changed else document


def _changed(given: object, change: Callable[[str], str]) -> object:
    if isinstance(given, list):
        return [_changed(name, change) for name in given]
    return change(given) if isinstance(given, str) else given
