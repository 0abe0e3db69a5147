"""Near misses: statements that almost allowed a denied request, described for people.

They are for the audit trail, `check` and `explain`; callers never see them, as on AWS. Messages count
statements from 1.

Misses are ranked by what did not match: a condition only; the principal; the resource (its letter case only,
its name only, or more); the action.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from passrole.policy.conditions import Condition, Many
from passrole.policy.document import Statement
from passrole.policy.evaluate import RESOURCE_POLICY, TRUST_POLICY, Layer, NamedPolicy, PolicySet, evaluate
from passrole.policy.matching import arn_matcher
from passrole.policy.request import Request
from passrole.policy.scope import Scope, split_arn
from passrole.policy.variables import as_letters

_PASSED_TO: Final = "iam:PassedToService"


class Distance(IntEnum):
    """The part of a statement that did not match, the nearest first."""

    DENIED = 0
    CONDITION = 1
    PRINCIPAL = 2
    LETTER_CASE = 3
    NAME = 4
    RESOURCE = 5
    ACTION = 6


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement that did not allow the request, and why; `statement` is its index from 0."""

    distance: Distance
    policy: str
    statement: int
    sid: str | None
    message: str


def near_misses(request: Request, policies: PolicySet, most: int = 3) -> tuple[str, ...]:
    """The messages of the nearest misses; for an explicit Deny, one message that names its statement."""
    return tuple(miss.message for miss in rank_near_misses(request, policies)[:most])


def rank_near_misses(request: Request, policies: PolicySet) -> list[NearMiss]:
    """All misses in the layer that denied, nearest first; none if the request is allowed."""
    decision = evaluate(request, policies)
    if decision.allowed:
        return []
    if decision.explicit:
        assert decision.decided_by is not None, "an explicit deny has its statement"
        policy, denying = decision.decided_by
        message = f"{_which(policy, denying)} denies {request.action}{_under(denying)}"
        return [NearMiss(Distance.DENIED, policy, denying.index, denying.sid, message)]
    scope = Scope(request)
    found = [
        miss
        for name, policy in _policies_of(decision.layer, policies)
        for statement in policy.statements
        if statement.allows and (miss := _miss(name, statement, scope, decision.layer)) is not None
    ]
    return sorted(found, key=lambda miss: miss.distance)


def smallest_statement(request: Request) -> dict[str, object]:
    """The smallest statement of an identity-based policy that allows exactly this request."""
    resource = as_letters(request.resource) or "*"
    statement: dict[str, object] = {"Effect": "Allow", "Action": request.action, "Resource": resource}
    if _PASSED_TO in request.context:
        statement["Condition"] = {"StringEquals": {_PASSED_TO: request.context[_PASSED_TO]}}
    return statement


def _policies_of(layer: Layer, policies: PolicySet) -> Iterable[NamedPolicy]:
    by_layer: Mapping[Layer, Sequence[NamedPolicy | None]] = {
        "identity": policies.identity,
        "resource": ((RESOURCE_POLICY, policies.resource),) if policies.resource else (),
        "boundary": (policies.boundary,),
        "session": policies.session,
        "scp": [named for level in policies.scps for named in level],
        "trust": ((TRUST_POLICY, policies.trust),) if policies.trust else (),
    }
    return [named for named in by_layer[layer] if named is not None]


def _miss(policy: str, statement: Statement, scope: Scope, layer: Layer) -> NearMiss | None:
    """The near miss of a statement; None if it concerns another service, or allows."""
    described = _describe(statement, scope, layer)
    if described is None:
        return None
    distance, words = described
    message = f"{_which(policy, statement)} allows {words}"
    return NearMiss(distance, policy, statement.index, statement.sid, message)


def _describe(statement: Statement, scope: Scope, layer: Layer) -> tuple[Distance, str] | None:
    request = scope.request
    if not statement.covers_action(request.action.lower()):
        return _describe_action(statement, request)
    if not statement.covers_resource(scope):
        distance, words = _describe_resource(statement, scope)
        return distance, f"{request.action}, but {words}"
    thing = _thing(request.resource)
    if layer in ("resource", "trust") and not statement.reach(request.principal):
        return (
            Distance.PRINCIPAL,
            f"{request.action} on this {thing.noun}, but not to `{request.principal.arn}`",
        )
    failing = [condition for condition in statement.conditions if not condition.holds(scope)]
    if not failing:
        return None
    words = " and ".join(_describe_condition(condition, scope) for condition in failing)
    return Distance.CONDITION, f"{request.action} on this {thing.noun}, but only where {words}"


def _which(policy: str, statement: Statement) -> str:
    sid = f" (`{statement.sid}`)" if statement.sid else ""
    return f"statement {statement.index + 1}{sid} of {policy.rpartition('/')[2]}"


def _under(statement: Statement) -> str:
    keys = [condition.key for condition in statement.conditions]
    return f" under its condition on {_listed(keys, 'and')}" if keys else ""


def _describe_action(statement: Statement, request: Request) -> tuple[Distance, str] | None:
    """The miss of a statement for other actions of the same service; None for another service."""
    service = request.action.partition(":")[0].lower()
    if statement.actions.negated:
        return Distance.ACTION, f"everything except {_listed(statement.actions.texts, 'and')}"
    same = [text for text in statement.actions.texts if text.partition(":")[0].lower() == service]
    if not same:
        return None
    return Distance.ACTION, f"{_listed(same, 'and')}, but not {request.action}"


