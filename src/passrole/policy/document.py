"""Policy documents, compiled once so that a decision is a few comparisons.

It knows no layers and makes no decision. A document is compiled to statements, and a statement to predicates
on resources, principals and conditions. The statements that apply to an action are found at its first request
and cached, so that later requests need one dictionary look-up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from passrole.policy.conditions import Condition, Many, compile_conditions
from passrole.policy.elements import statements, texts
from passrole.policy.matching import action_matcher, arn_matcher, resource_predicate
from passrole.policy.predicates import Predicate, all_of
from passrole.policy.principals import Principals, Reach, compile_principals
from passrole.policy.request import Principal
from passrole.policy.resource_syntax import OWN_PARTITION
from passrole.policy.scope import Scope
from passrole.policy.syntax import DocumentKind, MalformedPolicyDocument, check, read_json

__all__ = [
    "CompiledPolicy",
    "DocumentKind",
    "MalformedPolicyDocument",
    "Statement",
    "compile_document",
    "parse_document",
]

# Enough for every action of the services here; hostile action names only empty the cache.
_MEMO_ACTIONS_MAX: Final = 1024
_VERSION_WITH_VARIABLES: Final = "2012-10-17"
_RESOURCE_TAGS: Final = (":resourcetag/", "s3:existingobjecttag/")
_WILDCARDS: Final = frozenset("*?")


@dataclass(frozen=True, slots=True)
class Patterns:
    """The texts of an Action or Resource element, or of NotAction or NotResource (`negated`)."""

    texts: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A compiled statement; `index` counts from 0, `actions` and `resources` keep the text for messages.

    `covers_resource` checks the resource alone, `applies` the resource and the conditions. The caller checks
    the action and the principal.
    """

    index: int
    sid: str | None
    allows: bool
    actions: Patterns
    resources: Patterns | None
    principals: Principals | None
    conditions: tuple[Condition, ...]
    action_fits: tuple[Callable[[str], bool], ...]
    covers_resource: Predicate
    applies: Predicate

    def covers_action(self, action: str) -> bool:
        """Whether the statement's Action or NotAction covers the action, given in lower case."""
        listed = any(fits(action) for fits in self.action_fits)
        return listed is not self.actions.negated

    def reach(self, principal: Principal) -> Reach:
        """How directly the Principal element of an Allow names the caller; NONE without the element."""
        return self.principals.reach(principal) if self.principals else Reach.NONE


@dataclass(frozen=True, slots=True)
class Relevant:
    """The statements of one policy that cover one action."""

    denies: tuple[Statement, ...]
    allows: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPolicy:
    """A compiled policy document. Compile it once and keep it.

    `may_deny` is whether it has a Deny, `reads_resource_tags` whether a condition or variable in it reads a
    tag of the resource. Statements that name an action without wildcards are found by a look-up, however many
    there are; the others are matched once for each action.
    """

    statements: tuple[Statement, ...]
    may_deny: bool
    reads_resource_tags: bool
    _by_action: Mapping[str, Sequence[int]] = field(repr=False)
    _by_pattern: Sequence[int] = field(repr=False)
    _memo: dict[str, Relevant] = field(default_factory=dict, repr=False)

    def statements_for(self, action: str) -> Relevant:
        """The statements that cover an action, given in any letter case."""
        found = self._memo.get(action)
        return found if found is not None else self._find(action)

    def _find(self, action: str) -> Relevant:
        lowered = action.lower()
        named = self._by_action.get(lowered, ())
        matched = [index for index in self._by_pattern if self.statements[index].covers_action(lowered)]
        covering = [self.statements[index] for index in sorted({*named, *matched})]
        found = Relevant(
            denies=tuple(one for one in covering if not one.allows),
            allows=tuple(one for one in covering if one.allows),
        )
        if len(self._memo) >= _MEMO_ACTIONS_MAX:
            self._memo.clear()
        self._memo[action] = found
        return found


def parse_document(
    document: str | Mapping[str, object],
    kind: DocumentKind = "identity",
    partitions: frozenset[str] = OWN_PARTITION,
) -> CompiledPolicy:
    """Check and compile a document, given as JSON text or as an object. Raises MalformedPolicyDocument.

    Boundaries and SCPs are of kind "identity"; `partitions` are those allowed in its ARNs.
    """
    elements = read_json(document, kind) if isinstance(document, str) else document
    check(elements, kind, partitions)
    return compile_document(elements, kind)


def compile_document(document: Mapping[str, object], kind: DocumentKind = "identity") -> CompiledPolicy:
    """Compile a document that was checked when it was stored.

    A missing or empty element matches nothing; it never widens the grant.
    """
    variables = document.get("Version") == _VERSION_WITH_VARIABLES
    compiled = [
        _compile_statement(index, element, kind, variables)
        for index, element in enumerate(statements(document))
    ]
    return policy_of(compiled)


def policy_of(compiled: Sequence[Statement]) -> CompiledPolicy:
    """A policy of the statements in their order; they may come from several documents."""
    by_action: dict[str, list[int]] = {}
    by_pattern: list[int] = []
    for index, statement in enumerate(compiled):
        patterned = [text for text in statement.actions.texts if not _WILDCARDS.isdisjoint(text)]
        if patterned or statement.actions.negated:
            by_pattern.append(index)
            continue
        for text in statement.actions.texts:
            by_action.setdefault(text.lower(), []).append(index)
    may_deny = not all(statement.allows for statement in compiled)
    asks = any(_asks_for_resource_tags(statement) for statement in compiled)
    return CompiledPolicy(tuple(compiled), may_deny, asks, by_action, by_pattern)


def _asks_for_resource_tags(statement: Statement) -> bool:
    """In a condition's key, or in a variable anywhere."""
    conditions = statement.conditions
    read = [condition.key for condition in conditions]
    read += [value for condition in conditions for value in condition.values]
    read += statement.resources.texts if statement.resources else ()
    return any(key in text.lower() for text in read for key in _RESOURCE_TAGS)


def _compile_statement(
    index: int, element: Mapping[str, object], kind: DocumentKind, variables: bool
) -> Statement:
    allows = element.get("Effect") == "Allow"
    conditions = _conditions(element, allows, variables)
    # A condition that cannot be compiled disables an Allow; a Deny applies without it.
    actions = Patterns((), False) if conditions is None and allows else _patterns(element, "Action")
    resources = None if kind == "trust" else _patterns(element, "Resource")
    covers_resource = _resource_predicate(resources, variables)
    sid = element.get("Sid")
    return Statement(
        index=index,
        sid=sid if isinstance(sid, str) and sid else None,
        allows=allows,
        actions=actions,
        resources=resources,
        principals=None if kind not in ("resource", "trust") else _principals(element, conditions or ()),
        conditions=conditions or (),
        action_fits=tuple(action_matcher(text) for text in actions.texts),
        covers_resource=covers_resource or _anywhere,
        applies=all_of(
            [
                *([covers_resource] if covers_resource else []),
                *(condition.holds for condition in conditions or ()),
            ]
        ),
    )


def _patterns(element: Mapping[str, object], name: str) -> Patterns:
    negated = name not in element and f"Not{name}" in element
    listed = texts(element.get(f"Not{name}" if negated else name, [])) or []
    return Patterns(tuple(listed), negated=negated and bool(listed))


def _resource_predicate(resources: Patterns | None, variables: bool) -> Predicate | None:
    """The predicate on the resource; None if any resource matches."""
    if resources is None or ("*" in resources.texts and not resources.negated):
        return None
    if not resources.negated:
        return resource_predicate(resources.texts, variables=variables)
    unfit = tuple(arn_matcher(text, variables=variables, completed=True) for text in resources.texts)
    # A pattern whose variable has no value (None) disables the statement.
    return lambda scope: all(fits(scope.segments, scope) is False for fits in unfit)


def _anywhere(_scope: Scope) -> bool:
    return True


def _principals(element: Mapping[str, object], conditions: Sequence[Condition]) -> Principals:
    negated = "Principal" not in element and "NotPrincipal" in element
    listed = element.get("NotPrincipal" if negated else "Principal")
    return compile_principals(listed, negated=negated, by_arn=any(map(_names_principals, conditions)))


def _names_principals(condition: Condition) -> bool:
    operator, many = condition.use.operator, condition.use.many
    positive = operator is not None and not operator.negated and many is not Many.ALL
    return condition.lookup_key == "aws:principalarn" and positive


def _conditions(element: Mapping[str, object], allows: bool, variables: bool) -> tuple[Condition, ...] | None:
    block = element.get("Condition", {})
    if not isinstance(block, Mapping):
        return None
    return compile_conditions(block, allows=allows, variables=variables)
