"""What an execution and each of its steps cost a server: the figures of docs/reference/sizing.md.

    python -m bench.sizing                                  # rows in SQLite's file
    python -m bench.sizing --store postgresql:///sizing     # rows in this database, which is new and empty

Chains of one and of LONG Lambda steps run in a real server: what the steps add is the cost of a step, the
rest is an execution's. Functions' own time is not in it. PostgreSQL runs on this machine, for nobody else.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import psycopg

from bench import definitions
from bench.functions import ECHO
from bench.server import Server

LONG = 11
CALLERS = 4
WITHIN_SECONDS = 300.0
SECONDS_A_MONTH = 30 * 86_400
MILLIONS, STEPS = (1, 10, 100), 5


@dataclass(frozen=True)
class Cost:
    """`kept` stays in the database, `written` goes to the disk: SQLite's log and file, or PostgreSQL's WAL.

    `audit` is what the audit trail grows by. Syncs are PostgreSQL's: commits that come together share one.
    """

    server_cpu_seconds: float
    database_cpu_seconds: float
    kept_bytes: float
    written_bytes: float
    audit_bytes: float
    syncs: float

    def minus(self, other: "Cost") -> "Cost":
        """Each figure less the other's."""
        return self._each(lambda name: float(getattr(self, name) - getattr(other, name)))

    def over(self, number: float) -> "Cost":
        """The share of one of so many."""
        return self._each(lambda name: float(getattr(self, name) / number))

    def _each(self, figure: Callable[[str], float]) -> "Cost":
        return Cost(*(figure(field.name) for field in fields(Cost)))


@dataclass(frozen=True)
class Need:
    """What executions need: cores when they come evenly, and bytes a month."""

    server_cores: float
    database_cores: float
    kept_bytes: float
    audit_bytes: float


def need(execution: Cost, step: Cost, *, executions_a_month: float, steps: int) -> Need:
    """By calculation: so many executions of so many steps."""

    def of(name: str) -> float:
        each: float = getattr(execution, name) + steps * getattr(step, name)
        return executions_a_month * each

    return Need(
        server_cores=of("server_cpu_seconds") / SECONDS_A_MONTH,
        database_cores=of("database_cpu_seconds") / SECONDS_A_MONTH,
        kept_bytes=of("kept_bytes"),
        audit_bytes=of("audit_bytes"),
    )


class Meter:
    """A server, and what it and its database have used so far."""

    def __init__(self, server: Server, data: Path, store: str) -> None:
        self._server, self._data, self._store = server, data, store

    def so_far(self) -> Cost:
        """All of it."""
        audit, cpu = float((self._data / "audit.jsonl").stat().st_size), self._server.cpu_seconds
        if not self._store:
            written = self._server.written_bytes
            return Cost(cpu, 0.0, _size(self._data / "passrole.db"), written, audit, 0.0)
        database_cpu, kept, written, syncs = _of_postgres(self._store)
        return Cost(cpu, database_cpu, kept, written, audit, syncs)


def measured(meter: Meter, server: Server, executions: int) -> tuple[Cost, Cost]:
    """Of an execution, and of a step."""
    function = server.function("sagemaker-echo", ECHO)
    costs = []
    for name, steps in (("short", 1), ("long", LONG)):
        server.pipeline(name, definitions.chain(function, steps))
        _run(server, name, CALLERS)  # starts what the others find running
        before = meter.so_far()
        _run(server, name, executions)
        costs.append(meter.so_far().minus(before).over(executions))
    short, long = costs
    step = long.minus(short).over(LONG - 1)
    return short.minus(step), step


def main(executions: int, store: str) -> None:
    """Print the figures, and what follows."""
    options = ("--store", store) if store else ()
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), *options) as server:
        execution, step = measured(Meter(server, Path(folder), store), server, executions)
    print(f"{executions} executions of 1 and of {LONG} steps, {CALLERS} callers")
    print(f"{'':<22} {'an execution':>14} {'a step':>14}")
    for name in (field.name for field in fields(Cost)):
        print(f"{name:<22} {getattr(execution, name):>14,.5g} {getattr(step, name):>14,.5g}")
    for millions in MILLIONS:
        print(millions, "million:", need(execution, step, executions_a_month=millions * 1e6, steps=STEPS))


def _run(server: Server, pipeline: str, executions: int) -> None:
    """Start so many, a few at a time, and look at each once it is over."""
    sagemaker = server.client("sagemaker")

    def one(_: int) -> None:
        arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
        end = time.monotonic() + WITHIN_SECONDS
        while True:
            time.sleep(1)
            status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[
                "PipelineExecutionStatus"
            ]
            if status == "Succeeded":
                return
            if status != "Executing" or time.monotonic() > end:
                raise RuntimeError(f"`{arn}` is {status}")

    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(one, range(executions)))


def _size(database: Path) -> float:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        pages, unused, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return float((pages - unused) * size)


def _of_postgres(url: str) -> tuple[float, float, float, float]:
    """Seconds of its CPU, bytes that are kept, bytes of WAL, and syncs of it."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0', wal_sync"
            " FROM pg_stat_wal"
        ).fetchone()
        first = psutil.Process(connection.info.backend_pid).parent()
        used = sum(sum(each.cpu_times()[:2]) for each in first.children())
        cpu_seconds = float(used + sum(first.cpu_times()[:4]))  # its own, and that of those that ended
    assert row is not None
    kept, written, syncs = map(float, row)
    return cpu_seconds, kept, written, syncs


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--store", default="")
    given = parser.parse_args()
    main(given.executions, given.store)
