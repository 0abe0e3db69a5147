"""What a queue does, said once more as plainly as can be: a list of messages, looked through at each call.

Written from AWS's documents and from what AWS was recorded to answer, not from the service's code:
- https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
- https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
- https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
- localstack's tests that were recorded on AWS (test_fifo_message_group_visibility_*)

Where the documents leave a choice (which of a standard queue's messages come, in which order groups come,
when a dead letter is moved) the oracle says what may be answered, and `received` is told what was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

DEDUPLICATION_SECONDS = 300
NEVER = float("inf")


@dataclass
class Letter:
    """A message. `delay` is its own, None where the queue's counts; times are epoch seconds.

    `maybe_moved`: since when the dead-letter queue may have it, which nobody has seen yet.
    """

    body: str
    group: str | None
    sent: float
    delay: int | None
    hidden_until: float = 0.0
    receives: int = 0
    maybe_moved: float | None = None

    def is_in_flight(self, now: float) -> bool:
        return self.receives > 0 and now < self.hidden_until


@dataclass
class Oracle:
    """One queue with its attributes, and the dead-letter queue that it has, if any."""

    fifo: bool
    delay: int = 0
    retention: int = 345_600
    visibility: int = 30
    receives_max: int | None = None
    dead: "Oracle | None" = None
    letters: list[Letter] = field(default_factory=list)
    remembered: dict[str, tuple[float, str]] = field(default_factory=dict)

    def send(self, body: str, group: str | None, key: str | None, delay: int | None, now: float) -> str:
        """The body of the message that the sender is told of: its own, or the one that it repeats."""
        if self.fifo and key is not None:
            since, known = self.remembered.get(key, (-NEVER, ""))
            if now < since + DEDUPLICATION_SECONDS:
                return known
            self.remembered[key] = (now, body)
        own = None if self.fifo else self.delay if delay is None else delay
        self.letters.append(Letter(body, group if self.fifo else None, now, own))
        return body

    def check(self, bodies: Sequence[str], limit: int, now: float) -> None:
        """Fail where a receive of up to `limit` may not answer so."""
        lines = self._lines(now)
        available = sum(map(len, lines))
        assert len(bodies) == min(limit, available), (bodies, lines)
        for line in lines:
            got = [body for body in bodies if body in line]
            assert not self.fifo or got == line[: len(got)], (bodies, line)
        assert len(set(bodies)) == len(bodies)
        assert set(bodies) <= {body for line in lines for body in line}

    def received(self, bodies: Sequence[str], limit: int, visibility: int | None, now: float) -> None:
        """A receive of up to `limit` answered so."""
        for letter in [letter for letter in self._due(now) if self._is_dead(letter)]:
            letter.maybe_moved = now if letter.maybe_moved is None else letter.maybe_moved
            if len(bodies) < limit:  # it has seen everything, so no dead letter is left
                self._move_to_dead_letters(letter)
        for body in bodies:
            letter = self._letter(body)
            letter.receives += 1
            letter.hidden_until = now + (self.visibility if visibility is None else visibility)

    def delete(self, body: str, receive: int, now: float) -> bool:
        """Whether it is answered without an error. `receive`: the count of receives that the handle is of."""
        letter = self.find(body, now)
        if letter is None:
            return True
        is_newest = letter.receives == receive
        if self.fifo and not (is_newest and letter.is_in_flight(now)):
            return False
        if is_newest:
            self.letters.remove(letter)
        return True

    def hide(self, body: str, receive: int, seconds: int, now: float) -> bool:
        """Whether it is answered without an error."""
        letter = self.find(body, now)
        if letter is None or letter.receives != receive:
            return False
        letter.hidden_until = now + seconds
        return True

    def purge(self) -> None:
        self.letters.clear()
        self.remembered.clear()

    def find(self, body: str, now: float) -> Letter | None:
        """The message, unless it is gone or its retention is over."""
        return next((letter for letter in self._living(now) if letter.body == body), None)

    def saw_in_dead_letter_queue(self, body: str) -> None:
        """The dead-letter queue has given the message, so it was moved if it can have been."""
        for letter in [letter for letter in self.letters if letter.body == body and letter.maybe_moved]:
            self._move_to_dead_letters(letter)

    def may_have_moved(self, body: str) -> bool:
        return any(letter.body == body and letter.maybe_moved for letter in self.letters)

    def counts(self, now: float) -> tuple[int, int, int]:
        """Visible or behind another, in flight, delayed; those that may have moved are counted here."""
        living = self._living(now)
        in_flight = sum(letter.is_in_flight(now) for letter in living)
        delayed = sum(self._is_delayed(letter, now) for letter in living)
        return len(living) - in_flight - delayed, in_flight, delayed

    def next_moment(self, now: float) -> float:
        """When there is something to receive if nobody calls until then: now, later, or NEVER."""
        moments = {now} | {
            moment for letter in self.letters for moment in self._moments(letter) if moment > now
        }
        return next((at for at in sorted(moments) if any(self._lines(at))), NEVER)

    def _moments(self, letter: Letter) -> Iterable[float]:
        return letter.hidden_until, letter.sent + self._delay_of(letter), letter.sent + self.retention

    def _lines(self, now: float) -> list[list[str]]:
        """What can be received: of a FIFO queue a list a group, from its front; else a list a message."""
        due = [letter for letter in self._due(now) if not self._is_dead(letter)]
        if not self.fifo:
            return [[letter.body] for letter in due]
        groups = dict.fromkeys(letter.group for letter in due)
        return [[letter.body for letter in due if letter.group == group] for group in groups]

    def _due(self, now: float) -> Iterator[Letter]:
        blocked: set[str] = set()
        for letter in self._living(now):
            if letter.group in blocked:
                continue
            if letter.is_in_flight(now) or self._is_delayed(letter, now):
                blocked |= {letter.group} if letter.group is not None else set()
            else:
                yield letter

    def _living(self, now: float) -> list[Letter]:
        return [letter for letter in self.letters if now < letter.sent + self.retention]

    def _is_delayed(self, letter: Letter, now: float) -> bool:
        return letter.receives == 0 and now < letter.sent + self._delay_of(letter)

    def _delay_of(self, letter: Letter) -> int:
        return self.delay if letter.delay is None else letter.delay

    def _is_dead(self, letter: Letter) -> bool:
        return self.receives_max is not None and letter.receives >= self.receives_max

    def _letter(self, body: str) -> Letter:
        return next(letter for letter in self.letters if letter.body == body)

    def _move_to_dead_letters(self, letter: Letter) -> None:
        """A standard queue's dead letter keeps its age, a FIFO queue's begins anew (guide, DLQs)."""
        assert self.dead is not None
        assert letter.maybe_moved is not None
        self.letters.remove(letter)
        sent = letter.maybe_moved if self.fifo else letter.sent
        self.dead.letters.append(replace(letter, sent=sent, hidden_until=0.0, delay=0, maybe_moved=None))
