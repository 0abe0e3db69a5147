"""Finds jobs of any kind by name, lists them in pages, and requests their stop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from passrole.services.context import Context
from passrole.services.sagemaker.jobs import refusals, states
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import STOPPING, Job
from passrole.services.sagemaker.paging import Orders, SortOrder, is_between, sorted_page
from passrole.store import Tx

PAGE_DEFAULT = 10
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html"""

STOPS = "sagemaker-job-stops"
"""The channel that notifies the worker of jobs to stop, by their ARNs."""

Between = tuple[float | None, float | None]


@dataclass(frozen=True)
class Filters:
    """The filters of a List request; times are inclusive."""

    created: Between
    modified: Between
    name_contains: str
    status: str | None

    def takes(self, job: Job) -> bool:
        """Whether the job passes the filters."""
        return (
            is_between(job.created, *self.created)
            and is_between(job.modified, *self.modified)
            and self.name_contains in job.name
            and self.status in (None, job.status)
        )


async def job(ctx: Context, kind: JobKind, name: str) -> Job:
    """The job of that name. Raises ResourceNotFound, ValidationException (training jobs)."""
    return await ctx.store.read(lambda tx: require(tx, ctx, kind, name))


async def stop(ctx: Context, kind: JobKind, name: str, also: Callable[[Tx, Job], None] | None = None) -> None:
    """Request that a job stops; idempotent. `also` is written with it. Raises ValidationException if it has
    ended.

    Raises ResourceNotFound (processing jobs) or ValidationException (training jobs) for an unknown name.
    """

    def request_stop(tx: Tx) -> None:
        found = require(tx, ctx, kind, name)
        if found.has_ended:
            raise refusals.has_ended(kind, found)
        if found.status != STOPPING:
            request_stop_of(tx, kind, found, ctx.clock())
            if also is not None:
                also(tx, found)

    await ctx.store.write(request_stop)


def request_stop_of(tx: Tx, kind: JobKind, found: Job, now: float) -> None:
    """Write that a job is to stop, and tell whoever runs it."""
    states.update(tx, kind, states.stopping(kind, found, now), now)
    tx.notify(STOPS, found.arn)


async def page(
    ctx: Context,
    kind: JobKind,
    filters: Filters,
    sort_by: str,
    sort_order: SortOrder,
    token: str | None,
    limit: int,
) -> dict[str, Any]:
    """A page of the jobs that pass the filters. Raises ValidationException for an invalid token."""

    def found(tx: Tx) -> dict[str, Any]:
        jobs = [each for _, each in kind.collection.within(tx, *ctx.location) if filters.takes(each)]
        shown, more = sorted_page(jobs, _ORDERS, sort_by, sort_order, token, limit)
        return {f"{kind.member}Summaries": [kind.summary(each) for each in shown], **more}

    return await ctx.store.read(found)


def require(tx: Tx, ctx: Context, kind: JobKind, name: str) -> Job:
    """The job of that name. Raises its kind's error for an unknown one."""
    return kind.collection.require(tx, ctx.key(name), lambda: refusals.not_found(kind, name))


_ORDERS: Orders[Job] = {
    "CreationTime": (lambda job: (job.created, job.name), (float, str)),
    "Name": (lambda job: (job.name,), (str,)),
    "Status": (lambda job: (job.status, job.name), (str, str)),
}
