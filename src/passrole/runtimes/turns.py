"""Who goes next where many wait for few places: parties take turns, and no party takes every place.

A party is whatever its name stands for, such as a pipeline execution; those without a name are one party,
which may take every place. One with a name leaves an eighth of the places to the others, so that who comes
later begins at once and not when the first of long pieces of work ends. Pure: it does not wait itself.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

NOBODY = ""
LEFT_TO_OTHERS = 1 / 8


class Turns(Generic[T]):
    """`places` in all. What is taken by `begin` has a place until `end`."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._share = places - int(places * LEFT_TO_OTHERS)
        self._taken = 0
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._length

    @property
    def free(self) -> int:
        """How many places are free."""
        return self._places - self._taken

    def add(self, party: str, item: T) -> None:
        """Have the item wait, behind those of its party."""
        self._waiting.setdefault(party, deque()).append(item)
        self._length += 1

    def begin(self) -> tuple[str, T] | None:
        """The next that may have a place, with its party; None where nobody may."""
        if self._taken >= self._places:
            return None
        party = next(filter(self._may_begin, self._waiting), None)
        if party is None:
            return None
        items = self._waiting[party]
        item = items.popleft()
        self._length -= 1
        self._waiting.move_to_end(party)
        if not items:
            del self._waiting[party]
        self._taken += 1
        self._held[party] += 1
        return party, item

    def end(self, party: str) -> None:
        """A place of the party is free again."""
        self._taken -= 1
        self._held[party] -= 1
        if not self._held[party]:
            del self._held[party]

    def waiting(self, party: str) -> int:
        """How many of a party wait."""
        return len(self._waiting.get(party, ()))

    def withdraw(self, party: str) -> Iterator[T]:
        """All of the party that wait, which wait no longer."""
        items = self._waiting.pop(party, deque())
        self._length -= len(items)
        return iter(items)

    def _may_begin(self, party: str) -> bool:
        return party == NOBODY or self._held[party] < self._share
