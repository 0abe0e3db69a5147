"""Reads JSON objects by their schema and collects all problems.

A Node records which of its properties were read; `close` reports the others as unknown, so the code that
reads a type of step is also the list of its properties. An invalid property is read as an empty value, so
that callers need not handle problems; `document.py` discards the result.
"""

import re

from passrole.definition import problems as problem
from passrole.definition.expressions import Constant, Expression, Json, read_expression
from passrole.definition.problems import Problem

NAME_PATTERN = r"[A-Za-z0-9\-_]{1,64}"
_NAME = re.compile(NAME_PATTERN)


class Node:
    """One JSON object of a definition."""

    def __init__(self, value: dict[str, Json], where: str, found: list[Problem]) -> None:
        self.where = where
        self.found = found
        self._value = value
        self._asked: set[str] = set()

    def path(self, key: str) -> str:
        """The path of the property `key`."""
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Whether the property is present; this does not count as reading it."""
        return key in self._value

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its properties."""
        return tuple(self._value)

    def allow(self, *keys: str) -> None:
        """Accept these properties with any value."""
        self._asked.update(keys)

    def close(self) -> None:
        """Report every property that was not read as unknown."""
        for key in self._value:
            if key not in self._asked:
                self.found.append(problem.unknown_property(self.path(key), key))

    def any(self, key: str, *, required: bool = True) -> Json:
        """The property's value; null and absent are the same."""
        self._asked.add(key)
        value = self._value.get(key)
        if required and key not in self._value:
            self.found.append(problem.missing_property(self.where, key))
        return value

    def text(self, key: str, *, required: bool = True, limit: int | None = None) -> str | None:
        """A string of at most `limit` characters."""
        value = self.any(key, required=required)
        if value is None and (not required or not self.has(key)):
            return None
        if not isinstance(value, str):
            self.found.append(problem.wrong_type(self.path(key), key, "String"))
            return None
        if limit is not None and len(value) > limit:
            self.found.append(problem.too_many_characters(self.path(key), key, limit))
        return value

    def name(self, key: str) -> str:
        """A name of a step or parameter."""
        value = self.text(key)
        if value is None:
            return ""
        if not _NAME.fullmatch(value):
            self.found.append(problem.bad_name(self.path(key), value, key, NAME_PATTERN))
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """A string out of `allowed`."""
        value = self.text(key)
        if value is not None and value not in allowed:
            self.found.append(problem.not_in_enum(self.path(key), value, key, allowed))
            return None
        return value

    def flag(self, key: str) -> bool:
        """A boolean; absent is false."""
        value = self.any(key, required=False)
        if value is not None and not isinstance(value, bool):
            self.found.append(problem.wrong_type(self.path(key), key, "Boolean"))
        return value is True

    def number(self, key: str, *, limit: float | None = None) -> float | None:
        """A number that is not negative, and at most `limit`; absent is None."""
        value = self.any(key, required=False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            self.found.append(problem.wrong_type(self.path(key), key, "Number"))
            return None
        if limit is not None and value > limit:
            self.found.append(problem.too_large(self.path(key), key, limit))
        return float(value)

    def whole_number(self, key: str, *, limit: float | None = None) -> int | None:
        """A number as above without a fraction."""
        value = self.number(key, limit=limit)
        if value is None:
            return None
        if not value.is_integer():
            self.found.append(problem.wrong_type(self.path(key), key, "Integer"))
            return None
        return int(value)

    def list(self, key: str, *, required: bool = True) -> list[Json]:
        """A list; absent is empty."""
        value = self.any(key, required=required)
        if value is None and (not required or not self.has(key)):
            return []
        if not isinstance(value, list):
            self.found.append(problem.wrong_type(self.path(key), key, "List"))
            return []
        return value

    def object(self, key: str, *, required: bool = True) -> "Node | None":
        """A nested object."""
        value = self.any(key, required=required)
        if isinstance(value, dict):
            return Node(value, self.path(key), self.found)
        if value is not None or (required and self.has(key)):
            self.found.append(problem.wrong_type(self.path(key), key, "Object"))
        return None

    def objects(self, key: str, *, required: bool = True) -> "tuple[Node, ...]":
        """A list of objects."""
        nodes = []
        for index, value in enumerate(self.list(key, required=required)):
            where = f"{self.path(key)}[{index}]"
            if isinstance(value, dict):
                nodes.append(Node(value, where, self.found))
            else:
                self.found.append(problem.wrong_type(where, key, "Object"))
        return tuple(nodes)

    def expression(self, key: str, *, required: bool = True) -> Expression:
        """A value that may contain references."""
        return read_expression(self.any(key, required=required), self.path(key), self.found)

    def text_expression(self, key: str) -> Expression:
        """An expression that may evaluate to a string: anything but a literal of another type."""
        expression = self.expression(key)
        if isinstance(expression, Constant) and not isinstance(expression.value, str) and self.has(key):
            self.found.append(problem.wrong_type(self.path(key), key, "String"))
        return expression

    def expressions(self, key: str) -> "tuple[Expression, ...]":
        """A list of values that may contain references."""
        values = enumerate(self.list(key))
        return tuple(read_expression(value, f"{self.path(key)}[{i}]", self.found) for i, value in values)
