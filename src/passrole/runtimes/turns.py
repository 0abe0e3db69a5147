"""Fair queueing for a limited number of slots: parties take turns, and no party takes every slot.

A party is a name, such as that of a pipeline execution. Items without a name are one party, which may take
every slot. A party with a name leaves an eighth of the slots to the others, so that a later party begins at
once and not only when a long item ends. Pure: it does not wait itself.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

NOBODY = ""
LEFT_TO_OTHERS = 1 / 8


class Turns(Generic[T]):
    """`slots` in all. An item that `begin` returned has a slot until `end`."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._share = slots - int(slots * LEFT_TO_OTHERS)
        self._taken = 0
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        """The number of waiting items."""
        return self._length

    @property
    def taken(self) -> int:
        """The number of slots that are held."""
        return self._taken

    @property
    def free(self) -> int:
        """The number of free slots."""
        return self._slots - self._taken

    def add(self, party: str, item: T) -> None:
        """Append the item to the queue of its party."""
        self._waiting.setdefault(party, deque()).append(item)
        self._length += 1

    def begin(self) -> tuple[str, T] | None:
        """The next item that gets a slot, with its party; None if there is none."""
        if self._taken >= self._slots:
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
        """Free a slot of the party."""
        self._taken -= 1
        self._held[party] -= 1
        if not self._held[party]:
            del self._held[party]

    @property
    def parties(self) -> list[str]:
        """Those that have waiting items."""
        return list(self._waiting)

    def waiting(self, party: str) -> int:
        """The number of waiting items of a party."""
        return len(self._waiting.get(party, ()))

    def withdraw(self, party: str) -> Iterator[T]:
        """Remove and return the waiting items of a party."""
        items = self._waiting.pop(party, deque())
        self._length -= len(items)
        return iter(items)

    def _may_begin(self, party: str) -> bool:
        return party == NOBODY or self._held[party] < self._share
