"""A branch of a pattern as a tree of fields, and how an event is held against it.

Fields AND, the members of a field's list OR. An array of an event offers its elements. Fields below the
same array must be found in the same element: {"a": {"x": [1], "y": [2]}} does not want {"a": [{"x": 1},
{"y": 2}]}. A dot in a name is the same as nesting, in patterns and in events.
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
    """A name of the pattern: what is wanted of it, if it is a field, and the names below it."""

    leaf: "_Leaf | None" = None
    children: "dict[str, Node]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: Path
    matchers: tuple[Matcher, ...]
    exact: frozenset[str] | None
    """The strings that alone will do, if there are no other matchers: found without asking each."""
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
    """Whether the event has everything that the branch wants."""
    return _fits(root, event, event)


def _leaf(path: Path, matchers: tuple[Matcher, ...]) -> _Leaf:
    strings = [matcher.exact for matcher in matchers if matcher.exact is not None]
    exact = frozenset(strings) if len(strings) == len(matchers) else None
    return _Leaf(path, matchers, exact, any(matcher.absence for matcher in matchers))


def _fits(node: Node, value: Any, event: Mapping[str, Any]) -> bool:
    """`value` is what the event has at the node; the children must all be found in one object of it."""
    if node.leaf is not None and not _leaf_fits(node.leaf, value, event):
        return False
    if not node.children:
        return True
    if isinstance(value, dict):
        return _children_fit(node, value, event)
    objects = list(_objects(value)) if isinstance(value, list) else []
    if not objects:
        return _children_fit(node, {}, event)
    return any(_children_fit(node, each, event) for each in objects)


def _children_fit(node: Node, value: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    return all(_fits(child, _at(value, name), event) for name, child in node.children.items())


def _at(value: Mapping[str, Any], name: str) -> Any:
    """What an object has under a name; names with dots in the object count as nested."""
    if name in value:
        return value[name]
    head = name + "."
    joined = {key[len(head) :]: inner for key, inner in value.items() if key.startswith(head)}
    return joined or _NOTHING


def _leaf_fits(leaf: _Leaf, value: Any, event: Mapping[str, Any]) -> bool:
    if leaf.exact is not None and isinstance(value, str):
        return value in leaf.exact
    for each in _scalars(value):
        if any(matcher.test(each) for matcher in leaf.matchers):
            return True
    return leaf.absence and not _is_anywhere(leaf.path, event)


def _scalars(value: Any) -> Iterator[Any]:
    """The scalars of a field, those of arrays in arrays included; none of an object or of nothing."""
    if value is _NOTHING or isinstance(value, dict):
        return
    if not isinstance(value, list):
        yield value
        return
    pending = [iter(value)]
    while pending:
        for each in pending[-1]:
            if isinstance(each, list):
                pending.append(iter(each))
                break
            if not isinstance(each, dict):
                yield each
        else:
            pending.pop()


def _objects(value: list[Any]) -> Iterator[Mapping[str, Any]]:
    """The objects in an array, those of arrays in arrays included."""
    pending: list[Any] = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            yield each
        elif isinstance(each, list):
            pending.extend(reversed(each))


def _is_anywhere(path: Path, event: Mapping[str, Any]) -> bool:
    """Whether the event has a scalar at the path, in whichever element of its arrays."""
    found: list[Any] = [event]
    for name in path:
        found = [_at(each, name) for value in found for each in _objects([value])]
    return any(next(_scalars(value), _NOTHING) is not _NOTHING for value in found)
