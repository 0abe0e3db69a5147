"""Deliveries to targets that are tried again: for a day by default, then the dead-letter queue.

A delivery goes in the transaction that ends its task, when the target has it, or when it was tried for long
enough and the target's dead-letter queue has it. Killed in between, the server delivers at its next start: at
least once, as AWS promises. What fails in passrole itself, as on a full disk, is no attempt.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from passrole.arns import Arn
from passrole.clock import Clock
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal
from passrole.services.context import CallOperation
from passrole.services.deliveries import DeliveryRetries, send, text_attributes
from passrole.store import Store, Tx
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

log = logging.getLogger(__name__)

AT_ONCE_MAX = 16
DELAY_SECONDS_MIN, DELAY_SECONDS_MAX = 1.0, 600.0

D = TypeVar("D")


@dataclass(frozen=True)
class Attempts:
    """What is known of a delivery before it is tried: since when, how often it failed, what it is allowed."""

    since: float
    failed: int
    retries: DeliveryRetries


@dataclass(frozen=True)
class DeadLetter:
    """What a dead-letter queue gets of a delivery; `queue` is None where the target has none."""

    what: str
    queue: Arn | None
    body: str
    attributes: Mapping[str, str]


class RetriedDeliveries(ABC, Generic[D]):
    """Delivers from `start` until the supervisor is closed. `kind` is that of the tasks.

    `final` are the codes of refusals that are not tried again.
    """

    kind: str
    final: frozenset[str]

    def __init__(self, store: Store, call: CallOperation, clock: Clock) -> None:
        self._store = store
        self._call = call
        self._clock = clock

    @abstractmethod
    def _read(self, task: Task) -> D:
        """The delivery in a task."""

    @abstractmethod
    def _attempts(self, delivery: D) -> Attempts:
        """How often it was tried."""

    @abstractmethod
    async def _deliver(self, delivery: D) -> Finish | None:
        """One attempt, and what is written with its end. Raises Fault where it failed."""

    @abstractmethod
    def _keep(self, tx: Tx, delivery: D, due: float) -> None:
        """Have it, which failed once more, tried again when it is due."""

    @abstractmethod
    def _lost(self, delivery: D, fault: Fault, condition: str) -> DeadLetter:
        """What the dead-letter queue is told; `condition` is the limit that was reached, empty for none."""

    @abstractmethod
    async def _dead_letter_principal(self, delivery: D) -> Principal:
        """Who sends it there. Raises what AssumeRole raises."""

    def _given_up(self, delivery: D) -> Finish | None:  # noqa: ARG002
        """What is written when it is not tried again."""
        return None

    def start(self, supervisor: Supervisor) -> None:
        """Once the door is open."""
        TaskQueue(
            self._store,
            self.kind,
            self._handle,
            at_once_max=AT_ONCE_MAX,
            clock=self._clock,
            due_seconds_max=DELAY_SECONDS_MAX,
        ).start(supervisor)

    async def _handle(self, task: Task) -> Finish | None:
        """One attempt; where it fails and is not the last, the task is kept for the next."""
        delivery = self._read(task)
        try:
            return await self._deliver(delivery)
        except Internal:
            raise
        except Fault as fault:
            return await self._failed(delivery, fault)

    async def _failed(self, delivery: D, fault: Fault) -> Finish | None:
        condition = self._exhausted(delivery, fault)
        if condition is not None:
            await self._send_to_dead_letter_queue(delivery, self._lost(delivery, fault, condition), fault)
            return self._given_up(delivery)
        delay = min(DELAY_SECONDS_MIN * 2 ** self._attempts(delivery).failed, DELAY_SECONDS_MAX)
        return partial(self._keep, delivery=delivery, due=self._clock() + delay)

    def _exhausted(self, delivery: D, fault: Fault) -> str | None:
        """Why it is not tried again; None where it is. A target that forbids it or is gone is tried once."""
        attempts = self._attempts(delivery)
        if fault.code in self.final:
            return ""
        if attempts.failed >= attempts.retries.attempts_max:
            return "MaximumRetryAttempts"
        if self._clock() - attempts.since >= attempts.retries.age_seconds_max:
            return "MaximumEventAgeInSeconds"
        return None

    async def _send_to_dead_letter_queue(self, delivery: D, letter: DeadLetter, fault: Fault) -> None:
        """With AWS's attributes, if the target has such a queue."""
        if letter.queue is None:
            log.warning("%s is lost: %s", letter.what, fault.message)
            return
        message: dict[str, Any] = {
            "MessageBody": letter.body,
            "MessageAttributes": text_attributes(letter.attributes),
        }
        try:
            await send(self._call, letter.queue, message, await self._dead_letter_principal(delivery))
        except Internal:
            raise
        except Fault as refused:
            log.warning("%s is lost: its dead-letter queue: %s", letter.what, refused)
