"""Evaluates a request that options describe.

It explains nothing; the principal and its policies come from files, or from the data folder.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

import click

from passrole import arns
from passrole.audit.explanation import Explanation, UnknownPrincipal, explain_request, principal_of
from passrole.cli.errors import Failed, Misuse, aws_errors_reported
from passrole.cli.options import Assignment
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.policy_files import policy_of
from passrole.cli.permissions.report import printable
from passrole.cli.permissions.role_files import boundary_in, permissions_in, trust_in
from passrole.cli.permissions.subject import UNNAMED
from passrole.client import ServerUnavailable
from passrole.config import Config
from passrole.needs import Place, execution_role_session
from passrole.policy.document import CompiledPolicy
from passrole.policy.evaluate import PolicySet
from passrole.policy.lint.actions import why_unknown
from passrole.policy.request import Principal, Request, Values
from passrole.policy.trust import asks_trust, must_grant

if TYPE_CHECKING:
    from passrole.client.connection import Connection


# The principal, its own policies, and the policy of the resource.
Parties = tuple[Principal, PolicySet, CompiledPolicy | None]


@dataclass(frozen=True)
class DecisionRequest:
    """The values of the options."""

    config: Config
    action: str | None
    resource: str
    keys: tuple[Assignment, ...]
    principal: str | None
    role: str | None
    policies: tuple[NamedFile, ...]
    boundary: NamedFile | None
    resource_policy: NamedFile | None

    @property
    def asks(self) -> Literal["resource", "trust"]:
        """The kind of the resource's policy: for AssumeRole the trust policy, as at the door."""
        return "trust" if asks_trust(self.action or "") else "resource"

    @property
    def is_begun(self) -> bool:
        """Whether any option describes a request."""
        given = (self.keys, self.principal, self.role, self.policies, self.boundary, self.resource_policy)
        return any(given)


def decide(asked: DecisionRequest) -> Explanation:
    """The decision on the request. Raises Misuse."""
    action = asked.action or ""
    service, colon, name = action.partition(":")
    if not (service and colon and name) or set(action) & set("*?"):
        raise Misuse(f"`{action}` is not an action such as `sqs:SendMessage`")
    if unknown := why_unknown(action):
        raise Misuse(unknown)
    if asked.resource != "*" and arns.parse(asked.resource) is None:
        raise Misuse(f"`{asked.resource}` is not an ARN")
    given = _principal(asked.principal) if asked.principal else None
    ask = _by_files if _needs_no_server(asked, given) else _by_the_server
    principal, policies, attached = ask(asked, given)
    if asked.resource_policy is not None:
        attached = _attached(asked, asked.resource_policy)
    if asked.asks == "trust":
        policies = policies.replace(trust=attached)
    else:
        policies = policies.replace(resource=attached, must_grant=attached is not None and must_grant(action))
    request = Request(
        principal, action, asked.resource, _owner(asked.resource, principal), _context(asked.keys)
    )
    return explain_request(request, policies)


def _principal(arn: str) -> Principal:
    try:
        return principal_of(arn)
    except UnknownPrincipal as error:
        raise Misuse(str(error)) from error


def _needs_no_server(asked: DecisionRequest, given: Principal | None) -> bool:
    """Whether the files suffice without a server; services and root users have no policies of their own."""
    if asked.role is not None and (asked.principal or asked.policies or asked.boundary):
        raise Misuse("--role brings its own policies; leave out --principal, --policy and --boundary")
    has_none = given is not None and given.kind in ("root", "service")
    if asked.policies or asked.boundary or (has_none and asked.resource_policy):
        return True
    if asked.role is None and given is None:
        raise Misuse("no caller to explain: pass --policy, --role or --principal")
    return False


def _by_files(asked: DecisionRequest, given: Principal | None) -> Parties:
    place = Place(account=asked.config.account, region=asked.config.region)
    found = [permissions_in(file, place) for file in asked.policies]
    for said in chain.from_iterable((*each.said, *each.warnings) for each in found):
        click.echo(printable(said), err=True)
    arn = next((each.role_arn for each in found if each.role_arn), None)
    own = execution_role_session(arn or arns.iam(asked.config.account, "role", "/", UNNAMED))
    boundaries = (each.boundary for each in found if each.boundary)
    boundary = boundary_in(asked.boundary, place) if asked.boundary else next(boundaries, None)
    identity = tuple(chain.from_iterable(each.identity for each in found))
    return given or own, PolicySet(identity, boundary=boundary), None


def _attached(asked: DecisionRequest, file: NamedFile) -> CompiledPolicy:
    if asked.asks == "resource":
        return policy_of(file.path, "resource")
    trust, said = trust_in(file, Place(account=asked.config.account, region=asked.config.region))
    click.echo("".join(f"{printable(line)}\n" for line in said), err=True, nl=False)
    return trust


def _by_the_server(asked: DecisionRequest, given: Principal | None) -> Parties:
    from passrole.cli.permissions.attached_policies import attached_policy
    from passrole.client.connection import reading

    try:
        with reading(asked.config) as connection, aws_errors_reported():
            principal, policies = _identity(asked, given, connection)
            attached = attached_policy(connection.client, asked.asks, asked.resource)
    except (Failed, ServerUnavailable) as error:
        raise Misuse(str(error)) from error
    return principal, policies, attached


def _identity(
    asked: DecisionRequest, given: Principal | None, connection: "Connection"
) -> tuple[Principal, PolicySet]:
    from passrole.cli.permissions.identity_policies import fetch_identity

    if given is not None and given.kind in ("root", "service"):
        return given, PolicySet()
    by_name = asked.role or (given.name if given else "")
    kind: Literal["user", "role"] = "user" if given and given.kind == "user" else "role"
    found = fetch_identity(connection.client("iam"), kind, by_name)
    is_session = given is not None and asked.principal is not None and ":sts:" in asked.principal
    # Without the role's own trust policy, which is about its callers.
    return (given if given and is_session else found.principal), found.policies.replace()


def _owner(resource: str, principal: Principal) -> str:
    """The account of the resource; without one in the ARN it is the caller's."""
    found = arns.parse(resource)
    return found.account if found and found.account not in ("", "aws") else principal.account


def _context(keys: Iterable[Assignment]) -> dict[str, Values]:
    found: dict[str, list[str]] = {}
    for key, value in keys:
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else tuple(values) for key, values in found.items()}
