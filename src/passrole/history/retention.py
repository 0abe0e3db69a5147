"""Deletes executions that ended long ago; worker/housekeeping.py calls it where a setting asks for that.

A transaction deletes some of them, each whole, so that other writes do not wait long. Killed between two
transactions: the next sweep deletes the others.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from passrole.history import executions, journal
from passrole.store import Store, Tx

AT_ONCE_MAX = 100


class _Ended(NamedTuple):
    """An execution (its ARN) that ended with the journal's row `seq`, at `at`."""

    arn: str
    seq: int
    at: float


async def sweep(store: Store, before: float, pipeline: str | None = None) -> list[str]:
    """Delete the executions that ended before a moment, with all that belongs to them; their ARNs.

    Those of all pipelines, or of the one with this ARN. One from which a running execution took steps
    (selective execution) stays.
    """
    deleted, after = list[str](), ""
    while found := await store.read(partial(_page, before=before, after=after, pipeline=pipeline)):
        old = [each for each in found if each.at < before]
        if old:
            deleted += await store.write(partial(_delete, ended=old))
        after = found[-1].arn
    return deleted


async def due(store: Store, before: float, pipeline: str) -> list[str]:
    """The ARNs of those that `sweep` would delete now."""
    due, after = list[str](), ""
    while found := await store.read(partial(_page, before=before, after=after, pipeline=pipeline)):
        old = [each for each in found if each.at < before]
        due += await store.read(partial(_unused, ended=old))
        after = found[-1].arn
    return due


def _page(tx: Tx, before: float, after: str, pipeline: str | None) -> list[_Ended]:
    arns = executions.over(tx, started_before=before, after=after, limit=AT_ONCE_MAX, pipeline=pipeline)
    last = ((arn, journal.last(tx, arn)) for arn in arns)
    return [_Ended(arn, *row) for arn, row in last if row is not None]


def _delete(tx: Tx, ended: Sequence[_Ended]) -> list[str]:
    unused = _unused(tx, ended)
    executions.delete(tx, unused)
    return unused


def _unused(tx: Tx, ended: Sequence[_Ended]) -> list[str]:
    """Those that have not begun again (RetryPipelineExecution) since they were read, and are no sources."""
    still = [each.arn for each in ended if _last_seq(tx, each.arn) == each.seq]
    sources = _sources(tx, {arn.partition("/execution/")[0] for arn in still})
    return [arn for arn in still if arn not in sources]


def _last_seq(tx: Tx, arn: str) -> int | None:
    row = tx.one("SELECT max(seq) FROM journal WHERE execution = ?", arn)
    return row[0] if row else None


def _sources(tx: Tx, pipelines: set[str]) -> set[str | None]:
    """A source is an execution of the same pipeline."""
    running = (arn for pipeline in pipelines for arn in executions.running(tx, pipeline))
    return {journal.source(tx, arn) for arn in running}
