"""Sends what executions did to an OpenTelemetry collector: a trace for each, a span for each step.

Off unless `otlp_endpoint` is set. The engine never waits for it: it hears which executions changed, reads
their journals every PAUSE_SECONDS and sends from a thread. In memory are names alone, CHANGED_MAX at most;
beyond that it goes through the rows of followed traces again. A collector that is away is tried again with
growing pauses; spans that it has not taken after GIVE_UP_SECONDS are dropped and counted.
"""

import asyncio
import importlib.util
import logging
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from passrole.clock import Clock
from passrole.config import Config
from passrole.history import CHANGES, UnknownExecution, traces
from passrole.history.traces import Followed, News, Span
from passrole.store import Store, Tx, share
from passrole.store.interface import OWN
from passrole.store.measurements import key_of
from passrole.worker.supervisor import Supervisor, backoff_seconds

if TYPE_CHECKING:
    from passrole.worker.otlp import Exporter

log = logging.getLogger(__name__)

SPANS = f"{OWN}trace-spans"
"""The channel of spans that this process sent or dropped; its keys are of Counts."""

PAUSE_SECONDS = 1.0
TRACES_AT_ONCE = 100
CHANGED_MAX = 10_000
KNOWN_MAX = 1_000
GIVE_UP_SECONDS = 3_600.0
LOOK_SECONDS = 300.0
"""How often all traces are looked at, for notices that were lost."""


class Count(NamedTuple):
    """So many spans were `sent` or `dropped`."""

    outcome: str
    spans: int


def problem(endpoint: str) -> str | None:
    """Why no traces can be sent there; None where nothing speaks against it."""
    if urlsplit(endpoint).scheme not in ("http", "https"):
        return "the endpoint must be a URL such as http://127.0.0.1:4318"
    try:
        found = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ModuleNotFoundError:
        found = None
    missing = "a package is missing; install it with `pip install 'passrole[telemetry]'`"
    return missing if found is None else None


class Traces:
    """Sends spans, if a collector is named, until the supervisor is closed."""

    def __init__(self, store: Store, clock: Clock, config: Config) -> None:
        self._store = store
        self._clock = clock
        self._endpoint = config.otlp_endpoint
        self._changed: OrderedDict[str, None] = OrderedDict()
        self._known: OrderedDict[str, Followed] = OrderedDict()
        self._woken = asyncio.Event()
        self._should_sweep = True
        self._failures = 0

    def start(self, supervisor: Supervisor) -> None:
        """Send from now on. Where that cannot be the log says so: the variable may be meant for others."""
        if not self._endpoint:
            return
        if (why := problem(self._endpoint)) is not None:
            log.warning("no traces are sent: %s", why)
            return
        supervisor.start("traces", self._run)

    async def _run(self) -> None:
        exporter = await asyncio.to_thread(_exporter, self._endpoint)
        stops = [self._store.listen(CHANGES, self._hear), self._store.listen(share.CHANNEL, self._look_again)]
        self._should_sweep = True
        try:
            while True:
                if self._should_sweep:
                    await self._sweep()
                while self._changed:
                    await self._send_some(exporter)
                await self._wait()
        finally:
            for stop in stops:
                stop()
            exporter.close()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            self._should_sweep = True
        self._woken.clear()
        await asyncio.sleep(PAUSE_SECONDS)

    def _look_again(self, _: str) -> None:
        self._should_sweep = True
        self._woken.set()

    def _hear(self, execution: str) -> None:
        if not self._store.share.has(execution):
            return  # another node sends it
        if len(self._changed) < CHANGED_MAX:
            self._changed[execution] = None
        else:
            self._should_sweep = True
        self._woken.set()

    async def _sweep(self) -> None:
        """Look at every trace that is not all sent: what happened is in the journal, whoever heard of it."""
        self._should_sweep, after = False, ""
        while found := await self._store.read(partial(traces.followed, after=after, limit=TRACES_AT_ONCE)):
            after = found[-1]
            self._changed.update(dict.fromkeys(filter(self._store.share.has, found)))
            if len(self._changed) >= CHANGED_MAX:
                self._should_sweep = True
                self._woken.set()
                return
            await asyncio.sleep(0)

    async def _send_some(self, exporter: "Exporter") -> None:
        """After a failure one at a time, so that spans which a collector refuses hold up no others."""
        taken = list(self._changed)[: 1 if self._failures else TRACES_AT_ONCE]
        for execution in taken:
            del self._changed[execution]
        found = {arn: each for arn in taken if (each := await self._news(arn)) is not None}
        spans = [span for each in found.values() for span in each.spans]
        if not spans or await asyncio.to_thread(exporter.send, spans):
            await self._note(found, "sent")
            self._recovered(bool(spans))
            return
        old = {arn: each for arn, each in found.items() if self._is_given_up(each.spans)}
        await self._note(old, "dropped")
        self._changed.update(dict.fromkeys(arn for arn in found if arn not in old))
        await self._failed(sum(len(each.spans) for each in old.values()))

    async def _news(self, execution: str) -> News | None:
        try:
            return await self._store.read(lambda tx: traces.news(tx, execution, self._known.get(execution)))
        except UnknownExecution:  # it was deleted, and its task with it
            return None

    async def _note(self, found: dict[str, News], outcome: str) -> None:
        """What was only begun stays in memory: nothing is written for it."""
        for execution, each in found.items():
            self._known[execution] = each.followed
            self._known.move_to_end(execution)
            if each.followed.is_over:
                del self._known[execution]
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        ended = {execution: each for execution, each in found.items() if each.spans}
        if ended:
            await self._store.write(partial(_noted, found=ended, outcome=outcome))

    def _is_given_up(self, spans: list[Span]) -> bool:
        return bool(spans) and max(span.ended for span in spans) < self._clock() - GIVE_UP_SECONDS

    def _recovered(self, is_sent: bool) -> None:
        if is_sent and self._failures:
            log.info("the collector takes traces again")
            self._failures = 0

    async def _failed(self, dropped: int) -> None:
        if not self._failures:
            log.warning("the collector takes no traces: they are kept and tried again")
        if dropped:
            log.warning("%d spans were dropped, which the collector had not taken for an hour", dropped)
        await asyncio.sleep(backoff_seconds(self._failures))
        self._failures += 1


def _noted(tx: Tx, found: dict[str, News], outcome: str) -> None:
    for execution, each in found.items():
        traces.note_sent(tx, execution, each.followed)
    tx.notify(SPANS, key_of(Count(outcome, sum(len(each.spans) for each in found.values()))))


def _exporter(endpoint: str) -> "Exporter":
    """Its packages take half a second to load."""
    from passrole.worker.otlp import Exporter

    return Exporter(endpoint)
