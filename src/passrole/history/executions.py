"""The executions as lists show them: one row each, beside the journal, which is the truth.

Knows no journal and no commands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from passrole.engine import State
from passrole.engine.facts import ExecutionStarted
from passrole.history import cached_results, definitions, job_retries, jobs, outbox, traces
from passrole.store import Tx
from passrole.store.interface import Row

SortBy = Literal["CreationTime", "PipelineExecutionArn"]


@dataclass(frozen=True, slots=True)
class ExecutionMetadata:
    """What StartPipelineExecution was told, and by whom; `created_by` is AWS's UserContext.

    `version` counts the versions of the pipeline, from 1. `modified` is when any of this was changed, in
    seconds since the epoch: what happened to the execution itself is in the journal.
    """

    display_name: str
    description: str | None = None
    created_by: Mapping[str, Any] = field(default_factory=dict)
    modified_by: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    modified: float = 0.0
    mlflow_experiment: str | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """A row. `arn`, `pipeline` and `role` are ARNs, `definition` is the digest of the text."""

    arn: str
    pipeline: str
    role: str
    status: str
    reason: str | None
    started: float
    metadata: ExecutionMetadata
    definition: str

    @property
    def is_running(self) -> bool:
        """Whether it is not over."""
        return self.status in ("Executing", "Stopping")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a pipeline's executions: begun in [created_after, created_before], beyond `after`.

    `after` is the last execution of the page before: its start and its ARN.
    """

    limit: int
    sort_by: SortBy = "CreationTime"
    descending: bool = True
    created_after: float | None = None
    created_before: float | None = None
    after: tuple[float, str] | None = None


def add(tx: Tx, fact: ExecutionStarted, *, definition: str, role: str, metadata: ExecutionMetadata) -> None:
    """Enter a new execution of a kept definition (its digest)."""
    tx.run(
        "INSERT INTO executions (execution, pipeline, role, status, started, metadata, definition)"
        " VALUES (?, ?, ?, 'Executing', ?, ?, ?)",
        fact.execution_arn,
        fact.pipeline_arn,
        role,
        fact.at,
        orjson.dumps(metadata),
        definition,
    )


def note_status(tx: Tx, execution: str, state: State) -> None:
    """Take over what has become of the execution."""
    tx.run(
        "UPDATE executions SET status = ?, reason = ? WHERE execution = ?",
        state.status,
        state.failure_reason,
        execution,
    )


def note_metadata(tx: Tx, execution: Execution, metadata: ExecutionMetadata) -> None:
    """Take over what it is called now, or who changed it last."""
    tx.run("UPDATE executions SET metadata = ? WHERE execution = ?", orjson.dumps(metadata), execution.arn)


def find(tx: Tx, arn: str) -> Execution | None:
    """The execution with this ARN."""
    row = tx.one(f"SELECT {_COLUMNS} FROM executions WHERE execution = ?", arn)  # noqa: S608 (a constant)
    return _execution(row) if row else None


def page(tx: Tx, pipeline: str, wanted: Page) -> list[Execution]:
    """Executions of a pipeline (its ARN), `wanted.limit` at most, in the order that is wanted."""
    conditions: list[tuple[str, tuple[object, ...]]] = [("pipeline = ?", (pipeline,))]
    if wanted.created_after is not None:
        conditions.append(("started >= ?", (wanted.created_after,)))
    if wanted.created_before is not None:
        conditions.append(("started <= ?", (wanted.created_before,)))
    beyond, direction = ("<", "DESC") if wanted.descending else (">", "ASC")
    keys = ("started", "execution") if wanted.sort_by == "CreationTime" else ("execution",)
    if wanted.after is not None:
        holes = ", ".join("?" for _ in keys)
        conditions.append((f"({', '.join(keys)}) {beyond} ({holes})", wanted.after[-len(keys) :]))
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM executions WHERE {' AND '.join(text for text, _ in conditions)}"  # noqa: S608
        f" ORDER BY {', '.join(f'{key} {direction}' for key in keys)} LIMIT ?",
        *(value for _, values in conditions for value in values),
        wanted.limit,
    )
    return [_execution(row) for row in rows]


def recent(tx: Tx, here: str, since: float, limit: int) -> list[Execution]:
    """Executions that run, or that began since a moment, newest first.

    `here` is how the ARNs of their pipelines begin.
    """
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM executions"  # noqa: S608 (constants)
        f" WHERE (status IN {_RUNNING} OR started >= ?) AND substr(pipeline, 1, ?) = ?"
        " ORDER BY started DESC LIMIT ?",
        since,
        len(here),
        here,
        limit,
    )
    return [_execution(row) for row in rows]


