"""The metrics of a training job while it runs: the last value of each that its program has printed.

https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
"""For a job's whole output after its end: no expression holds up its end for longer, and no full disk. A
database that is away is waited for, as it is with the end itself."""


class Found(NamedTuple):
    """The last value of each metric in some lines, and every value of the one that is watched."""

    last: Mapping[str, float]
    course: Sequence[float]


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
        self._course_count = len(job.course)
        self._writing = asyncio.Lock()

    def of(self, instance: Instance) -> "InstanceMeasurements":
        """What measures one instance."""
        return InstanceMeasurements(self, Printed(instance.run, "measured"))

    async def found(self, lines: Sequence[bytes]) -> Found:
        """Find values in lines."""
        return await asyncio.to_thread(self._found, lines)

    async def keep(self, found: Found) -> None:
        """Store values. Raises what a full disk raises, after SECONDS_MAX.

        One instance after the other: each write says how many values of the course there were before.
        """
        if not found.last:
            return
        async with self._writing:
            now, before = self._clock(), self._course_count
            for name, value in found.last.items():
                self._values[name] = {"MetricName": name, "Value": value, "Timestamp": now}
            listed = [self._values[each.name] for each in self._metrics if each.name in self._values]
            course = states.Course(before, found.course)
            await writes.written(
                self._store,
                lambda tx: states.measured(tx, self._kind, self._key, listed, now, course),
                "metrics",
                seconds_max=SECONDS_MAX,
            )
            self._course_count = before + len(found.course)

    @property
    def is_wanted(self) -> bool:
        """Whether the job has metrics at all."""
        return bool(self._metrics)

    def _found(self, lines: Sequence[bytes]) -> Found:
        last, course = {}, []
        for line in lines:
            for metric in self._metrics:
                value = metric.value(line[:LINE_BYTES_MAX])
                if value is not None:
                    last[metric.name] = value
                    course += [value] if metric.name == self._watched else []
        return Found(last, course)


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
        loop, left = asyncio.get_running_loop(), SECONDS_MAX
        while True:
            began = loop.time()
            try:
                async with asyncio.timeout(left):
                    lines = await self._printed.read(is_last=is_last)
                    found = await self._whole.found(lines)
            except TimeoutError:
                log.warning("the metrics of a job are behind its output, which they have not searched whole")
                return
            left -= loop.time() - began
            if not lines:
                return
            try:
                await self._whole.keep(found)
            except writes.REFUSED:
                log.warning("the metrics of a job are behind its output: they could not be written")
                return
            self._printed.mark()
