"""The types of rules and findings, and functions with which rules read a statement.

A rule for a statement yields messages; a rule for a document yields findings. A message says what is wrong
and what to do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from passrole.policy.conditions import OperatorUse, read_operator, scalars
from passrole.policy.elements import texts
from passrole.policy.syntax import DocumentKind

Level = Literal["error", "warning"]
Element = Mapping[str, object]
StatementRule = Callable[[Element, DocumentKind], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning. `statement` is its index from 0, None for the whole document; `code` is the
    rule's, as docs/rules lists them.
    """

    level: Level
    statement: int | None
    sid: str | None
    message: str
    code: str


DocumentRule = Callable[[Element, Sequence[Element], DocumentKind, str], Iterator[Finding]]
"""The last argument is the code of its findings."""


class ConditionKey(NamedTuple):
    """One key of a condition: the operator as written and as read, the key, and its values as text."""

    operator: str
    use: OperatorUse
    key: str
    values: tuple[str, ...]


def sid_of(element: Element) -> str | None:
    """The statement's Sid, or None."""
    sid = element.get("Sid")
    return sid if isinstance(sid, str) and sid else None


def allows(element: Element) -> bool:
    """Whether the statement is an Allow."""
    return element.get("Effect") == "Allow"


def listed(element: Element, *names: str) -> list[str]:
    """The texts of these elements, in their order."""
    return [text for name in names if name in element for text in texts(element[name]) or []]


def condition_keys(element: Element) -> Iterator[ConditionKey]:
    """The keys of the statement's condition, operator by operator."""
    block = element.get("Condition")
    for operator, keys in block.items() if isinstance(block, Mapping) else ():
        use = read_operator(str(operator))
        if use is not None and isinstance(keys, Mapping):
            for key, value in keys.items():
                yield ConditionKey(str(operator), use, str(key), scalars(value))


def keys_of(element: Element) -> set[str]:
    """The keys of the statement's condition, in lower case."""
    return {entry.key.lower() for entry in condition_keys(element)}
