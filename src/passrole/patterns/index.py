"""Many patterns, of which an event asks only those that may want it.

Almost every pattern demands one of a few strings of `source` and of `detail-type`. A branch that does is
kept under each pair of them (with None for what it leaves open), and an event looks in the four places
where a branch for it can be. So a thousand rules cost no more than those that share the event's source and
type.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from itertools import product
from typing import Any, Generic, TypeVar

from passrole.patterns.fields import Branch, Node, Path, fits, tree
from passrole.patterns.pattern import Pattern

K = TypeVar("K", bound=Hashable)
Place = tuple[str | None, str | None]
_SOURCE: Path = ("source",)
_DETAIL_TYPE: Path = ("detail-type",)


class Rules(Generic[K]):
    """Patterns under keys."""

    def __init__(self) -> None:
        self._places: defaultdict[Place, dict[tuple[K, int], Node]] = defaultdict(dict)
        self._kept: dict[K, list[Place]] = {}

    def put(self, key: K, pattern: Pattern) -> None:
        """Keep a pattern in place of the one that was under the key."""
        self.remove(key)
        kept = self._kept.setdefault(key, [])
        for number, branch in enumerate(pattern.branches):
            root = tree(branch)
            for place in _places(branch):
                self._places[place][key, number] = root
                kept.append(place)

    def remove(self, key: K) -> None:
        """Forget the pattern under the key, if there is one."""
        for place in self._kept.pop(key, ()):
            there = self._places[place]
            for entry in [entry for entry in there if entry[0] == key]:
                del there[entry]
            if not there:
                del self._places[place]

    def matching(self, event: Mapping[str, Any]) -> list[K]:
        """The keys of the patterns that want the event, each once."""
        found: dict[K, None] = {}
        for place in _looked_at(event):
            for (key, _), root in self._places.get(place, {}).items():
                if key not in found and fits(root, event):
                    found[key] = None
        return list(found)


def _places(branch: Branch) -> Iterator[Place]:
    return product(_demanded(branch, _SOURCE), _demanded(branch, _DETAIL_TYPE))


def _demanded(branch: Branch, path: Path) -> list[str | None]:
    """The strings of which the branch demands one, or None where it takes others too."""
    matchers = branch.get(path, ())
    strings = [matcher.exact for matcher in matchers]
    return list(dict.fromkeys(strings)) if matchers and None not in strings else [None]


def _looked_at(event: Mapping[str, Any]) -> Iterator[Place]:
    return product(_offered(event, "source"), _offered(event, "detail-type"))


def _offered(event: Mapping[str, Any], name: str) -> list[str | None]:
    value = event.get(name)
    if isinstance(value, str):
        return [value, None]
    texts = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
    return [*dict.fromkeys(texts), None]
