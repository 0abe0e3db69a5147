"""The smallest policy that allows a list of needs, grouped by statement.

Resources are exact where they are known, and patterns where a part is known only at run time; then the
statement's Sid says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from passrole.needs.need import ANY, PASSED_TO, SAGEMAKER, Need
from passrole.policy.matching import arn_matcher
from passrole.policy.request import Request, Values, service_principal
from passrole.policy.scope import Scope, split_arn
from passrole.policy.trust import ASSUME_ROLE
from passrole.policy.variables import as_letters

Document = dict[str, object]

# Patterns without variables need no request.
_NOBODY: Final = Scope(Request(service_principal(SAGEMAKER, ""), "", "", ""))

# The maximum size of a role's inline policies together, without white space.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE_CHARACTERS_MAX: Final = 10_240

# A letter that no pattern contains, in place of what is known only at run time.
_NOWHERE: Final = "\ue000"

_VERSION: Final = "2012-10-17"
_AT_RUN_TIME: Final = "KnownAtRunTime"
_SIDS: Final[Mapping[str, str]] = {
    "lambda": "Functions",
    "sqs": "Queues",
    "events": "Rules",
    "elasticmapreduce": "Clusters",
    "sagemaker": "SageMaker",
    "s3": "Objects",
    "logs": "Logs",
    "sts": "Sessions",
}
_SERVICES: Final[Mapping[str, str]] = {
    "application-autoscaling": "AutoScaling",
    "ec2": "EC2",
    "elasticmapreduce": "EMR",
    "lambda": "Lambda",
    "sagemaker": "SageMaker",
}


@dataclass(frozen=True, slots=True)
class _Grant:
    """The grant for one need: an action on a resource, and for iam:PassRole the receiving service."""

    action: str
    resource: str
    passed_to: Values | None
    is_pattern: bool

    @property
    def kind(self) -> tuple[str, Values | None]:
        """Grants of different kinds never cover each other."""
        return self.action.lower(), self.passed_to


def least_privilege(needs: Iterable[Need]) -> Document:
    """A policy that allows every need and is minimal: every action of every statement is needed.

    sts:AssumeRole is left out, since the trust policy decides it, and so are needs that exist only with tags.
    Without needs the list of statements is empty, which IAM refuses.
    """
    statements: list[Document] = []
    taken: dict[str, int] = {}
    grants = _necessary(
        _grant(need) for need in needs if need.action != ASSUME_ROLE and need.when != "if tagged"
    )
    for (passed_to, is_pattern), actions, resources in _grouped(grants):
        statement: Document = {"Sid": _sid(actions[0], passed_to, is_pattern, taken), "Effect": "Allow"}
        statement |= {"Action": _one_or_list(actions), "Resource": _one_or_list(resources)}
        if passed_to is not None:
            statement["Condition"] = {"StringEquals": {PASSED_TO: passed_to}}
        statements.append(statement)
    return {"Version": _VERSION, "Statement": statements}


def trust_document() -> Document:
    """The trust policy of an execution role: SageMaker may assume it, and nobody else."""
    statement = {"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": ASSUME_ROLE}
    return {"Version": _VERSION, "Statement": [statement]}


def _grant(need: Need) -> _Grant:
    return _Grant(need.action, need.resource or ANY, need.context.get(PASSED_TO), need.is_pattern)


def _necessary(grants: Iterable[_Grant]) -> list[_Grant]:
    """The distinct grants in order, without those that a pattern among the others already allows."""
    found: dict[tuple[object, str], _Grant] = {}
    for grant in grants:
        found.setdefault((grant.kind, grant.resource), grant)
    by_kind: dict[tuple[str, Values | None], list[_Grant]] = {}
    for grant in found.values():
        by_kind.setdefault(grant.kind, []).append(grant)
    needed = {grant for same in by_kind.values() for grant in _uncovered(same)}
    return [grant for grant in found.values() if grant in needed]


def _uncovered(grants: list[_Grant]) -> list[_Grant]:
    """The grants of one kind without redundant patterns, and without grants that the remaining ones cover."""
    patterns = [grant for grant in grants if set(grant.resource) & {ANY, "?"}]
    covered = {pattern: frozenset(filter(_covers(pattern), grants)) for pattern in patterns}
    needed = list(patterns)
    for pattern in patterns:
        others = [other for other in needed if other is not pattern]
        if covered[pattern] <= frozenset().union(*(covered[other] for other in others)):
            needed = others
    by_patterns = frozenset().union(*(covered[pattern] for pattern in needed))
    return [grant for grant in grants if grant in needed or grant not in by_patterns]


def _covers(pattern: _Grant) -> Callable[[_Grant], bool]:
    """A test whether the pattern covers a grant; if the grant is a pattern, all that it can become."""
    matcher = arn_matcher(as_letters(pattern.resource), variables=True)
    widest = len(pattern.resource)

    def covers(grant: _Grant) -> bool:
        filled = [grant.resource]
        if grant.is_pattern:
            filled = [grant.resource.replace(ANY, _NOWHERE * size) for size in (1, widest)]
        return all(matcher(split_arn(each), _NOBODY) for each in filled)

    return covers


def _grouped(grants: list[_Grant]) -> Iterator[tuple[tuple[Values | None, bool], list[str], list[str]]]:
    """First the actions on one resource together, then the resources with the same actions."""
    actions: dict[tuple[str, Values | None, bool, str], list[str]] = {}
    for grant in grants:
        service = grant.action.partition(":")[0].lower()
        key = (service, grant.passed_to, grant.is_pattern, as_letters(grant.resource))
        actions.setdefault(key, []).append(grant.action)
    resources: dict[tuple[Values | None, bool, tuple[str, ...]], list[str]] = {}
    for (_service, passed_to, is_pattern, resource), listed in actions.items():
        resources.setdefault((passed_to, is_pattern, tuple(listed)), []).append(resource)
    for (passed_to, is_pattern, listed_actions), listed in resources.items():
        yield (passed_to, is_pattern), list(listed_actions), listed


def _sid(action: str, passed_to: Values | None, is_pattern: bool, taken: dict[str, int]) -> str:
    """A unique Sid of letters and digits, as IAM requires."""
    service, _, name = action.partition(":")
    words = _SIDS.get(service.lower(), "".join(letter for letter in service if letter.isalnum()).title())
    if name.lower() == "passrole":
        receiver = passed_to.partition(".")[0] if isinstance(passed_to, str) else ""
        words = f"PassRoleTo{_SERVICES.get(receiver, _plain(receiver).title())}" if receiver else "PassRole"
    sid = words + (_AT_RUN_TIME if is_pattern else "")
    taken[sid] = taken.get(sid, 0) + 1
    return sid if taken[sid] == 1 else f"{sid}{taken[sid]}"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum())


def _one_or_list(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts
