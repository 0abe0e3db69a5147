"""Numbers for Prometheus at `/metrics`: what runs, what waits, what was denied, how long things take.

No name of a pipeline, step, principal or resource is among them: whoever scrapes is not signed in, and labels
that users make up would fill the memory.
https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from passrole import history
from passrole.api import Door
from passrole.history import STEP_ENDS, StepEnd
from passrole.store import Store, Tx, tasks

_CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0)
_STEP_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)


class Metrics:
    """The counters of one server since its start, and gauges that are read when somebody asks."""

    def __init__(self, store: Store, door: Door) -> None:
        self._store = store
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "passrole_calls", "Calls by what became of them", ["service", "verdict"], registry=self._registry
        )
        self._call_seconds = Histogram(
            "passrole_call_duration_seconds",
            "How long calls take",
            ["service"],
            buckets=_CALL_SECONDS,
            registry=self._registry,
        )
        self._steps = Counter(
            "passrole_steps", "Steps that ended, by type and end", ["type", "end"], registry=self._registry
        )
        self._step_seconds = Histogram(
            "passrole_step_duration_seconds",
            "How long steps take",
            ["type"],
            buckets=_STEP_SECONDS,
            registry=self._registry,
        )
        self._registry.register(gauges := _Gauges())
        self._gauges = gauges
        store.listen(STEP_ENDS, self._step)
        door.tell(self._call)

    async def text(self) -> bytes:
        """The exposition, with the gauges as of now."""
        self._gauges.now = await self._store.read(_counted)
        return generate_latest(self._registry)

    def _call(self, service: str, verdict: str, seconds: float) -> None:
        self._calls.labels(service, verdict).inc()
        self._call_seconds.labels(service).observe(seconds)

    def _step(self, end: StepEnd) -> None:
        self._steps.labels(end.type_, end.end).inc()
        self._step_seconds.labels(end.type_).observe(end.seconds)


class _Gauges(Collector):
    """What was counted in the store, as Prometheus has it: a name, a help, and values by one label."""

    def __init__(self) -> None:
        self.now: Mapping[tuple[str, str, str], Mapping[str, int]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        for (name, help_, label), values in self.now.items():
            family = GaugeMetricFamily(name, help_, labels=[label])
            for value, count in values.items():
                family.add_metric([value], count)
            yield family


def _counted(tx: Tx) -> dict[tuple[str, str, str], Mapping[str, int]]:
    executions = ("passrole_executions", "Executions by status", "status")
    waiting = ("passrole_waiting", "What waits for an answer of somebody", "kind")
    queued = ("passrole_tasks", "Background work that is not done yet", "kind")
    return {
        executions: history.executions.counts(tx),
        waiting: {"callback": history.callbacks.waiting_count(tx)},
        queued: tasks.counts(tx),
    }
