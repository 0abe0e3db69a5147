"""JSON paths of EventBridge's targets and of JsonGet: names after dots, indexes and names in brackets."""

from typing import Any

ABSENT: Any = object()
"""The result of a path that does not exist in the document."""


class InvalidPath(Exception):
    """Not a path of this kind."""


def value_at(document: Any, path: str) -> Any:
    """The document's value at the path, or ABSENT. Raises InvalidPath."""
    found = document
    for part in parse_path(path):
        if isinstance(part, int):
            found = found[part] if isinstance(found, list) and part < len(found) else ABSENT
        else:
            found = found.get(part, ABSENT) if isinstance(found, dict) else ABSENT
    return found


def rooted(path: str) -> str:
    """A path of JsonGet (`a.b[0]`, `['a'].b`) as one that begins with `$`."""
    return path if path.startswith("$") else f"${path}" if path.startswith("[") else f"$.{path}"


def parse_path(path: str) -> list[str | int]:
    """The names and indexes of a path. Raises InvalidPath."""
    if not path.startswith("$"):
        raise InvalidPath(path)
    parts: list[str | int] = []
    rest = path[1:]
    while rest:
        part, rest = _in_brackets(rest) if rest.startswith("[") else _after_dot(rest)
        parts.append(part)
    return parts


def _after_dot(rest: str) -> tuple[str, str]:
    if not rest.startswith("."):
        raise InvalidPath(rest)
    end = min((at for at in (rest.find(".", 1), rest.find("[", 1)) if at > 0), default=len(rest))
    name = rest[1:end]
    if not name or any(letter in "*@?()" for letter in name):
        raise InvalidPath(rest)
    return name, rest[end:]


def _in_brackets(rest: str) -> tuple[str | int, str]:
    inner, bracket, after = rest[1:].partition("]")
    if not bracket:
        raise InvalidPath(rest)
    if inner.isdecimal() and len(inner) < 10:
        return int(inner), after
    if len(inner) > 2 and inner[0] == inner[-1] and inner[0] in "'\"":
        return inner[1:-1], after
    raise InvalidPath(rest)
