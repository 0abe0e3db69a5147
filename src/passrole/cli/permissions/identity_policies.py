"""A user or role of a running IAM service, with every policy that applies to it.

It judges nothing and knows no server: the caller brings the client and handles refusals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from passrole.cli.permissions.policy_files import compile_stored, managed_policy
from passrole.needs import execution_role_session
from passrole.policy.evaluate import NamedPolicy, PolicySet
from passrole.policy.managed import PIPELINES_INTEGRATIONS
from passrole.policy.request import Principal

if TYPE_CHECKING:
    from passrole.client.connection import Client

Kind = Literal["user", "role"]


@dataclass(frozen=True)
class Identity:
    """Who it is (a role as SageMaker's session of it), and its policies; the trust too, if it is a role."""

    principal: Principal
    policies: PolicySet


def fetch_identity(iam: "Client", kind: Kind, named: str, version: str | None = None) -> Identity:
    """A user or role by name or ARN; `version` takes the place of the attached version of the managed policy.

    Raises Misuse where a document cannot be used, and what botocore raises.
    """
    member = kind.title()
    name = {f"{member}Name": named.rpartition("/")[2]}
    found = getattr(iam, f"get_{kind}")(**name)[member]
    identity = tuple(_policies(iam, kind, name, version))
    bounded = found.get("PermissionsBoundary")
    boundary = _attached(iam, bounded["PermissionsBoundaryArn"]) if bounded else None
    trust = compile_stored(found["AssumeRolePolicyDocument"], "trust", named) if kind == "role" else None
    return Identity(_principal(kind, found), PolicySet(identity, None, boundary, trust=trust))


def _principal(kind: Kind, found: Mapping[str, Any]) -> Principal:
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
    arn, account = found["Arn"], found["Arn"].split(":")[4]
    if kind == "user":
        return Principal("user", arn, account, found["UserId"], found["UserName"], tags=tags)
    session = execution_role_session(arn)
    id_ = f"{found['RoleId']}:{session.session_name}"
    return Principal("role", session.arn, account, id_, session.name, arn, session.session_name, tags=tags)


def _policies(iam: "Client", kind: Kind, name: dict[str, str], version: str | None) -> Iterator[NamedPolicy]:
    for page in iam.get_paginator(f"list_attached_{kind}_policies").paginate(**name):
        for attached in page["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            replaced = version is not None and arn == PIPELINES_INTEGRATIONS
            yield managed_policy(str(version)) if replaced else _attached(iam, arn)
    for page in iam.get_paginator(f"list_{kind}_policies").paginate(**name):
        for inline in page["PolicyNames"]:
            answer = getattr(iam, f"get_{kind}_policy")(**name, PolicyName=inline)
            yield inline, compile_stored(answer["PolicyDocument"], "identity", inline)


def _attached(iam: "Client", arn: str) -> NamedPolicy:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return arn, compile_stored(answer["PolicyVersion"]["Document"], "identity", arn)
