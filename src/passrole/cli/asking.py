"""A request that is given on the command line, put to the evaluator.

It explains nothing; whoever is asked about and its policies come from files, or from a running server.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from passrole import arns
from passrole.cli.explaining import Explanation, explained, principal_of
from passrole.cli.options import Assignment
from passrole.cli.subject import UNNAMED, named, policy_of
from passrole.cli.verbs import Failed, Misuse
from passrole.config import Config
from passrole.needs import execution_role_session
from passrole.policy.document import CompiledPolicy
from passrole.policy.evaluate import PolicySet
from passrole.policy.request import Principal, Request, Values
from passrole.policy.trust import asks_trust

if TYPE_CHECKING:
    from passrole.cli.connection import Connection


# Whoever asks, its own policies, and that of what is asked for.
EffectivePolicies = tuple[Principal, PolicySet, CompiledPolicy | None]


@dataclass(frozen=True)
class Question:
    """What the options say."""

    config: Config
    action: str | None
    resource: str
    keys: tuple[Assignment, ...]
    principal: str | None
    role: str | None
    policies: tuple[Path, ...]
    boundary: Path | None
    resource_policy: Path | None

    @property
    def asks(self) -> Literal["resource", "trust"]:
        """What is asked of the other side: who may assume a role is, as at the door, its trust policy's."""
        return "trust" if asks_trust(self.action or "") else "resource"

    @property
    def is_begun(self) -> bool:
        """Whether any option says something of a request."""
        given = (self.keys, self.principal, self.role, self.policies, self.boundary, self.resource_policy)
        return any(given)


def answer(question: Question) -> Explanation:
    """The decision on the request. Raises Misuse."""
    action = question.action or ""
    service, colon, name = action.partition(":")
    if not (service and colon and name) or set(action) & set("*?"):
        raise Misuse(f"`{action}` is not an action such as `sqs:SendMessage`")
    if question.resource != "*" and arns.parse(question.resource) is None:
        raise Misuse(f"`{question.resource}` is not an ARN")
    given = principal_of(question.principal) if question.principal else None
    ask = _by_files if _is_told_whole(question, given) else _by_the_server
    principal, policies, attached = ask(question, given)
    if question.resource_policy is not None:
        attached = policy_of(question.resource_policy, question.asks)
    policies = policies.replace(**{question.asks: attached})
    request = Request(
        principal, action, question.resource, _owner(question.resource, principal), _context(question.keys)
    )
    return explained(request, policies)


def _is_told_whole(question: Question, given: Principal | None) -> bool:
    """Whether the files say everything; services and accounts' roots have no policies of their own."""
    if question.role is not None and (question.principal or question.policies or question.boundary):
        raise Misuse("--role brings its own policies; leave out --principal, --policy and --boundary")
    has_none = given is not None and given.kind in ("root", "service")
    if question.policies or question.boundary or (has_none and question.resource_policy):
        return True
    if question.role is None and given is None:
        raise Misuse("who asks? give --policy, --role or --principal")
    return False


def _by_files(question: Question, given: Principal | None) -> EffectivePolicies:
    own = execution_role_session(arns.iam(question.config.account, "role", "/", UNNAMED))
    identity = tuple(named(file) for file in question.policies)
    boundary = named(question.boundary) if question.boundary else None
    return given or own, PolicySet(identity, boundary=boundary), None


def _by_the_server(question: Question, given: Principal | None) -> EffectivePolicies:
    from passrole.cli.attached_policies import attached_policy
    from passrole.cli.connection import known, refusals_told

    try:
        connection = known(question.config, must_run=True)
        with refusals_told():
            principal, policies = _held(question, given, connection)
            attached = attached_policy(connection.client, question.asks, question.resource)
    except Failed as error:
        raise Misuse(error.message) from error
    return principal, policies, attached


def _held(
    question: Question, given: Principal | None, connection: "Connection"
) -> tuple[Principal, PolicySet]:
    from passrole.cli.reading_policies import held

    if given is not None and given.kind in ("root", "service"):
        return given, PolicySet()
    by_name = question.role or (given.name if given else "")
    found = held(connection.client("iam"), "user" if given and given.kind == "user" else "role", by_name)
    is_session = given is not None and question.principal is not None and ":sts:" in question.principal
    # Without the role's own trust, which is asked about others.
    return (given if given and is_session else found.principal), found.policies.replace()


def _owner(resource: str, principal: Principal) -> str:
    """The account of the resource; ARNs that name none are the caller's."""
    found = arns.parse(resource)
    return found.account if found and found.account not in ("", "aws") else principal.account


def _context(keys: Iterable[Assignment]) -> dict[str, Values]:
    found: dict[str, list[str]] = {}
    for key, value in keys:
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else tuple(values) for key, values in found.items()}
