"""A server's time with each shard that it has borrowed, from its lease to its end.

A tenure outlives the loop of the library that lends shards. That loop ends with its connection, and waits for
its handlers: so a handler leaves its tenure `kept`, without heartbeats, and one of the next loop takes it up,
where nobody else has borrowed the shard meanwhile. What is in hand goes on, and nothing changes hands because
PostgreSQL was away for a moment. docs/decisions/0019-shards.md
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pgqueuer.domain.models import Job

from passrole.store.share import SHARDS


def shard_of_job(job: Job) -> int:
    """The shard that the library's job lends."""
    return int(job.payload or b"0")


@dataclass
class Tenure:
    """`job`: by which the shard is lent. `is_begun`: the row says so. `is_over`: it is to be given back.
    `is_kept`: it has no handler.
    """

    job: Job
    is_begun: bool = False
    is_over: bool = False
    is_kept: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where it is over, or its handler has to end."""


class Tenures:
    """By their shards. Changed on the event loop alone."""

    def __init__(self, drop: Callable[[int], None]) -> None:
        """`drop` is told of each shard of which no more work may be begun."""
        self._drop = drop
        self._of: dict[int, Tenure] = {}
        self.are_interrupted = True
        """Whether the library has no loop with their handlers, at first and after a failure."""
        self._lost: set[int] = set()
        self.none_held = asyncio.Event()
        self.none_held.set()

    @property
    def shards(self) -> list[int]:
        """In order."""
        return sorted(self._of)

    @property
    def begun(self) -> frozenset[int]:
        """Those that this server has borrowed, also where it is giving them back."""
        return frozenset(shard for shard, each in self._of.items() if each.is_begun)

    @property
    def kept(self) -> frozenset[int]:
        """Those without a handler."""
        return frozenset(shard for shard, each in self._of.items() if each.is_kept)

    def is_over(self, job: Job) -> bool:
        """Whether the job lends nothing any more and is this server's to offer again: it keeps no tenure, and
        its shard is not another's.
        """
        tenure = self._of.get(shard_of_job(job))
        is_kept = tenure is not None and tenure.is_kept and tenure.job.id == job.id
        return not is_kept and job.id not in self._lost

    def take_up(self, job: Job) -> Tenure | None:
        """Go on with a kept tenure or begin one; None where another handler has it."""
        shard = shard_of_job(job)
        tenure = self._of.get(shard)
        if tenure is None:
            tenure = self._of[shard] = Tenure(job)
            self.none_held.clear()
        elif not tenure.is_kept:
            return None
        elif not tenure.is_over:
            tenure.woken.clear()
        tenure.job, tenure.is_kept = job, False
        self._lost.discard(job.id)
        return tenure

    def lay_down(self, tenure: Tenure) -> None:
        """Its handler ends; so does the tenure, unless it is kept."""
        if not tenure.is_kept:
            self._let_go(shard_of_job(tenure.job))

    def lose(self, tenure: Tenure) -> None:
        """The row says that it is another's: so is the job, or will be."""
        self._lost.add(tenure.job.id)

    def interrupt(self) -> None:
        """The library's loop ends: so must every handler."""
        self.are_interrupted = True
        for each in self._of.values():
            each.woken.set()

    def retaken(self, jobs: Iterable[Job]) -> None:
        """A loop begins, and of the kept ones these are this server's still; the others are over."""
        self.are_interrupted = False
        still = {shard_of_job(each): each for each in jobs}
        for shard in self.kept:
            if shard in still:
                self._of[shard].job = still[shard]
            else:
                self._let_go(shard)

    def end(self, shards: Iterable[int]) -> None:
        """Give these back, each as soon as it has a handler for that."""
        for each in shards:
            self._of[each].is_over = True
            self._of[each].woken.set()

    def end_at_once(self, shards: Iterable[int] = range(SHARDS)) -> None:
        """The same of those that are another's, or whose server ends: nobody waits for a handler."""
        for shard in [each for each in shards if each in self._of]:
            if self._of[shard].is_kept:
                self._let_go(shard)
            else:
                self.end([shard])

    def _let_go(self, shard: int) -> None:
        self._drop(shard)
        del self._of[shard]
        if not self._of:
            self.none_held.set()