def _describe_condition(condition: Condition, scope: Scope) -> str:
    value = scope.value(condition.lookup_key)
    operator = condition.use.operator
    if operator is None:
        wanted = "absent" if "true" in condition.values else "present"
        return f"{condition.key} is {wanted}"
    subject = {None: "", Many.ALL: "every value of ", Many.ANY: "a value of "}[condition.use.many]
    wanted = f"{subject}{condition.key} {operator.words} {_listed(condition.values, 'or')}"
    if value is None or value == ():
        return f"{wanted}; here it is absent"
    return f"{wanted}; here it is {_listed((value,) if isinstance(value, str) else value, 'and')}"


@dataclass(frozen=True, slots=True)
class _Thing:
    """A resource in everyday words: noun and name, such as `queue` and `approvals`."""

    noun: str
    name: str
    prefix: str = ""


# Services whose ARNs do not contain the resource's type.
_NOUNS: Final[Mapping[str, str]] = {"sqs": "queue", "sns": "topic", "s3": "object"}
_SEGMENT_NAMES: Final = ("scheme", "partition", "service", "region", "account", "name")
_NAME: Final = 5


def _thing(resource: str) -> _Thing:
    segments = split_arn(resource)
    if len(segments) < len(_SEGMENT_NAMES):
        return _Thing("resource", resource)
    service, last = segments[2], segments[5]
    if service in _NOUNS:
        return _Thing("bucket" if service == "s3" and "/" not in last else _NOUNS[service], last)
    prefix = _type_prefix(last)
    return _Thing(prefix[:-1].replace("-", " ") or "resource", last[len(prefix) :], prefix)


def _type_prefix(last: str) -> str:
    """`role/` of `role/x`, `function:` of `function:f`; empty if there is only a name."""
    ends = [at for mark in "/:" if (at := last.find(mark)) != -1]
    return last[: min(ends) + 1] if ends else ""


def _describe_resource(statement: Statement, scope: Scope) -> tuple[Distance, str]:
    resource, resources = scope.request.resource, statement.resources
    thing = _thing(resource)
    here = f"this {thing.noun} is `{thing.name}`"
    if resources is None or resources.negated:
        return Distance.RESOURCE, f"not on {_listed(resources.texts if resources else (), 'or')}; {here}"
    strays = {text: _stray(text, scope) for text in resources.texts}
    covered = [text for text, stray in strays.items() if stray == [_NAME]]
    where = _only_on(covered, thing) if covered else f"only on {_listed(resources.texts, 'or')}"
    if any(_fits_in_any_case(text, scope) for text in resources.texts):
        return Distance.LETTER_CASE, f"{where}; {here}, which differs only in letter case"
    if covered:
        return Distance.NAME, f"{where}; {here}"
    nearest = min(strays.values(), key=len, default=[])
    if len(scope.segments) < len(_SEGMENT_NAMES) or len(nearest) == len(_SEGMENT_NAMES):
        return Distance.RESOURCE, f"{where}; this is `{resource}`"
    names = _joined([_SEGMENT_NAMES[i] for i in nearest], "and")
    verb = "differs" if len(nearest) == 1 else "differ"
    return Distance.RESOURCE, f"{where}; this is `{resource}`, whose {names} {verb}"


def _stray(pattern: str, scope: Scope) -> list[int]:
    """The indices of the segments that the pattern does not match; all if it does not have six segments."""
    wanted, actual = _pattern_segments(pattern), scope.segments
    wanted += ["*"] * (len(actual) - len(wanted))
    if len(wanted) != len(actual):
        return list(range(len(_SEGMENT_NAMES)))
    return [
        i
        for i, (text, found) in enumerate(zip(wanted, actual, strict=True))
        if not arn_matcher(text, variables=True)([found], scope)
    ]


def _pattern_segments(pattern: str) -> list[str]:
    """Like `split_arn`, but ignoring the colons inside `${aws:username}`."""
    segments, depth = [""], 0
    for letter in pattern:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == ":" and depth <= 0 and len(segments) < len(_SEGMENT_NAMES):
            segments.append("")
        else:
            segments[-1] += letter
    return segments


def _fits_in_any_case(pattern: str, scope: Scope) -> bool:
    folded = [segment.lower() for segment in scope.segments]
    return bool(arn_matcher(pattern.lower(), variables=True, completed=True)(folded, scope))


def _only_on(patterns: Sequence[str], thing: _Thing) -> str:
    """`only on names containing a or b` if all patterns have that form, else the patterns."""
    names = [_name_pattern(pattern, thing) for pattern in patterns]
    for shape, words in _SHAPES:
        inner = [name and shape(name) for name in names]
        if all(inner):
            return f"only on {words} {_listed([text for text in inner if text], 'or')}"
    return f"only on {_listed(patterns, 'or')}"


def _name_pattern(pattern: str, thing: _Thing) -> str | None:
    """The pattern's part for the name; None if the pattern is for another type of resource."""
    last = _pattern_segments(pattern)[_NAME]
    return last.removeprefix(thing.prefix) if last.startswith(thing.prefix) else None


def _inside(stars: tuple[bool, bool]) -> Callable[[str], str | None]:
    """A function that returns the letters of a name pattern with stars only at the given ends, else None."""

    def letters(name: str) -> str | None:
        inner = name[1 if stars[0] else 0 : -1 if stars[1] else None]
        fits = name.startswith("*") is stars[0] and name.endswith("*") is stars[1]
        return inner if fits and inner and not set(inner) & set("*?$") else None

    return letters


_SHAPES: Final[Sequence[tuple[Callable[[str], str | None], str]]] = (
    (_inside((True, True)), "names containing"),
    (_inside((False, True)), "names beginning with"),
    (_inside((True, False)), "names ending in"),
    (_inside((False, False)), "the name"),
)


def _listed(texts: Sequence[str], link: str) -> str:
    return _joined([f"`{text}`" for text in texts], link)


def _joined(words: Sequence[str], link: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {link} {words[-1]}"
