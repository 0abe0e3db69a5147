"""AWS's managed policies and the account's own in one type."""

from base64 import b32encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from passrole.identities import records
from passrole.identities.records import ManagedPolicy, Role, User
from passrole.policy import managed
from passrole.services.iam import refusals
from passrole.services.iam.checked_arns import check_policy
from passrole.store import Tx


@dataclass(frozen=True)
class Policy:
    """A managed policy, whoever owns it; `default` is a version's id."""

    arn: str
    name: str
    path: str
    id: str
    created: float
    updated: float
    default: str
    is_aws: bool
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """One version of a managed policy."""

    number: int
    document: str
    created: float
    is_default: bool

    @property
    def id(self) -> str:
        """As the API names it."""
        return f"v{self.number}"


@dataclass(frozen=True)
class Usage:
    """How many users and roles each policy is attached to, and how many it bounds, by ARN."""

    attached: Counter[str]
    bounding: Counter[str]


def usage(tx: Tx, account: str) -> Usage:
    """How policies are used, counted from the rows of users and roles."""
    holders: list[User | Role] = [
        *records.every(tx, records.USERS, account),
        *records.every(tx, records.ROLES, account),
    ]
    attached = Counter(arn for holder in holders for arn in holder.attached)
    bounding = Counter(holder.boundary for holder in holders if holder.boundary)
    return Usage(attached, bounding)


def every(tx: Tx, account: str) -> list[Policy]:
    """All policies: AWS's that come with passrole, and the account's."""
    own = records.every(tx, records.POLICIES, account)
    return [*map(_of_aws, managed.policies().values()), *map(customer, own)]


def find(tx: Tx, arn: str) -> Policy:
    """The policy of an ARN, AWS's or the account's. Raises NoSuchEntity."""
    check_policy(arn)
    aws = managed.policies().get(arn)
    return _of_aws(aws) if aws is not None else customer(find_own(tx, arn))


def find_own(tx: Tx, arn: str) -> ManagedPolicy:
    """The account's policy of an ARN, to be changed. Raises NoSuchEntity, and Fault for AWS's."""
    check_policy(arn)
    if arn in managed.policies():
        raise refusals.unmodifiable(f"Policy {arn} is managed by AWS and cannot be changed.")
    policy = records.find_arn(tx, records.POLICIES, arn)
    if policy is None:
        raise refusals.no_such_policy(arn)
    return policy


def versions(tx: Tx, arn: str) -> list[Version]:
    """The versions of a policy. Raises NoSuchEntity."""
    aws = managed.policies().get(arn)
    if aws is not None:
        return [_version_of_aws(aws, version) for version in aws.versions]
    policy = find_own(tx, arn)
    return [own_version(policy, version) for version in records.policy_versions(tx, policy)]


def customer(policy: ManagedPolicy) -> Policy:
    """A policy of the account in the common type."""
    return Policy(
        arn=policy.arn,
        name=policy.name,
        path=policy.path,
        id=policy.id,
        created=policy.created,
        updated=policy.updated,
        default=f"v{policy.default}",
        is_aws=False,
        description=policy.description,
        tags=policy.tags,
    )


def own_version(policy: ManagedPolicy, version: records.PolicyVersion) -> Version:
    """A version of a policy of the account in the common type."""
    return Version(version.number, version.document, version.created, version.number == policy.default)


def _of_aws(policy: managed.ManagedPolicy) -> Policy:
    created = [version.created for version in policy.versions]
    return Policy(
        arn=policy.arn,
        name=policy.name,
        path=policy.path,
        id=_stable_id(policy.arn),
        created=min(created),
        updated=max(created),
        default=policy.default.id,
        is_aws=True,
    )


def _version_of_aws(policy: managed.ManagedPolicy, version: managed.ManagedVersion) -> Version:
    return Version(
        number=int(version.id.removeprefix("v")),
        document=orjson.dumps(version.document).decode(),
        created=version.created,
        is_default=version.id == policy.default.id,
    )


def _stable_id(arn: str) -> str:
    """AWS's ids of its policies are not published: one of the same form that never changes."""
    return "ANPA" + b32encode(sha256(arn.encode()).digest())[:17].decode()
