"""What the clients were told, and what programs noted: all that the checks compare with. Safe for threads.

Moments are of the monotonic clock, which all processes of one machine share and no step of a clock moves.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Step = tuple[str, str]
"""An execution's id and a step's name."""


class Seen(NamedTuple):
    """A step that Succeeded, when somebody was told so, and its outputs."""

    moment: float
    outputs: dict[str, str]


class Noted(NamedTuple):
    """What a program noted: which step's it is, which run of it, what it did, what it was given, and the URL
    of its node, which functions know.
    """

    execution: str
    step: str
    run: str
    what: str
    moment: float
    given: str
    node: str = ""


class Befell(NamedTuple):
    """A mishap of the node with this URL, from when to when."""

    kind: str
    node: str
    began: float
    over: float


class Receipt(NamedTuple):
    """Of a message: its handle, and the how manieth it was, by the queue's own count."""

    handle: str
    which: int


class Deletion(NamedTuple):
    """Of a message, by the handle of the last receipt that somebody was told of; when it was acknowledged."""

    queue: str
    which: int
    moment: float


@dataclass
class Told:
    """Acknowledged, until the end of the run."""

    calls: list[str] = field(default_factory=list)
    """The request ids of answers below 500."""
    operations: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    started: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The executions that a client token was told of."""
    succeeded: dict[Step, Seen] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """The last status of executions."""
    answered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The answers to a callback that were acknowledged."""
    tried: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The answers to a callback that were sent."""
    asked: dict[str, Step] = field(default_factory=dict)
    """Whose a callback's token is."""
    sent: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Messages by their queue, and events by the queue that their rule leads to."""
    received: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    latest: dict[str, Receipt] = field(default_factory=dict)
    """The last receipt of a message that somebody was told of, by its MessageId."""
    deleted: dict[str, Deletion] = field(default_factory=dict)
    """By MessageId."""
    came_again: list[tuple[Deletion, int, str]] = field(default_factory=list)
    """Messages that were received though they had been deleted before they were asked for; which receipt."""
    lost: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When a ReceiveMessage of a queue was asked for whose answer was lost."""
    objects: dict[str, str] = field(default_factory=dict)
    minutes: dict[float, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The ids of the events that a rule sent, by the time of the wall for which they were planned."""
    befell: list[Befell] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """What was refused and should not have been, and what surprised a client."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, operation: str, answer: dict[str, Any]) -> None:
        metadata = answer.get("ResponseMetadata", {})
        with self.lock:
            self.operations[operation] += 1
            self.failures["retries of botocore"] += metadata.get("RetryAttempts", 0)
            if metadata.get("HTTPStatusCode", 500) < 500 and metadata.get("RequestId"):
                self.calls.append(metadata["RequestId"])

    def failure(self, what: str) -> None:
        with self.lock:
            self.failures[what] += 1

    def wrong(self, what: str) -> None:
        with self.lock:
            self.refused.append(what)

    def step(self, step: Step, outputs: dict[str, str]) -> None:
        """It Succeeded, as a call says."""
        with self.lock:
            before = self.succeeded.setdefault(step, Seen(time.monotonic(), outputs))
            if before.outputs != outputs:
                self.refused.append(f"step {step} had the outputs {before.outputs}, and has {outputs}")

    def message(self, queue: str, number: str, receipt: Receipt, body: str, asked: float) -> None:
        """Received; who asked after its deletion was acknowledged must not be given it."""
        with self.lock:
            self.latest[number] = max(receipt, self.latest.get(number, receipt), key=lambda each: each.which)
            deletion = self.deleted.pop(number, None)
            if deletion is not None and asked > deletion.moment:
                self.came_again.append((deletion, receipt.which, body))
            self.received[queue].append(body)

    def lost_receipt(self, queue: str, asked: float) -> None:
        """An answer was lost that may have had messages, with handles that nobody has seen."""
        with self.lock:
            self.lost[queue].append(asked)

    def deletion(self, queue: str, number: str, handle: str) -> None:
        """Acknowledged; by a handle that is not the last one, it says nothing.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        """
        with self.lock:
            last = self.latest[number]
            if last.handle == handle:
                self.deleted[number] = Deletion(queue, last.which, time.monotonic())

    def surprises(self) -> list[str]:
        """What came again though it was deleted by its last handle. Asked at the end: that an answer was
        lost, which may have had a later one, is known to its client only after seconds.

        The queue's count says whether there was a later one. A receipt may count long after its client has
        gone: a server that was cut off from its database, or stopped, goes on with what it was asked.
        """
        with self.lock:
            return [
                f"message {body} of {each.queue} came again after it was deleted"
                for each, which, body in self.came_again
                if which == each.which + 1 or not any(asked <= each.moment for asked in self.lost[each.queue])
            ]

    def open_executions(self) -> list[str]:
        with self.lock:
            return [arn for arns in self.started.values() for arn in arns if arn not in self.ended]


def noted(file: Path) -> Iterable[Noted]:
    """What functions and programs wrote, in its order."""
    for line in file.read_text().splitlines() if file.exists() else ():
        execution, step, run, what, moment, given, node = line.split(" ")
        yield Noted(execution, step, run, what, float(moment), given, node)
