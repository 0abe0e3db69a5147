"""Numbers for Prometheus at `/metrics`: what runs, what waits, what was denied, how long things take.

No name of a pipeline, step, principal or resource is among them: whoever scrapes is not signed in, and labels
that users make up would fill the memory. docs/reference/metrics.md is written from FAMILIES.
https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from time import perf_counter
from typing import NamedTuple, TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from passrole import history
from passrole.api import Told, table
from passrole.clock import Clock
from passrole.console.means import Means
from passrole.history import EXECUTION_ENDS, STEP_ENDS, ExecutionEnd, StepEnd
from passrole.services import sqs
from passrole.store import Tx, tasks
from passrole.store.measurements import measured
from passrole.worker import traces

_CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0)
_STEP_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)
_EXECUTION_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0, 604_800.0)

NONE = "none"
"""The label of what a request does not have that was refused before anybody knew what it asks."""

OTHER = "other"
"""The label of what is in no table of passrole's, so that callers make no labels."""

COUNTING_SHARE = 20
"""Gauges are kept for so many times as long as it took to count them: scrapes never take more of the time."""

Values: TypeAlias = Mapping[tuple[str, ...], float]


class Family(NamedTuple):
    """A metric: its name as Prometheus has it, its kind, what it says, its labels and where buckets end."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_CALLS = Family(
    "passrole_calls_total",
    "counter",
    "Calls by operation, verdict (allowed, denied, refused, failed) and HTTP status",
    ("service", "operation", "verdict", "status"),
)
_CALL_DURATION = Family(
    "passrole_call_duration_seconds",
    "histogram",
    "How long calls take",
    ("service", "operation"),
    _CALL_SECONDS,
)
_DENIALS = Family(
    "passrole_denials_total",
    "counter",
    "Calls that a policy denied, by the service that was called and the action that was missing",
    ("service", "action"),
)
_STEPS = Family("passrole_steps_total", "counter", "Steps that ended, by type and end", ("type", "end"))
_STEP_DURATION = Family(
    "passrole_step_duration_seconds", "histogram", "How long steps take", ("type",), _STEP_SECONDS
)
_EXECUTION_DURATION = Family(
    "passrole_execution_duration_seconds",
    "histogram",
    "How long executions take, from their start to their end",
    ("status",),
    _EXECUTION_SECONDS,
)
_SPANS = Family(
    "passrole_trace_spans_total",
    "counter",
    "Spans that were sent to the OpenTelemetry collector, or dropped because it was away for too long",
    ("outcome",),
)
_EXECUTIONS = Family("passrole_executions", "gauge", "Executions by status", ("status",))
_WAITING = Family("passrole_waiting", "gauge", "What waits for an answer of somebody", ("kind",))
_TASKS = Family("passrole_tasks", "gauge", "Background work that is not done yet", ("kind",))
_QUEUES = Family("passrole_sqs_queues", "gauge", "SQS queues")
_MESSAGES = Family(
    "passrole_sqs_messages",
    "gauge",
    "Messages in all SQS queues together: visible, in_flight or delayed",
    ("state",),
)
_LOOPS = Family(
    "passrole_loops", "gauge", "Loops of background work: running, or restarting after an error", ("state",)
)
_PAGES = Family("passrole_console_open_pages", "gauge", "Pages of the console that hear of changes")
_BUILD = Family("passrole_build_info", "gauge", "Always 1; its label is the version", ("version",))

FAMILIES = (
    *(_CALLS, _CALL_DURATION, _DENIALS, _STEPS, _STEP_DURATION, _EXECUTION_DURATION, _SPANS),
    *(_EXECUTIONS, _WAITING, _TASKS, _QUEUES, _MESSAGES, _LOOPS, _PAGES, _BUILD),
)
"""All but the figures of the process, which prometheus_client names."""


class Metrics:
    """The counters of one server since its start, and gauges that are read when somebody asks."""

    def __init__(self, means: Means, open_pages: Callable[[], int]) -> None:
        self._store = means.store
        self._clock = means.clock
        self._running = means.running
        self._open_pages = open_pages
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they are a series more for each, and process_start_time_seconds says it
        registry = self._registry = CollectorRegistry()
        self._calls, self._denials, self._steps, self._spans = (
            Counter(each.name, each.help, each.labels, registry=registry)
            for each in (_CALLS, _DENIALS, _STEPS, _SPANS)
        )
        self._call_seconds, self._step_seconds, self._execution_seconds = (
            Histogram(each.name, each.help, each.labels, buckets=each.buckets, registry=registry)
            for each in (_CALL_DURATION, _STEP_DURATION, _EXECUTION_DURATION)
        )
        registry.register(gauges := _Gauges())
        self._gauges = gauges
        self._counted: dict[Family, Values] = {}
        self._counted_until = 0.0
        ProcessCollector(registry=registry)
        self._version = version("passrole")
        means.store.listen(STEP_ENDS, self._step)
        means.store.listen(EXECUTION_ENDS, self._execution)
        means.store.listen(traces.SPANS, self._sent)
        means.door.tell(self._call)

    async def text(self) -> bytes:
        """The exposition, with the gauges as of now."""
        if (began := perf_counter()) >= self._counted_until:
            self._counted = await self._store.read(lambda tx: _counted(tx, self._clock))
            self._counted_until = (ended := perf_counter()) + (ended - began) * COUNTING_SHARE
        running = list(self._running().values())
        self._gauges.now = self._counted | {
            _LOOPS: {("running",): sum(running), ("restarting",): len(running) - sum(running)},
            _PAGES: {(): self._open_pages()},
            _BUILD: {(self._version,): 1},
        }
        return generate_latest(self._registry)

    def _call(self, told: Told) -> None:
        service, operation = _names(told)
        self._calls.labels(service, operation, told.outcome, told.status).inc()
        if told.service is not None:
            self._call_seconds.labels(service, operation).observe(told.seconds)
        if told.denied is not None:
            self._denials.labels(service, told.denied).inc()

    def _step(self, key: str) -> None:
        end = measured(StepEnd, key)
        self._steps.labels(end.type_, end.end).inc()
        self._step_seconds.labels(end.type_).observe(end.seconds)

    def _execution(self, key: str) -> None:
        end = measured(ExecutionEnd, key)
        self._execution_seconds.labels(end.status).observe(end.seconds)

    def _sent(self, key: str) -> None:
        count = measured(traces.Count, key)
        self._spans.labels(count.outcome).inc(count.spans)


class _Gauges(Collector):
    """What was counted, as Prometheus has it."""

    def __init__(self) -> None:
        self.now: Mapping[Family, Values] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        for family, values in self.now.items():
            gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for labels, value in values.items():
                gauge.add_metric(labels, value)
            yield gauge


def _names(told: Told) -> tuple[str, str]:
    """The labels of service and operation, of which there are as many as passrole supports."""
    if told.service is None or told.operation is None:
        return NONE, NONE
    if not table.supports(told.service, told.operation):
        return told.service if told.service in table.REFUSALS else OTHER, OTHER
    return told.service, told.operation


def _counted(tx: Tx, clock: Clock) -> dict[Family, Values]:
    queues, depth = sqs.depths(tx, clock())
    return {
        _EXECUTIONS: _by_label(history.executions.counts(tx)),
        _WAITING: {("callback",): history.callbacks.waiting_count(tx)},
        _TASKS: _by_label(tasks.counts(tx)),
        _QUEUES: {(): queues},
        _MESSAGES: _by_label(depth._asdict()),
    }


def _by_label(counts: Mapping[str, int]) -> Values:
    return {(label,): count for label, count in counts.items()}
