"""The evaluator's input: principal, action, resource and condition keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Values = str | tuple[str, ...]
PrincipalKind = Literal["user", "role", "service", "root"]


@dataclass(frozen=True)
class Principal:
    """Who is calling.

    `arn` is printed as it is in denials and by GetCallerIdentity: a user's ARN, an assumed-role session's,
    `arn:aws:iam::<account>:root`, or the bare name of a service (`sagemaker.amazonaws.com`). `id` is
    `aws:userid`: AIDA..., or AROA...:<session name>. `role_arn` is the role behind a session.
    `session_policies` are the documents (JSON) that AssumeRole was given to narrow the session. `source` is
    the ARN of what a service acts for, such as a rule: `aws:SourceArn`. `token_issued` is when the session
    began, in ISO 8601, where that is known. `transitive_tags` are the keys of the session's tags
    that go on to the sessions of roles which it assumes, and `keys` the condition keys that it carries into
    every call (`aws:SourceIdentity`). `access_key` is the id of the key that signed, empty inside, and
    `expires` its end in seconds since the epoch where it has one.
    """

    kind: PrincipalKind
    arn: str
    account: str
    id: str
    name: str
    role_arn: str | None = None
    session_name: str | None = None
    session_policies: tuple[str, ...] = ()
    source: str | None = None
    token_issued: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    transitive_tags: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    access_key: str = field(default="", compare=False)
    expires: float | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Request:
    """One action on one resource, with the condition keys that are known of it.

    Keys of `context` keep the spelling they are documented in (`iam:PassedToService`); the evaluator
    compares them without regard to letter case. A tuple is a multivalued key.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, Values] = field(default_factory=dict, hash=False)


def service_principal(name: str, account: str, source: str | None = None) -> Principal:
    """An AWS service acting for itself, such as `lambda.amazonaws.com` when it assumes a role, or for a
    resource of the account, its `source`.
    """
    return Principal(kind="service", arn=name, account=account, id=name, name=name, source=source)
