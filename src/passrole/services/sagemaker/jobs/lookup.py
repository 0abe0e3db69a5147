"""Finds jobs of any kind by name, lists them in pages, and requests their stop."""

from collections.abc import Callable
from typing import Any

from passrole.services.context import Context
from passrole.services.sagemaker.jobs import refusals, states
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import STOPPING, Job
from passrole.services.sagemaker.listing import StateListing, listed
from passrole.services.sagemaker.paging import Orders, SortOrder
from passrole.store import Tx

STOPS = "sagemaker-job-stops"
"""The channel that notifies the worker of jobs to stop, by their ARNs."""


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
    ctx: Context, kind: JobKind, asked: StateListing, order: SortOrder, sort_by: str = "CreationTime"
) -> dict[str, Any]:
    """A page of the account's and region's jobs that pass the filters.

    `sort_by` and `order` are for a request that names none. Raises ValidationException for an invalid token.
    """

    def found(tx: Tx) -> dict[str, Any]:
        jobs = (each for _, each in kind.collection.within(tx, *ctx.location))
        shown, more = listed(jobs, _ORDERS, asked, order, sort_by)
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
