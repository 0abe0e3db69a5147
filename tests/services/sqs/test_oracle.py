"""Sequences of calls through the door, with a clock that the test moves, against the oracle."""

import asyncio
import itertools
import json
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.sqs.oracle import NEVER, Oracle
from tests.store import chosen

from passrole.api import Door
from passrole.audit import Audit
from passrole.config import Config
from passrole.faults import Fault
from passrole.identities import Directory
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime
from passrole.services.sqs import sweep

ACCOUNT, REGION = "111122223333", "us-east-1"
ROOT = Principal("root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT, "root")
START = 1_800_000_000.0
PURGE_PAUSE_SECONDS = 60

T = TypeVar("T")
Step = tuple[Any, ...]


@dataclass
class Queue:
    """A queue of the service beside what the oracle says of it."""

    url: str
    channel: str
    oracle: Oracle
    woken: bool = False
    held: list[tuple[str, int, str]] = field(default_factory=list)
    """Body, count of receives and receipt handle of each message that was received."""

    def ring(self, _payload: object) -> None:
        self.woken = True


class Service:
    """SQS behind a door on a store of its own; `step` calls both sides and compares."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.loop = folder, START, asyncio.new_event_loop()
        self.ids: dict[str, str] = {}
        self.queues: list[Queue] = []
        self.bodies = itertools.count(1)
        self.purged = -NEVER
        self.run(self.open())

    async def open(self) -> None:
        config = Config(data=self.folder)
        self.store = chosen.opened(self.folder)
        self.directory = Directory(self.store, lambda: self.now, config)
        self.audit = Audit(self.folder / "audit.jsonl")
        self.door = Door(
            store=self.store,
            directory=self.directory,
            functions=cast(FunctionRuntime, None),
            audit=self.audit,
            clock=lambda: self.now,
            config=config,
        )
        for queue in self.queues:
            self.store.listen(queue.channel, queue.ring)

    async def close(self) -> None:
        self.audit.close()
        self.directory.close()
        await self.store.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.run(self.door.from_inside("sqs", operation, parameters, ROOT, REGION))

    def answers(self, operation: str, **parameters: Any) -> bool:
        """Whether it is answered without an error."""
        try:
            self.call(operation, **parameters)
        except Fault:
            return False
        return True

    def make(self, *, fifo: bool, receives_max: int | None) -> None:
        """A dead-letter queue, and the queue that it is of."""
        suffix = ".fifo" if fifo else ""
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead{suffix}"
        redrive = {} if receives_max is None else {"RedrivePolicy": _redrive(arn, receives_max)}
        dead = Oracle(fifo)
        for name, oracle, attributes in (
            ("dead", dead, {}),
            ("jobs", Oracle(fifo, receives_max=receives_max, dead=dead), redrive),
        ):
            kind = {"FifoQueue": "true"} if fifo else {}
            url = self.call("CreateQueue", QueueName=name + suffix, Attributes={**kind, **attributes})[
                "QueueUrl"
            ]
            self.queues.append(Queue(url, f"queue/{ACCOUNT}/{REGION}/{name}{suffix}", oracle))
        self.restart()

    def step(self, name: str, *arguments: Any) -> None:
        """Do it on both sides; who waits must have been woken where something can be received earlier."""
        moments = [queue.oracle.next_moment(self.now) for queue in self.queues]
        before = self.now
        for queue in self.queues:
            queue.woken = False
        getattr(self, name)(*arguments)
        for queue, moment in zip(self.queues, moments, strict=True):
            earlier = self.now == before and queue.oracle.next_moment(self.now) < moment
            assert queue.woken or not earlier or name in ("restart", "sweep"), "nobody was woken"
        self.compare_counts()

    def send(self, group: str, key: str, delay: int | None) -> None:
        queue, body = self.queues[1], str(next(self.bodies))
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": key}
        standard = {} if delay is None else {"DelaySeconds": delay}
        more: dict[str, Any] = fifo if queue.oracle.fifo else standard
        answer = self.call("SendMessage", QueueUrl=queue.url, MessageBody=body, **more)
        told = queue.oracle.send(body, group, key, delay, self.now)
        assert self.ids.setdefault(answer["MessageId"], body) == told

    def receive(self, which: int, limit: int, visibility: int | None) -> None:
        queue = self.queues[which]
        more = {} if visibility is None else {"VisibilityTimeout": visibility}
        answer = self.call("ReceiveMessage", QueueUrl=queue.url, MaxNumberOfMessages=limit, **more)
        messages = answer.get("Messages", [])
        bodies = [message["Body"] for message in messages]
        if which == 0:
            for body in bodies:
                self.queues[1].oracle.saw_in_dead_letter_queue(body)
        queue.oracle.check(bodies, limit, self.now)
        queue.oracle.received(bodies, limit, visibility, self.now)
        for message in messages:
            letter = queue.oracle.find(message["Body"], self.now)
            assert letter is not None
            queue.held.append((letter.body, letter.receives, message["ReceiptHandle"]))

    def delete(self, which: int, index: int) -> None:
        if (held := self._held(which, index)) is not None:
            queue, (body, receive, handle) = held
            answered = self.answers("DeleteMessage", QueueUrl=queue.url, ReceiptHandle=handle)
            assert answered == queue.oracle.delete(body, receive, self.now)

    def hide(self, which: int, index: int, seconds: int) -> None:
        if (held := self._held(which, index)) is not None:
            queue, (body, receive, handle) = held
            answered = self.answers(
                "ChangeMessageVisibility",
                QueueUrl=queue.url,
                ReceiptHandle=handle,
                VisibilityTimeout=seconds,
            )
            assert answered == queue.oracle.hide(body, receive, seconds, self.now)

    def set(self, attribute: str, value: int) -> None:
        queue = self.queues[1]
        self.call("SetQueueAttributes", QueueUrl=queue.url, Attributes={_NAMES[attribute]: str(value)})
        setattr(queue.oracle, attribute, value)

    def purge(self) -> None:
        if self.now >= self.purged + PURGE_PAUSE_SECONDS:
            self.purged, queue = self.now, self.queues[1]
            self.call("PurgeQueue", QueueUrl=queue.url)
            queue.oracle.purge()

    def later(self, seconds: float) -> None:
        self.now += seconds

    def sweep(self) -> None:
        self.run(sweep(self.store, lambda: self.now))

    def restart(self) -> None:
        self.run(self.close())
        self.run(self.open())

    def compare_counts(self) -> None:
        """Exactly, but for the messages that may have gone to the dead-letter queue."""
        names = ["", "NotVisible", "Delayed"]
        moving = sum(letter.maybe_moved is not None for letter in self.queues[1].oracle.letters)
        for queue in self.queues:
            answer = self.call("GetQueueAttributes", QueueUrl=queue.url, AttributeNames=["All"])
            told = [int(answer["Attributes"][f"ApproximateNumberOfMessages{name}"]) for name in names]
            said = list(queue.oracle.counts(self.now))
            assert all(abs(one - other) <= moving for one, other in zip(told, said, strict=True)), (
                told,
                said,
            )

    def _held(self, which: int, index: int) -> tuple[Queue, tuple[str, int, str]] | None:
        """Any message that was received, unless nobody can say in which queue it is."""
        queue = self.queues[which]
        if not queue.held:
            return None
        held = queue.held[index % len(queue.held)]
        return None if queue.oracle.may_have_moved(held[0]) else (queue, held)


def _redrive(arn: str, receives_max: int) -> str:
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives_max})


_NAMES = {
    "delay": "DelaySeconds",
    "retention": "MessageRetentionPeriod",
    "visibility": "VisibilityTimeout",
}
_WHICH = st.sampled_from([1, 1, 1, 1, 0])
_INDEX = st.integers(0, 30)
_SECONDS = st.sampled_from([0, 0, 1, 5, 10, 30, 60, 100])
_SEND = st.tuples(
    st.just("send"),
    st.sampled_from("ggh"),
    st.integers(1, 40).map(str),
    st.sampled_from([None, None, 0, 5, 30]),
)
_RECEIVE = st.tuples(st.just("receive"), _WHICH, st.integers(1, 10), st.sampled_from([None, None, 0, 5, 100]))
_HIDE = st.tuples(st.just("hide"), _WHICH, _INDEX, _SECONDS)
_DELETE = st.tuples(st.just("delete"), _WHICH, _INDEX)
_LATER = st.tuples(st.just("later"), st.sampled_from([0.5, 1, 5, 10, 20, 30, 59, 60, 299, 300]))
_SET = st.one_of(
    st.tuples(st.just("set"), st.just("delay"), st.sampled_from([0, 1, 5, 10, 60])),
    st.tuples(st.just("set"), st.just("retention"), st.sampled_from([60, 61, 90, 300, 345_600])),
    st.tuples(st.just("set"), st.just("visibility"), _SECONDS),
)
_RARE = st.tuples(st.sampled_from(["purge", "sweep", "restart"]))
_WEIGHTS = ((_SEND, 8), (_RECEIVE, 6), (_HIDE, 4), (_DELETE, 3), (_LATER, 3), (_SET, 2), (_RARE, 1))
_STEP = st.sampled_from([step for step, weight in _WEIGHTS for _ in range(weight)]).flatmap(lambda step: step)
_FIRST = st.tuples(
    st.tuples(st.just("set"), st.just("delay"), st.sampled_from([0, 0, 60])),
    st.tuples(st.just("set"), st.just("retention"), st.sampled_from([60, 345_600])),
    st.tuples(st.just("set"), st.just("visibility"), st.sampled_from([30, 100])),
)
STEPS = st.tuples(_FIRST, st.lists(_STEP, min_size=10, max_size=60)).map(lambda both: [*both[0], *both[1]])


@contextmanager
def service(*, fifo: bool, receives_max: int | None) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        made = Service(Path(folder))
        try:
            made.make(fifo=fifo, receives_max=receives_max)
            yield made
        finally:
            made.run(made.close())
            made.loop.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fifo=st.sampled_from([True, True, False]), receives_max=st.sampled_from([None, 1, 2]), steps=STEPS)
def test_a_queue_answers_as_its_documents_say(
    fifo: bool, receives_max: int | None, steps: list[Step]
) -> None:
    with service(fifo=fifo, receives_max=receives_max) as both:
        for step in steps:
            both.step(*step)
