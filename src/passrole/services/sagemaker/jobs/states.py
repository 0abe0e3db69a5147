"""How a job changes: pure transitions from one record to the next, and the rows and events that they write.

    InProgress ──> Completed | Failed
        └── stopped ──> Stopping ──> Stopped

The phases of a training job (Starting, Downloading, Training, Uploading) are secondary statuses.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from passrole import arns
from passrole.arns import Location
from passrole.services.sagemaker import state_events
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import ENDED, STOPPING, Job
from passrole.store import Tx, tasks

ENDS = "sagemaker-job-ends"
"""The channel that tells of jobs that have ended, by their ARNs."""

METRICS = "FinalMetricDataList"
TUNING_JOB = "TuningJobArn"
"""A member of the results of a training job that a tuning job has made."""
_COURSE_MAX = 20_000
"""The most epochs that Hyperband knows."""
_REASON_CHARACTERS_MAX = 1024
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html#API_DescribeTrainingJob_ResponseSyntax"""


class Course(NamedTuple):
    """Values with which the course of a job goes on, and how many there were `before` them."""

    before: int
    values: Sequence[float]


def created(tx: Tx, kind: JobKind, job: Job) -> bool:
    """Store a new job and its task. False if a job of that name exists."""
    begun = in_phase(kind, job, "Starting", job.created)
    if not kind.collection.add(tx, job.key, begun):
        return False
    tasks.add(tx, kind.resource, job.key, b"", job.created)
    _emit_event(tx, kind, begun)
    return True


def update(tx: Tx, kind: JobKind, job: Job, at: float) -> Job:
    """Store a changed job and emit its event; tell those who wait for its end."""
    changed = replace(job, modified=at)
    kind.collection.put(tx, job.key, changed)
    if changed.has_ended:
        tx.notify(ENDS, changed.arn)
        _wake_tuning(tx, changed)
    _emit_event(tx, kind, changed)
    return changed


def entrusted(tx: Tx, kind: JobKind, key: str, host: str, token_hash: str) -> None:
    """Store the hash of an instance's token, which is valid until the job ends."""
    job = kind.collection.get(tx, key)
    if job is not None and not job.has_ended:
        kind.collection.put(tx, key, replace(job, tokens={**job.tokens, host: token_hash}))


def measured(
    tx: Tx,
    kind: JobKind,
    key: str,
    values: Sequence[Mapping[str, Any]],
    at: float,
    course: Course | None = None,
) -> None:
    """Store the metrics that a running job has printed; that is no change of state and makes no event.

    `course` goes on with the values of the metric for which it is watched. Those that are there already are
    not added again: a write whose answer was lost is repeated, and values count epochs.
    """
    job = kind.collection.get(tx, key)
    if job is not None and not job.has_ended:
        changed = replace(job, results={**job.results, METRICS: values}, modified=at)
        more = course.values[max(len(job.course) - course.before, 0) :] if course else ()
        if more:
            changed = replace(changed, course=[*job.course, *more][:_COURSE_MAX])
            _wake_tuning(tx, changed)
        kind.collection.put(tx, key, changed)


def in_phase(kind: JobKind, job: Job, phase: str, at: float) -> Job:
    """The job in its next phase. The phase of its program, named as the kind, sets its start time."""
    started = at if phase == kind.word and job.started is None else job.started
    if phase not in kind.phases or job.secondary == phase:
        return replace(job, started=started)
    begun = {"Status": phase, "StartTime": at, "StatusMessage": kind.phases[phase]}
    return replace(job, secondary=phase, started=started, transitions=[*_closed(job.transitions, at), begun])


def waiting(job: Job, message: str) -> Job:
    """The job in the phase in which it is, with another StatusMessage."""
    if not job.transitions:
        return job
    *before, last = job.transitions
    return replace(job, transitions=[*before, {**last, "StatusMessage": message}])


def stopping(kind: JobKind, job: Job, at: float) -> Job:
    """The job after Stop was called."""
    return replace(in_phase(kind, job, "Stopping", at), status=STOPPING)


def ended(kind: JobKind, job: Job, status: str, at: float, **members: Any) -> Job:
    """The job when it has ended: Completed, Failed or Stopped. `members` are further fields of the record."""
    assert status in ENDED, status
    reason = members.pop("failure_reason", None)
    secondary = members.pop("secondary", status)
    final = in_phase(kind, job, secondary, at)
    return replace(
        final,
        status=status,
        ended=at,
        transitions=_closed(final.transitions, at),
        tokens={},
        failure_reason=None if reason is None else reason[:_REASON_CHARACTERS_MAX],
        **members,
    )


def _closed(transitions: Sequence[Mapping[str, Any]], at: float) -> list[Mapping[str, Any]]:
    return [each if "EndTime" in each else {**each, "EndTime": at} for each in transitions]


def _wake_tuning(tx: Tx, job: Job) -> None:
    """Have the tuning job that made it, if any, look at its training jobs; a task, which no crash loses."""
    arn = arns.parse(job.results.get(TUNING_JOB, ""))
    if arn is not None:
        kind, _, name = arn.resource.partition("/")
        tasks.add(tx, kind, Location(job.account, job.region).key(name), b"", job.modified)


def _emit_event(tx: Tx, kind: JobKind, job: Job) -> None:
    """The event has the description, and the job's tags."""
    place, detail = Location(job.account, job.region), {**kind.description(job), "Tags": job.tags}
    state_events.emit(tx, place, job.modified, kind.event, job.arn, detail)
