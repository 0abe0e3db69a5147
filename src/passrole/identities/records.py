"""Rows of users, access keys, roles, customer managed policies and instance profiles.

It knows neither HTTP nor what a policy means: documents are stored as the JSON text in which they came.

IAM's names are unique in an account regardless of letter case and path, but looked up in their exact case. So
a row's key is account/name in lower case, and `find` compares the name again. Each write calls `changed` in
the same transaction, which clears the caches of identities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from passrole import arns
from passrole.arns import Account
from passrole.store import Collection, Tx

CHANNEL = "identities"
ACTIVE, INACTIVE = "Active", "Inactive"


@dataclass(frozen=True)
class User:
    """`id` is AIDA...; `inline` maps policy names to documents, `attached` and `boundary` are policy ARNs."""

    account: Account
    name: str
    path: str
    id: str
    created: float
    inline: Mapping[str, str] = field(default_factory=dict)
    attached: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    boundary: str | None = None

    @property
    def arn(self) -> str:
        """The user's ARN, as a principal and as a resource."""
        return arns.iam(self.account, "user", self.path, self.name)


@dataclass(frozen=True)
class AccessKey:
    """A user's long-lived key; `status` is Active or Inactive.

    `user_id` is the unique id of its user; keys stored by earlier versions have none.
    """

    id: str
    account: Account
    user: str
    secret: str
    created: float
    status: str = ACTIVE
    user_id: str | None = None


@dataclass(frozen=True)
class Role:
    """`id` is AROA...; `trust` is the trust policy."""

    account: Account
    name: str
    path: str
    id: str
    created: float
    trust: str
    description: str = ""
    session_seconds_max: int = 3600
    inline: Mapping[str, str] = field(default_factory=dict)
    attached: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    boundary: str | None = None

    @property
    def arn(self) -> str:
        """The role's ARN; its sessions have another one (arns.assumed_role)."""
        return arns.iam(self.account, "role", self.path, self.name)


@dataclass(frozen=True)
class ManagedPolicy:
    """A customer managed policy. `default` and `newest` are version numbers; a number is never reused."""

    account: Account
    name: str
    path: str
    id: str
    created: float
    updated: float
    description: str = ""
    default: int = 1
    newest: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The policy's ARN."""
        return arns.iam(self.account, "policy", self.path, self.name)


@dataclass(frozen=True)
class PolicyVersion:
    """One version of a customer managed policy."""

    policy: str
    number: int
    document: str
    created: float


@dataclass(frozen=True)
class InstanceProfile:
    """An instance profile, which passes a role to EC2 instances; it holds at most one role."""

    account: Account
    name: str
    path: str
    id: str
    created: float
    role: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The instance profile's ARN."""
        return arns.iam(self.account, "instance-profile", self.path, self.name)


Named = User | Role | ManagedPolicy | InstanceProfile
N = TypeVar("N", User, Role, ManagedPolicy, InstanceProfile)

USERS = Collection("iam-user", User)
ACCESS_KEYS = Collection("iam-access-key", AccessKey)
ROLES = Collection("iam-role", Role)
POLICIES = Collection("iam-policy", ManagedPolicy)
POLICY_VERSIONS = Collection("iam-policy-version", PolicyVersion)
INSTANCE_PROFILES = Collection("iam-instance-profile", InstanceProfile)


def changed(tx: Tx) -> None:
    """Clear the caches of identities after this transaction is committed."""
    tx.notify(CHANNEL)


def row_key(account: str, name: str) -> str:
    """The key of a row, which is the same for any letter case of its name."""
    return f"{account}/{name.lower()}"


def find(tx: Tx, collection: Collection[N], account: str, name: str) -> N | None:
    """The row with exactly this name, or None."""
    row = collection.get(tx, row_key(account, name))
    return row if row is not None and row.name == name else None


def find_arn(tx: Tx, collection: Collection[N], arn: str) -> N | None:
    """The row with exactly this ARN, or None."""
    parsed = arns.parse(arn)
    row = find(tx, collection, parsed.account, parsed.resource.rsplit("/", 1)[-1]) if parsed else None
    return row if row is not None and row.arn == arn else None


def every(tx: Tx, collection: Collection[N], account: str) -> list[N]:
    """All rows of an account by name."""
    return [row for _, row in collection.within(tx, account)]


def add(tx: Tx, collection: Collection[N], row: N) -> bool:
    """Store a new row; False if the name is taken in any letter case."""
    changed(tx)
    return collection.add(tx, row_key(row.account, row.name), row)


def put(tx: Tx, collection: Collection[N], row: N) -> None:
    """Store a changed row."""
    changed(tx)
    collection.put(tx, row_key(row.account, row.name), row)


def remove(tx: Tx, collection: Collection[N], row: N) -> None:
    """Delete a row."""
    changed(tx)
    collection.delete(tx, row_key(row.account, row.name))


def put_access_key(tx: Tx, key: AccessKey) -> None:
    """Store a key, new or changed."""
    changed(tx)
    ACCESS_KEYS.put(tx, key.id, key)


def remove_access_key(tx: Tx, key: AccessKey) -> None:
    """Delete a key."""
    changed(tx)
    ACCESS_KEYS.delete(tx, key.id)


def access_keys(tx: Tx, user: User) -> list[AccessKey]:
    """A user's keys, oldest first."""
    keys = [key for _, key in ACCESS_KEYS.all(tx) if (key.account, key.user) == (user.account, user.name)]
    return sorted(keys, key=lambda key: key.created)


def policy_versions(tx: Tx, policy: ManagedPolicy) -> list[PolicyVersion]:
    """A policy's versions, newest first, as AWS lists them."""
    return [version for _, version in reversed(POLICY_VERSIONS.children(tx, policy.arn))]


def policy_version(tx: Tx, policy: ManagedPolicy, number: int) -> PolicyVersion | None:
    """One version, or None."""
    return POLICY_VERSIONS.get(tx, _version_key(policy.arn, number))


def put_policy_version(tx: Tx, version: PolicyVersion) -> None:
    """Store a version; the policy's row has the number of the default version."""
    changed(tx)
    POLICY_VERSIONS.put(tx, _version_key(version.policy, version.number), version)


def remove_policy_version(tx: Tx, version: PolicyVersion) -> None:
    """Delete a version."""
    changed(tx)
    POLICY_VERSIONS.delete(tx, _version_key(version.policy, version.number))


def _version_key(policy: str, number: int) -> str:
    return POLICY_VERSIONS.child(policy, f"{number:09d}")
