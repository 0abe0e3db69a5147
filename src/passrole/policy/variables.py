"""Policy text read into tokens: letters, wildcards and policy variables.

It knows nothing of how the tokens are matched. A variable's value enters as letters, so a `*` inside a
tag's value never becomes a wildcard; `${*}`, `${?}` and `${$}` are those letters themselves. Variables
exist only in documents of version 2012-10-17; in older ones `${aws:username}` is plain text.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeGuard

from passrole.policy.scope import Scope


class Wild(Enum):
    """A wildcard: any letters, or exactly one."""

    STAR = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`; the key is in lower case, as keys compare without letter case."""

    key: str
    default: str | None


Text = tuple[str | Wild, ...]
Template = tuple[str | Wild | Variable, ...]

_LETTERS: Final = frozenset("*?$")


def read(text: str, *, variables: bool, wildcards: bool = True) -> Template:
    """The tokens of one policy value; neighbouring letters are one token, and an empty text has none."""
    tokens: list[str | Wild | Variable] = []
    start = at = 0
    while at < len(text):
        token, end = _special(text, at, variables, wildcards)
        if token is None:
            # An opened `${` without its brace is text, and so is every later one.
            variables = variables and end != -1
            at += 1
            continue
        _add_letters(tokens, text[start:at])
        if isinstance(token, str):
            _add_letters(tokens, token)
        else:
            tokens.append(token)
        start = at = end
    _add_letters(tokens, text[start:])
    return tuple(tokens)


def resolve(template: Template, scope: Scope) -> Text | None:
    """The template with its variables filled in, or None where one of them has no single value."""
    tokens: list[str | Wild] = []
    for token in template:
        if isinstance(token, Variable):
            value = scope.value(token.key)
            # A multivalued key cannot be a variable; an absent one falls back on its default.
            letters = token.default if value is None else value
            if not isinstance(letters, str):
                return None
            tokens.append(letters)
        else:
            tokens.append(token)
    return tuple(tokens)


def is_fixed(template: Template) -> TypeGuard[Text]:
    """Whether the template has no variables, so that it can be compiled once and for all."""
    return not any(isinstance(token, Variable) for token in template)


def _special(
    text: str, at: int, variables: bool, wildcards: bool
) -> tuple[str | Wild | Variable | None, int]:
    """The token that begins at `at` and its end; None for a plain letter, -1 where a brace never closes."""
    letter = text[at]
    if wildcards and letter in "*?":
        return Wild(letter), at + 1
    if variables and letter == "$" and text.startswith("{", at + 1):
        close = text.find("}", at)
        return (_variable(text[at + 2 : close]), close + 1) if close != -1 else (None, -1)
    return None, at


def _variable(inside: str) -> str | Variable:
    if inside in _LETTERS:
        return inside
    key, comma, default = inside.partition(",")
    default = default.strip()
    quoted = comma and len(default) >= 2 and default[0] == default[-1] == "'"
    return Variable(key.strip().lower(), default[1:-1] if quoted else None)


def _add_letters(tokens: list[str | Wild | Variable], letters: str) -> None:
    if not letters:
        return
    if tokens and isinstance(tokens[-1], str):
        letters = tokens.pop() + letters  # type: ignore[operator]  # just seen to be text
    tokens.append(letters)
