"""A request that is given on the command line, put to the evaluator.

It explains nothing; whoever is asked about and its policies come from files, or from a running server.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from passrole import arns
from passrole.cli.explaining import Explanation, explained, principal_of
from passrole.cli.options import Assignment
from passrole.cli.subject import UNNAMED, named, policy_of
from passrole.cli.verbs import Failed, Misuse
from passrole.config import Config
from passrole.needs import role_session
from passrole.policy.evaluate import PolicySet
from passrole.policy.request import Principal, Request, Values
from passrole.policy.trust import ASSUME_ROLE


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
    principal, policies = _who(question)
    if question.resource_policy is not None:
        # As at the door: who may assume a role is its trust policy's matter.
        if action.lower() == ASSUME_ROLE.lower():
            policies = policies.replace(trust=policy_of(question.resource_policy, "trust"))
        else:
            policies = policies.replace(resource=policy_of(question.resource_policy, "resource"))
    request = Request(
        principal, action, question.resource, _owner(question.resource, principal), _context(question.keys)
    )
    return explained(request, policies)


def _who(question: Question) -> tuple[Principal, PolicySet]:
    """Whoever asks, with its own policies and no other."""
    if question.role is not None and (question.principal or question.policies or question.boundary):
        raise Misuse("--role brings its own policies; leave out --principal, --policy and --boundary")
    given = principal_of(question.principal) if question.principal else None
    if question.policies or question.boundary or (given and given.kind in ("root", "service")):
        own = role_session(arns.iam(question.config.account, "role", "/", UNNAMED))
        identity = tuple(named(file) for file in question.policies)
        boundary = named(question.boundary) if question.boundary else None
        return given or own, PolicySet(identity, boundary=boundary)
    if question.role is None and given is None:
        raise Misuse("who asks? give --policy, --role or --principal")
    return _of_the_server(question, given)


def _of_the_server(question: Question, given: Principal | None) -> tuple[Principal, PolicySet]:
    from passrole.cli.connection import known, refusals_told
    from passrole.cli.reading_policies import held

    by_name = question.role or (given.name if given else "")
    try:
        connection = known(question.config, must_run=True)
        with refusals_told():
            iam = connection.client("iam")
            found = held(iam, "user" if given and given.kind == "user" else "role", by_name)
    except Failed as error:
        raise Misuse(error.message) from error
    policies = found.policies.replace()  # without the role's trust, which is asked about others
    is_session = given is not None and question.principal is not None and ":sts:" in question.principal
    return (given if given and is_session else found.principal), policies


def _owner(resource: str, principal: Principal) -> str:
    """The account of the resource; ARNs that name none are the caller's."""
    found = arns.parse(resource)
    return found.account if found and found.account not in ("", "aws") else principal.account


def _context(keys: Iterable[Assignment]) -> dict[str, Values]:
    found: dict[str, list[str]] = {}
    for key, value in keys:
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else tuple(values) for key, values in found.items()}
