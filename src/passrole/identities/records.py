"""The rows of who exists: users, their keys, roles, customer managed policies, instance profiles.

It knows neither HTTP nor what a policy means: documents are kept as the JSON text they came as.

IAM's names are unique in an account whatever their letter case and path, and are looked up in the case
they were given. So a row's key is account/name in lower case, and `find` compares the name again.
Whoever writes a row calls `changed` in the same transaction: caches of identities live on that.
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
        """As a principal and as a resource."""
        return arns.iam(self.account, "user", self.path, self.name)


@dataclass(frozen=True)
class AccessKey:
    """A user's long-lived key; `status` is Active or Inactive.

    `user_id` is the unique id of the user it was made for; keys of earlier versions have none.
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
    """`id` is AROA...; `trust` is the document that says who may assume the role."""

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
        """The role itself; a session of it has another (arns.assumed_role)."""
        return arns.iam(self.account, "role", self.path, self.name)


@dataclass(frozen=True)
class ManagedPolicy:
    """A customer managed policy. `default` and `newest` are version numbers; `newest` is never used again."""

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
        """What attachments name."""
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
    """What hands a role to EC2 instances; it holds one role at most."""

    account: Account
    name: str
    path: str
    id: str
    created: float
    role: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Under its path."""
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
    """Tell the caches, once this transaction is durable, that some identity is not what it was."""
    tx.notify(CHANNEL)


def row_key(account: str, name: str) -> str:
    """The key of a row, the same in whatever letter case its name is written."""
    return f"{account}/{name.lower()}"


def find(tx: Tx, collection: Collection[N], account: str, name: str) -> N | None:
    """The row of that exact name, if there is one."""
    row = collection.get(tx, row_key(account, name))
    return row if row is not None and row.name == name else None


def find_arn(tx: Tx, collection: Collection[N], arn: str) -> N | None:
    """The row of that exact ARN, if there is one."""
    parsed = arns.parse(arn)
    row = find(tx, collection, parsed.account, parsed.resource.rsplit("/", 1)[-1]) if parsed else None
    return row if row is not None and row.arn == arn else None


def every(tx: Tx, collection: Collection[N], account: str) -> list[N]:
    """All rows of an account by name."""
    return [row for _, row in collection.within(tx, account)]


def add(tx: Tx, collection: Collection[N], row: N) -> bool:
    """Store a new row; False where the name is taken, in whatever letter case."""
    changed(tx)
    return collection.add(tx, row_key(row.account, row.name), row)


def put(tx: Tx, collection: Collection[N], row: N) -> None:
    """Store what a row has become."""
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
    """One version, if it (still) exists."""
    return POLICY_VERSIONS.get(tx, _version_key(policy.arn, number))


def put_policy_version(tx: Tx, version: PolicyVersion) -> None:
    """Store a version; the policy's own row says which one holds."""
    changed(tx)
    POLICY_VERSIONS.put(tx, _version_key(version.policy, version.number), version)


def remove_policy_version(tx: Tx, version: PolicyVersion) -> None:
    """Delete a version."""
    changed(tx)
    POLICY_VERSIONS.delete(tx, _version_key(version.policy, version.number))


def _version_key(policy: str, number: int) -> str:
    return POLICY_VERSIONS.child(policy, f"{number:09d}")
