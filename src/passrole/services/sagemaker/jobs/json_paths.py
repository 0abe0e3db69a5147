"""The part of JSONPath that batch transform knows: it selects of one record, without filters or recursion.

    $   .name   .*   [*]   ['a','b']   [0,-1]   [1:]   [0,5:]

A name or an index that is not there is an error, as AWS says of indexes.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators
"""

from collections.abc import Sequence
from typing import Any

Slice = tuple[int | None, int | None]
Selector = str | int | Slice
Step = tuple[Selector, ...] | None
"""Names or indexes of one pair of brackets; None is the wildcard."""

_NAME_ENDS = ".["


class BadPath(ValueError):
    """It is no expression that batch transform knows; the message says where."""


class NothingThere(ValueError):
    """The record has nothing at the path; the message says what is missing."""


def parse(expression: str) -> list[Step]:
    """The steps of an expression; none for `$`. Raises BadPath."""
    if not expression.startswith("$"):
        raise BadPath(f"{expression!r} does not begin with $")
    steps: list[Step] = []
    at = 1
    while at < len(expression):
        if expression[at] == "[":
            end = _closing(expression, at)
            steps.append(_bracketed(expression[at + 1 : end], expression))
            at = end + 1
        elif expression.startswith(".[", at):
            at += 1
        elif expression[at] == ".":
            ends = (i for i in range(at + 1, len(expression)) if expression[i] in _NAME_ENDS)
            end = next(ends, len(expression))
            name = expression[at + 1 : end]
            if not name:
                raise BadPath(f"{expression!r} has an empty name, or asks for recursion")
            steps.append(None if name == "*" else (name,))
            at = end
        else:
            raise BadPath(f"{expression!r} has {expression[at]!r} where a dot or a bracket belongs")
    return steps


def selected(record: Any, steps: Sequence[Step]) -> Any:
    """What the steps lead to in a record. Raises NothingThere."""
    if not steps:
        return record
    step, rest = steps[0], steps[1:]
    if step is None:
        return [selected(each, rest) for each in _children(record)]
    if len(step) == 1 and not isinstance(step[0], tuple):
        return selected(_child(record, step[0]), rest)
    if all(isinstance(each, str) for each in step):
        return {each: selected(_child(record, each), rest) for each in step if isinstance(each, str)}
    return [selected(each, rest) for each in _several(record, step)]


def _closing(expression: str, start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    quote = ""
    for at in range(start + 1, len(expression)):
        letter = expression[at]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "]":
            return at
    raise BadPath(f"{expression!r} has a bracket that does not close")


def _bracketed(inside: str, expression: str) -> Step:
    if inside.strip() == "*":
        return None
    words = [word.strip() for word in _separated(inside)]
    found = tuple(_selector(word, expression) for word in words)
    if len({isinstance(each, str) for each in found}) > 1:
        raise BadPath(f"{expression!r} has names and indexes in one bracket")
    return found


def _separated(inside: str) -> list[str]:
    """At the commas outside of quotes."""
    words, quote = [""], ""
    for letter in inside:
        if not quote and letter == ",":
            words.append("")
            continue
        if letter in "'\"" and quote in ("", letter):
            quote = "" if quote else letter
        words[-1] += letter
    return words


def _selector(word: str, expression: str) -> Selector:
    if len(word) > 2 and word[0] == word[-1] and word[0] in "'\"":
        return word[1:-1]
    start, colon, end = word.partition(":")
    try:
        if colon:
            return (int(start) if start else None, int(end) if end else None)
        return int(word)
    except ValueError:
        raise BadPath(f"{expression!r} has {word!r}, which is no name in quotes, index or slice") from None


def _child(record: Any, selector: Selector) -> Any:
    if isinstance(selector, str) and isinstance(record, dict) and selector in record:
        return record[selector]
    if isinstance(selector, int) and isinstance(record, list) and -len(record) <= selector < len(record):
        return record[selector]
    raise NothingThere(f"{selector!r} is not in the record")


def _several(record: Any, step: Sequence[Selector]) -> list[Any]:
    if not isinstance(record, list):
        raise NothingThere("the record is no list, and an index selects of it")
    found: list[Any] = []
    for each in step:
        if not isinstance(each, tuple):
            found.append(_child(record, each))
            continue
        if (each[0] or 0) > len(record):
            raise NothingThere(f"{each[0]} is not in the record, which has {len(record)} values")
        found += record[slice(*each)]
    return found


def _children(record: Any) -> list[Any]:
    if isinstance(record, dict):
        return list(record.values())
    if isinstance(record, list):
        return record
    raise NothingThere("the record has no members, and * selects of it")
