"""The condition keys that a policy uses, in its Condition blocks and as policy variables.

Keys keep the policy's spelling; a key in two letter cases is listed once, in its first spelling. Variables
count only in documents of version 2012-10-17.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from passrole.policy.conditions import scalars
from passrole.policy.elements import statements

_VERSION_WITH_VARIABLES: Final = "2012-10-17"
_ESCAPES: Final = frozenset("*?$")


def context_keys(document: Mapping[str, object]) -> list[list[str]]:
    """The keys of each statement, in the order of the statements."""
    variables = document.get("Version") == _VERSION_WITH_VARIABLES
    return [distinct(_of_statement(element, variables)) for element in statements(document)]


def distinct(keys: Iterator[str] | Sequence[str]) -> list[str]:
    """Each key once, in the order and spelling of its first appearance, ignoring letter case."""
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.lower(), key)
    return list(first.values())


def _of_statement(element: Mapping[str, object], variables: bool) -> Iterator[str]:
    for name in ("Resource", "NotResource"):
        if variables and name in element:
            yield from _variables(element[name])
    block = element.get("Condition")
    for keys in block.values() if isinstance(block, Mapping) else ():
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            yield str(key)
            if variables:
                yield from _variables(values)


def _variables(value: object) -> Iterator[str]:
    for text in scalars(value):
        at = text.find("${")
        while at != -1 and (close := text.find("}", at)) != -1:
            inside = text[at + 2 : close]
            if inside not in _ESCAPES:
                yield inside.partition(",")[0].strip()
            at = text.find("${", close)
