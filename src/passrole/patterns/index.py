"""An index of patterns, so that an event is tested only against those that may match.

Almost every pattern requires one of a few strings of `source` and of `detail-type`. Such a branch is stored
under each pair of them (with None for any value), and an event is looked up under the four pairs that can
match. So a thousand rules cost no more than those that share the event's source and type.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from itertools import product
from typing import Any, Generic, TypeVar

from passrole.patterns.fields import Branch, Node, Path, fits, tree
from passrole.patterns.pattern import Pattern

K = TypeVar("K", bound=Hashable)
IndexKey = tuple[str | None, str | None]
"""A source and a detail-type; None for any."""

_SOURCE: Path = ("source",)
_DETAIL_TYPE: Path = ("detail-type",)


class Rules(Generic[K]):
    """Patterns by key."""

    def __init__(self) -> None:
        self._branches: defaultdict[IndexKey, dict[tuple[K, int], Node]] = defaultdict(dict)
        self._keys_of: dict[K, list[IndexKey]] = {}

    def put(self, key: K, pattern: Pattern) -> None:
        """Store a pattern; it replaces an earlier one with the same key."""
        self.remove(key)
        index_keys = self._keys_of.setdefault(key, [])
        for number, branch in enumerate(pattern.branches):
            root = tree(branch)
            for index_key in _index_keys(branch):
                self._branches[index_key][key, number] = root
                index_keys.append(index_key)

    def remove(self, key: K) -> None:
        """Remove the pattern with the key, if there is one."""
        for index_key in self._keys_of.pop(key, ()):
            branches = self._branches[index_key]
            for entry in [entry for entry in branches if entry[0] == key]:
                del branches[entry]
            if not branches:
                del self._branches[index_key]

    def matching(self, event: Mapping[str, Any]) -> list[K]:
        """The keys of the patterns that match the event, each once."""
        found: dict[K, None] = {}
        for index_key in _event_keys(event):
            for (key, _), root in self._branches.get(index_key, {}).items():
                if key not in found and fits(root, event):
                    found[key] = None
        return list(found)


def _index_keys(branch: Branch) -> Iterator[IndexKey]:
    return product(_required(branch, _SOURCE), _required(branch, _DETAIL_TYPE))


def _required(branch: Branch, path: Path) -> list[str | None]:
    """The strings of which the branch requires one; [None] if it accepts others too."""
    matchers = branch.get(path, ())
    strings = [matcher.exact for matcher in matchers]
    return list(dict.fromkeys(strings)) if matchers and None not in strings else [None]


def _event_keys(event: Mapping[str, Any]) -> Iterator[IndexKey]:
    return product(_event_values(event, "source"), _event_values(event, "detail-type"))


def _event_values(event: Mapping[str, Any], name: str) -> list[str | None]:
    value = event.get(name)
    if isinstance(value, str):
        return [value, None]
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return [*dict.fromkeys(texts), None]
