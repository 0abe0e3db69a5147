"""A branch of a pattern as a tree of fields, and the matching of an event against it.

Fields are ANDed, the members of a field's list are ORed. An array in an event matches by any of its elements.
Fields below the same array must match in the same element: {"a": {"x": [1], "y": [2]}} does not match
{"a": [{"x": 1}, {"y": 2}]}. A dot in a name is the same as nesting, in patterns and in events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from passrole.patterns.matchers import Matcher

Path: TypeAlias = tuple[str, ...]
Branch: TypeAlias = Mapping[Path, Sequence[Matcher]]
_NOTHING = object()


@dataclass(slots=True)
class Node:
    """A name of the pattern: its matchers if it is a field, and the names below it."""

    leaf: "_Leaf | None" = None
    children: "dict[str, Node]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: Path
    matchers: tuple[Matcher, ...]
    exact: frozenset[str] | None
    """The accepted strings if there are no other matchers: one look-up instead of many tests."""
    absence: bool


def tree(branch: Branch) -> Node:
    """The tree of a branch."""
    root = Node()
    for path, matchers in branch.items():
        node = root
        for name in path:
            node = node.children.setdefault(name, Node())
        node.leaf = _leaf(path, tuple(matchers))
    return root


def fits(root: Node, event: Mapping[str, Any]) -> bool:
    """Whether the event matches the branch."""
    return _fits(root, event, event)


def _leaf(path: Path, matchers: tuple[Matcher, ...]) -> _Leaf:
    strings = [matcher.exact for matcher in matchers if matcher.exact is not None]
    exact = frozenset(strings) if len(strings) == len(matchers) else None
    return _Leaf(path, matchers, exact, any(matcher.absence for matcher in matchers))


def _fits(node: Node, value: Any, event: Mapping[str, Any]) -> bool:
    """`value` is the event's value at the node; all children must match in one object of it."""
    if node.leaf is not None and not _leaf_fits(node.leaf, value, event):
        return False
    if not node.children:
        return True
    if isinstance(value, dict):
        return _children_fit(node, value, event)
    objects = list(_objects(value)) if isinstance(value, list) else []
    if not objects:
        return _children_fit(node, {}, event)
    return any(_children_fit(node, item, event) for item in objects)


def _children_fit(node: Node, value: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    return all(_fits(child, _at(value, name), event) for name, child in node.children.items())


def _at(value: Mapping[str, Any], name: str) -> Any:
    """An object's value by name; names with dots in the object count as nested."""
    if name in value:
        return value[name]
    head = name + "."
    joined = {key[len(head) :]: inner for key, inner in value.items() if key.startswith(head)}
    return joined or _NOTHING


def _leaf_fits(leaf: _Leaf, value: Any, event: Mapping[str, Any]) -> bool:
    if leaf.exact is not None and isinstance(value, str):
        return value in leaf.exact
    for scalar in _scalars(value):
        if any(matcher.test(scalar) for matcher in leaf.matchers):
            return True
    return leaf.absence and not _is_anywhere(leaf.path, event)


def _scalars(value: Any) -> Iterator[Any]:
    """The scalars of a field, also in nested arrays; none for an object or an absent field."""
    if value is _NOTHING or isinstance(value, dict):
        return
    if not isinstance(value, list):
        yield value
        return
    pending = [iter(value)]
    while pending:
        for item in pending[-1]:
            if isinstance(item, list):
                pending.append(iter(item))
                break
            if not isinstance(item, dict):
                yield item
        else:
            pending.pop()


def _objects(value: list[Any]) -> Iterator[Mapping[str, Any]]:
    """The objects in an array, also in nested arrays."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
        elif isinstance(item, list):
            pending.extend(reversed(item))


def _is_anywhere(path: Path, event: Mapping[str, Any]) -> bool:
    """Whether the event has a scalar at the path, in any element of its arrays."""
    found: list[Any] = [event]
    for name in path:
        found = [_at(each, name) for value in found for each in _objects([value])]
    return any(next(_scalars(value), _NOTHING) is not _NOTHING for value in found)
