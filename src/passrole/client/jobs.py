"""The jobs of steps while they run: their phase, the metrics that moved, and the end of their log.

A look at a job is a few calls, so only so many jobs are looked at, and none again that has ended. Texts are
as programs wrote them: whoever shows them escapes them.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from passrole.client.connection import Connection
from passrole.client.job_log import JobLog

LINES_MAX = 15
"""The lines of a log's end."""

AT_ONCE_MAX = 16
"""Jobs that are looked at."""

_METRICS_MAX = 3
_MAY_TRANSFER = ("Starting", "Downloading", "Processing", "Uploading")
"""A processing job's description tells of no phases."""

_ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class JobState:
    """A job. `phase` is Starting, Downloading, Training or Uploading, of a processing job Starting or
    Processing, and the status once it has ended; `metrics` moved last, `lines` are the end of its log.
    `transfer` is how many bytes of how many have come or gone, where they are many.
    """

    name: str
    phase: str
    metrics: Sequence[tuple[str, float]] = ()
    lines: Sequence[str] = ()
    reason: str = ""
    exit_message: str = ""
    transfer: tuple[int, int] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the phase is final."""
        return self.phase in _ENDED


class Jobs:
    """Looks at jobs, given by their ARNs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sagemaker = connection.client("sagemaker")
        self._under_way: dict[str, _Followed] = {}

    def states(self, arns: Sequence[str]) -> Mapping[str, JobState]:
        """The jobs by ARN: those that run, and those that ended and were looked at. Raises ClientError."""
        wanted = [arn for arn in arns if not self._has_ended(arn)]
        for arn in wanted[:AT_ONCE_MAX]:
            self._under_way[arn] = self._looked_at(arn, self._under_way.get(arn))
        return {arn: self._under_way[arn].state for arn in arns if arn in self._under_way}

    def _has_ended(self, arn: str) -> bool:
        known = self._under_way.get(arn)
        return known is not None and known.state.has_ended

    def _looked_at(self, arn: str, known: "_Followed | None") -> "_Followed":
        word, name, described = describe(self._sagemaker, arn)
        if known is None:
            logs = self._connection.client("logs")
            known = _Followed(
                JobLog(logs, word, name, instances(described), tail=LINES_MAX), deque(maxlen=LINES_MAX)
            )
        several = instances(described) > 1
        known.lines += [
            f"{each.instance}: {each.text}" if several else each.text for each in known.log.more()
        ]
        state = _state(word, name, described, tuple(known.lines))
        known.state = self._with_transfer(arn, state) if state.phase in _MAY_TRANSFER else state
        return known

    def _with_transfer(self, arn: str, state: JobState) -> JobState:
        told = self._connection.ask("DescribeJobTransfer", {"JobArn": arn})
        if not told:
            return state
        return replace(state, phase=told["Phase"], transfer=(told["Bytes"], told["ExpectedBytes"]))


def describe(sagemaker: Any, arn: str) -> tuple[str, str, Mapping[str, Any]]:
    """Training or Processing, the job's name, and the answer of Describe. Raises ClientError."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    word = kind.removesuffix("-job").capitalize()
    operation = getattr(sagemaker, f"describe_{kind.replace('-', '_')}")
    return word, name, operation(**{f"{word}JobName": name})


def instances(described: Mapping[str, Any]) -> int:
    """How many instances a job has here, by its description: a batch transform has one."""
    processing = (described.get("ProcessingResources") or {}).get("ClusterConfig")
    cluster = described.get("ResourceConfig") or processing or {}
    return int(cluster.get("InstanceCount") or 1)


@dataclass
class _Followed:
    log: JobLog
    lines: deque[str]
    state: JobState = JobState("", "")


def _state(word: str, name: str, described: Mapping[str, Any], lines: Sequence[str]) -> JobState:
    return JobState(
        name,
        _phase(word, described),
        _moved(described.get("FinalMetricDataList", ())),
        lines,
        described.get("FailureReason", ""),
        described.get("ExitMessage", ""),
    )


def _phase(word: str, described: Mapping[str, Any]) -> str:
    status = str(described[f"{word}JobStatus"])
    if status != "InProgress":
        return status
    has_started = f"{word}StartTime" in described
    return str(described.get("SecondaryStatus") or (word if has_started else "Starting"))


def _moved(metrics: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """The metrics whose values are the newest."""
    newest = max((each["Timestamp"] for each in metrics), default=None)
    moved = [(each["MetricName"], each["Value"]) for each in metrics if each["Timestamp"] == newest]
    return moved[:_METRICS_MAX]