def counts(tx: Tx) -> dict[str, int]:
    """How many executions have each status."""
    return dict(tx.all("SELECT status, count(*) FROM executions GROUP BY status"))


def counts_by_pipeline(tx: Tx, here: str) -> list[tuple[str, str, int]]:
    """Pipelines (ARNs), statuses, and how many executions of the pipeline have the status.

    `here` is how the ARNs of the pipelines begin.
    """
    return [
        (pipeline, status, count)
        for pipeline, status, count in tx.all(
            "SELECT pipeline, status, count(*) FROM executions WHERE substr(pipeline, 1, ?) = ?"
            " GROUP BY pipeline, status",
            len(here),
            here,
        )
    ]


def with_id(tx: Tx, id_: str) -> list[str]:
    """The ARNs that end with an execution's id: one, unless chance made the same id twice."""
    ending = f"/execution/{id_}"
    sql = "SELECT execution FROM executions WHERE substr(execution, length(execution) - ?) = ?"
    return [arn for (arn,) in tx.all(sql, len(ending) - 1, ending)]


def last_started(tx: Tx, pipeline: str) -> float | None:
    """When the pipeline's newest execution began."""
    row = tx.one("SELECT max(started) FROM executions WHERE pipeline = ?", pipeline)
    return row[0] if row else None


def running_count(tx: Tx, here: str) -> int:
    """How many executions are not over; `here` is how the ARNs of their pipelines begin."""
    sql = f"SELECT count(*) FROM executions WHERE status IN {_RUNNING} AND substr(pipeline, 1, ?) = ?"  # noqa: S608
    row = tx.one(sql, len(here), here)
    return row[0] if row else 0


def any_running(tx: Tx, pipeline: str) -> bool:
    """Whether an execution of the pipeline is not over."""
    sql = f"SELECT 1 FROM executions WHERE pipeline = ? AND status IN {_RUNNING} LIMIT 1"  # noqa: S608
    return tx.one(sql, pipeline) is not None


def running(tx: Tx, pipeline: str) -> list[str]:
    """The ARNs of a pipeline's executions that are not over."""
    sql = f"SELECT execution FROM executions WHERE pipeline = ? AND status IN {_RUNNING}"  # noqa: S608
    return [arn for (arn,) in tx.all(sql, pipeline)]


def over(tx: Tx, *, started_before: float, after: str, limit: int, pipeline: str | None = None) -> list[str]:
    """The ARNs of executions that are over, of all pipelines or of one: those beyond `after`, by ARN."""
    of, parameters = ("", ()) if pipeline is None else (" AND pipeline = ?", (pipeline,))
    rows = tx.all(
        "SELECT execution FROM executions"  # noqa: S608 (constants)
        f" WHERE execution > ? AND started < ? AND status NOT IN {_RUNNING}{of} ORDER BY execution LIMIT ?",
        after,
        started_before,
        *parameters,
        limit,
    )
    return [arn for (arn,) in rows]


def delete_all(tx: Tx, pipeline: str) -> None:
    """Remove the pipeline's executions with everything that belongs to them."""
    rows = tx.all("SELECT execution, definition FROM executions WHERE pipeline = ?", pipeline)
    _delete(tx, dict(rows))


def delete(tx: Tx, arns: Iterable[str]) -> None:
    """Remove these executions with everything that belongs to them."""
    found = (find(tx, arn) for arn in arns)
    _delete(tx, {each.arn: each.definition for each in found if each is not None})


def _delete(tx: Tx, digests: Mapping[str, str]) -> None:
    """`digests` of the definitions by the executions' ARNs."""
    for arn in digests:
        for table in ("journal", "tokens", "executions"):
            tx.run(f"DELETE FROM {table} WHERE execution = ?", arn)  # noqa: S608 (constants)
        outbox.remove_all(tx, arn)
        jobs.forget_all(tx, arn)
        job_retries.forget_all(tx, arn)
        traces.forget(tx, arn)
    cached_results.forget(tx, digests)
    definitions.remove_unused(tx, digests.values())


_RUNNING = "('Executing', 'Stopping')"
_COLUMNS = "execution, pipeline, role, status, reason, started, metadata, definition"


def _execution(row: Row) -> Execution:
    arn, pipeline, role, status, reason, started, metadata, definition = row
    return Execution(
        arn, pipeline, role, status, reason, started, ExecutionMetadata(**orjson.loads(metadata)), definition
    )
