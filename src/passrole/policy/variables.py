"""Tokenises policy text into letters, wildcards and policy variables.

A variable's value is inserted as letters, so a `*` in a tag's value never becomes a wildcard; `${*}`, `${?}`
and `${$}` are those letters themselves. Variables exist only in documents of version 2012-10-17; in older
ones `${aws:username}` is plain text.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeGuard

from passrole.policy.scope import Scope


class Wild(Enum):
    """A wildcard: any number of letters, or exactly one."""

    STAR = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`; the key is in lower case, as keys ignore letter case."""

    key: str
    default: str | None


Text = tuple[str | Wild, ...]
Template = tuple[str | Wild | Variable, ...]

_LETTERS: Final = frozenset("*?$")
_NEVER: Final = -1


def read(text: str, *, variables: bool, wildcards: bool = True) -> Template:
    """The tokens of one policy value; consecutive letters are one token, and an empty text has none."""
    tokens: list[str | Wild | Variable] = []
    letters: list[str] = []
    at = 0
    while at < len(text):
        token, end = _token(text, at, variables, wildcards)
        # An opened `${` without its brace is text, and so is every later one.
        variables = variables and end != _NEVER
        at = at + 1 if end == _NEVER else end
        if isinstance(token, str):
            letters.append(token)
            continue
        tokens.extend(_joined(letters))
        letters.clear()
        tokens.append(token)
    tokens.extend(_joined(letters))
    return tuple(tokens)


def resolve(template: Template, scope: Scope) -> Text | None:
    """The template with its variables filled in; None if one of them has no single value."""
    tokens: list[str | Wild] = []
    for token in template:
        if isinstance(token, Variable):
            value = scope.value(token.key)
            # A multivalued key cannot be a variable; an absent key uses the default.
            letters = token.default if value is None else value
            if not isinstance(letters, str):
                return None
            tokens.append(letters)
        else:
            tokens.append(token)
    return tuple(tokens)


def is_fixed(template: Template) -> TypeGuard[Text]:
    """Whether the template has no variables, so that it can be compiled once."""
    return not any(isinstance(token, Variable) for token in template)


def _token(text: str, at: int, variables: bool, wildcards: bool) -> tuple[str | Wild | Variable, int]:
    """The token that begins at `at` and its end; the letter and _NEVER if a brace is not closed."""
    letter = text[at]
    if wildcards and letter in "*?":
        return Wild(letter), at + 1
    if variables and letter == "$" and text.startswith("{", at + 1):
        close = text.find("}", at)
        return (letter, _NEVER) if close == -1 else (_variable(text[at + 2 : close]), close + 1)
    return letter, at + 1


def _variable(inside: str) -> str | Variable:
    if inside in _LETTERS:
        return inside
    key, comma, default = inside.partition(",")
    default = default.strip()
    quoted = comma and len(default) >= 2 and default[0] == default[-1] == "'"
    return Variable(key.strip().lower(), default[1:-1] if quoted else None)


def _joined(letters: list[str]) -> list[str]:
    return ["".join(letters)] if letters else []


def as_letters(text: str) -> str:
    """The text with `${` escaped, so that a policy takes it for letters and not for a variable."""
    return text.replace("${", "${$}{")
