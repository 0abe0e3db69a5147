"""Filter patterns over plain text: which messages contain what.

Knows no regular expressions: `%...%`, JSON and space-delimited patterns are refused. Terms are
case-sensitive and found anywhere in a message, as AWS documents.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from passrole.services.logs import refusals

_OTHER_KINDS = {"{": "JSON", "[": "space-delimited", "%": "regular expression"}


@dataclass(frozen=True)
class Pattern:
    """Wants all of `all_`, none of `none` and, where only they are given, one of `any_`."""

    all_: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    any_: tuple[str, ...] = ()

    def matches(self, message: str) -> bool:
        """Whether the message is wanted."""
        if any(term in message for term in self.none) or not all(term in message for term in self.all_):
            return False
        # AWS ignores the `?` of a pattern that has other terms too
        return not self.any_ or bool(self.all_ or self.none) or any(term in message for term in self.any_)


def parse(text: str) -> Pattern:
    """The pattern of a text; an empty one matches everything. Raises InvalidParameterException."""
    text = text.strip()
    if text[:1] in _OTHER_KINDS:
        raise refusals.invalid(f"passrole does not support {_OTHER_KINDS[text[0]]} filter patterns")
    terms = list(_terms(text))
    return Pattern(*(tuple(term for sign, term in terms if sign == which) for which in ("", "-", "?")))


def _terms(text: str) -> Iterator[tuple[str, str]]:
    """Each term with its sign."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        sign = text[position] if text[position] in "-?" else ""
        position += len(sign)
        term, position = (
            _quoted(text, position + 1) if text[position : position + 1] == '"' else _word(text, position)
        )
        if not term:
            raise refusals.invalid("Invalid filter pattern: a term is empty")
        yield sign, term


def _quoted(text: str, position: int) -> tuple[str, int]:
    found = []
    while position < len(text) and text[position] != '"':
        position += text[position] == "\\" and text[position + 1 : position + 2] in ('"', "\\")
        found.append(text[position])
        position += 1
    if position == len(text):
        raise refusals.invalid("Invalid filter pattern: a quotation mark is not closed")
    return "".join(found), position + 1


def _word(text: str, position: int) -> tuple[str, int]:
    end = position
    while end < len(text) and not text[end].isspace():
        end += 1
    word = text[position:end]
    if not word.replace("_", "a").isalnum() and word:
        raise refusals.invalid(f"Invalid character(s) in term '{word}'")
    return word, end
