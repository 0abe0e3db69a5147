"""The metrics of a training job while it runs: the last value of each that its program has printed.

https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from passrole.clock import Clock
from passrole.services.sagemaker.jobs import states
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.metric_definitions import Metric
from passrole.services.sagemaker.jobs.records import Job
from passrole.store import Store
from passrole.worker import writes
from passrole.worker.jobs.printed import Printed
from passrole.worker.jobs.programs import Instance

log = logging.getLogger(__name__)

LINE_BYTES_MAX = 16 * 1024
"""Of a line; what follows is not searched."""

SECONDS_MAX = 30.0
"""For a job's whole output after its end: no expression holds up its end for longer."""


class Measurements:
    """The metrics of a job on all its instances. Values that an earlier process found are kept."""

    def __init__(
        self, kind: JobKind, job: Job, metrics: Sequence[Metric], store: Store, clock: Clock
    ) -> None:
        self._kind = kind
        self._key = job.key
        self._metrics = metrics
        self._store = store
        self._clock = clock
        known: Sequence[Mapping[str, Any]] = job.results.get(states.METRICS, ())
        self._values = {each["MetricName"]: each for each in known}
        self._watched = job.watched

    def of(self, instance: Instance) -> "InstanceMeasurements":
        """What measures one instance."""
        return InstanceMeasurements(self, Printed(instance.run, "measured"))

    async def search(self, lines: Sequence[bytes]) -> None:
        """Find values in lines, and store those that have changed."""
        found, course = await asyncio.to_thread(self._found, lines)
        if not found:
            return
        now = self._clock()
        for name, value in found.items():
            self._values[name] = {"MetricName": name, "Value": value, "Timestamp": now}
        listed = [self._values[each.name] for each in self._metrics if each.name in self._values]
        await writes.written(
            self._store, lambda tx: states.measured(tx, self._kind, self._key, listed, now, course), "metrics"
        )

    @property
    def is_wanted(self) -> bool:
        """Whether the job has metrics at all."""
        return bool(self._metrics)

    def _found(self, lines: Sequence[bytes]) -> tuple[dict[str, float], list[float]]:
        """The last value of each metric, and every value of the one that is watched."""
        found, course = {}, []
        for line in lines:
            for metric in self._metrics:
                value = metric.value(line[:LINE_BYTES_MAX])
                if value is not None:
                    found[metric.name] = value
                    course += [value] if metric.name == self._watched else []
        return found, course


class InstanceMeasurements:
    """The metrics of one instance. See following.Follower."""

    seconds = 1.0

    def __init__(self, whole: Measurements, printed: Printed) -> None:
        self._whole = whole
        self._printed = printed

    async def bring(self, *, is_last: bool = False) -> None:
        """Search everything up to the last whole line; at the last call also what follows it."""
        if not self._whole.is_wanted:
            return
        try:
            async with asyncio.timeout(SECONDS_MAX):
                while lines := await self._printed.read(is_last=is_last):
                    await self._whole.search(lines)
                    self._printed.mark()
        except TimeoutError:
            log.warning("the metrics of a job are behind its output, which they have not searched whole")
