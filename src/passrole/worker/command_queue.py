"""Commands of one kind on their way from rows to hands: few in memory, and executions take turns.

In memory are those under way and WAITING_MAX more, of one execution at most EACH_WAITING_MAX; the others are
rows and nothing else. It reads rows and writes none; what is performed, and what is recorded of it, is
loop.py's.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from passrole.clock import Clock
from passrole.engine.commands import Command
from passrole.history import Task, outbox
from passrole.runtimes.turns import Turns
from passrole.store import Store, tasks
from passrole.store.share import shard_of

WAITING_MAX = 256
EACH_WAITING_MAX = 32


class CommandQueue:
    """`places` is how many may be under way at once."""

    def __init__(self, store: Store, command: type[Command], places: int, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.kind = outbox.kind_of(command)
        self.channel = tasks.channel(self.kind)
        self.should_look = True
        """Whether there may be rows that would be taken now."""
        self.is_caught_up = False
        """Whether all that an earlier process left has been taken."""
        self._has_more = False
        self._last = ""
        self._known_due = -math.inf
        self._catches_up = False
        self._opened: frozenset[int] = frozenset()
        self._done_meanwhile: set[str] | None = None
        """What was forgotten since a look began, and may be a row of what it sees."""
        self._turns: Turns[Task] = Turns(places)
        self._held: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """When the tasks of each execution were known to be due, and to be nobody else's."""

    async def look(self) -> list[Task]:
        """Rows as far as there is room; they are in memory once they are added."""
        self.should_look, self._catches_up, self._opened = False, True, self._store.share.opened
        room = WAITING_MAX - len(self._turns)
        if room <= 0:
            self._has_more = True
            return []
        node = self._store.share.node
        # as they are before the read begins: one that ends meanwhile may still be a row of what it sees
        held = {execution: frozenset(keys) for execution, keys in self._held.items()}
        self._done_meanwhile = done = set[str]()
        try:
            rows, is_all = await self._store.read(
                lambda tx: outbox.take(tx, self.kind, self._last, room, self._room, held, node)
            )
        finally:
            self._done_meanwhile = None
        # a notice may have come before
        found = [task for task in rows if not self._is_held(task) and outbox.row_key(task) not in done]
        self._has_more = not is_all
        self._known_due = self._clock() if self._store.share.is_whole else -math.inf
        if found:
            self._last = found[-1].execution
        return found

    def accept(self, announced: Sequence[Task]) -> bool:
        """Take what a notice tells of, without reading the rows; whether that could be.

        Not where older rows wait, for it would not be the turn of these.
        """
        if self.should_look or self._has_more or not self.is_caught_up:
            return False
        if len(announced) > min(WAITING_MAX - len(self._turns), self._room(announced[0].execution)):
            return False
        for task in announced:
            if not self._is_held(task):  # else a look came before
                self._hold(task, self._clock())
                self._turns.add(task.execution, task)
        return True

    def add(self, taken: Iterable[Task]) -> None:
        """Have those that were looked at wait for their turns, but for those of shards closed meanwhile."""
        closed = self._opened - self._store.share.opened
        for task in taken:
            if shard_of(task.execution) not in closed:
                self._hold(task, self._known_due)
                self._turns.add(task.execution, task)
        self.is_caught_up = self.is_caught_up or (self._catches_up and not self._has_more)

    def begin(self) -> Task | None:
        """The next to be performed; None where none waits or no place is free."""
        following = self._turns.begin()
        return following[1] if following else None

    def known_due(self, task: Task) -> float:
        """When it was known to be due, and to be nobody else's: that of a row, which another server may have
        taken over or handed over a moment ago, never.
        """
        return self._held[task.execution][outbox.row_key(task)]

    def end(self, task: Task) -> None:
        """It was performed, and what came of it is recorded."""
        self._turns.end(task.execution)
        self.forget(task)

    @property
    def waiting(self) -> Collection[str]:
        """The executions (ARNs) of those that wait in memory."""
        return self._turns.parties

    def withdraw(self, execution: str) -> list[Task]:
        """Those of an execution (its ARN) that wait in memory, which do not wait for a turn any more."""
        return list(self._turns.withdraw(execution))

    def begin_anew(self) -> None:
        """This server has shards more, or less: look at all that there is. What waits in memory of those that
        it gives back, or has lost, is not its to hold.
        """
        self.should_look, self.is_caught_up, self._catches_up = True, False, False
        for execution in [each for each in self._turns.parties if not self._store.share.has(each)]:
            for task in self._turns.withdraw(execution):
                self.forget(task)

    async def rows(self, execution: str, limit: int) -> list[Task]:
        """Those of an execution that are rows only, `limit` at most."""
        held = frozenset(self._held.get(execution, ()))
        return await self._store.read(lambda tx: outbox.of_execution(tx, self.kind, execution, limit, held))

    def forget(self, task: Task) -> None:
        """Its row is gone, and there may be room for others."""
        held = self._held[task.execution]
        del held[outbox.row_key(task)]
        if self._done_meanwhile is not None:
            self._done_meanwhile.add(outbox.row_key(task))
        self._store.share.ended(task.execution)
        if not held:
            del self._held[task.execution]
        few_wait = self._turns.waiting(task.execution) <= EACH_WAITING_MAX // 2
        if self._has_more and (few_wait or len(self._turns) <= WAITING_MAX // 2):
            self.should_look = True

    def _is_held(self, task: Task) -> bool:
        return outbox.row_key(task) in self._held.get(task.execution, ())

    def _hold(self, task: Task, known_due: float) -> None:
        self._held[task.execution][outbox.row_key(task)] = known_due
        self._store.share.begun(task.execution)

    def _room(self, execution: str) -> int:
        return EACH_WAITING_MAX - self._turns.waiting(execution)
