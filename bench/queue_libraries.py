"""pgqueuer and procrastinate side by side on PostgreSQL: what docs/decisions/0018-queue.md chose by.

It is run by hand, in an environment that has both libraries beside psycopg; passrole is not needed:

    python -m venv .venv-queues
    .venv-queues/bin/pip install asyncpg "psycopg[binary]" pgqueuer==1.6.0 procrastinate==3.10.0
    .venv-queues/bin/python -m bench.queue_libraries

PostgreSQL is started for it with fsync on. "Journal" is a row as an execution's journal has it.
"""

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import psycopg

from bench.postgres import of_the_tests

CONNECTIONS = 8
COMMITS_EACH = 250
JOBS = 2_000
ROUNDS = 3
HEARTBEAT_SECONDS = 4.0
_TABLES = """
CREATE TABLE journal (execution text, seq bigint, facts bytea, PRIMARY KEY (execution, seq));
CREATE TABLE runs (job text, at double precision);
"""
_FACTS = b"x" * 300


class Pgqueuer:
    """Jobs are rows that are deleted when they are over."""

    name = "pgqueuer"
    rows = "SELECT count(*) FROM pgqueuer"
    triggers = "ALTER TABLE pgqueuer {} TRIGGER USER"
    connected_by = "from_psycopg_connection"

    def install(self, url: str) -> None:
        """Make its tables."""

        async def make() -> None:
            from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
            from pgqueuer.queries import Queries

            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await Queries(PsycopgDriver(connection)).install()

        asyncio.run(make())

    def enqueuer(self, connection: "psycopg.Connection[Any]") -> Callable[[str, float], None]:
        """What enqueues on this connection, in its transaction if one is open: a job and its delay."""
        from pgqueuer.adapters.drivers.psycopg import SyncPsycopgDriver
        from pgqueuer.queries import SyncQueries

        queries = SyncQueries(SyncPsycopgDriver(connection))

        def enqueue(job: str, delay: float = 0.0) -> None:
            after = timedelta(seconds=delay) if delay else None
            queries.enqueue("work", job.encode(), execute_after=after)

        return enqueue

    async def work(self, url: str, handle: Callable[[str], Any]) -> None:
        """Take jobs until the process ends."""
        from pgqueuer import PgQueuer

        async def work(job: Any) -> None:
            await handle(job.payload.decode())

        async with self._connected(url) as connection:
            worker = getattr(PgQueuer, self.connected_by)(connection)
            worker.entrypoint("work")(work)
            await worker.run(
                dequeue_timeout=timedelta(seconds=0.2),
                heartbeat_timeout=timedelta(seconds=HEARTBEAT_SECONDS),
                batch_size=50,
            )

    @contextlib.asynccontextmanager
    async def _connected(self, url: str) -> AsyncIterator[Any]:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            yield connection


class PgqueuerOnAsyncpg(Pgqueuer):
    """The same with asyncpg in the worker; the transaction that enqueues stays psycopg's."""

    name = "pgqueuer_asyncpg"
    connected_by = "from_asyncpg_connection"

    @contextlib.asynccontextmanager
    async def _connected(self, url: str) -> AsyncIterator[Any]:
        import asyncpg

        connection = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()


class Procrastinate:
    """Jobs are rows that change their status; an own loop finds those of dead workers."""

    name = "procrastinate"
    rows = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    triggers = "ALTER TABLE procrastinate_jobs {} TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1"

    def install(self, url: str) -> None:
        """Make its tables."""
        import procrastinate

        with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url)).open() as app:
            app.schema_manager.apply_schema()

    def enqueuer(self, connection: "psycopg.Connection[Any]") -> Callable[[str, float], None]:
        """What enqueues on this connection, in its transaction if one is open: a job and its delay."""
        import procrastinate

        app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

        def enqueue(job: str, delay: float = 0.0) -> None:
            after: dict[str, Any] = {"schedule_in": {"seconds": delay}} if delay else {}
            app.configure_task("work", connection=connection, **after).defer(job=job)

        return enqueue

    async def work(self, url: str, handle: Callable[[str], Any]) -> None:
        """Take jobs until the process ends."""
        import procrastinate

        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

        async def work(job: str) -> None:
            await handle(job)

        app.task(name="work")(work)
        async with app.open_async():
            sweeping = asyncio.create_task(self._sweep(app))
            await app.run_worker_async(
                concurrency=50,
                fetch_job_polling_interval=0.2,
                update_heartbeat_interval=HEARTBEAT_SECONDS / 2,
                stalled_worker_timeout=HEARTBEAT_SECONDS,
            )
            sweeping.cancel()

    async def _sweep(self, app: Any) -> None:
        """What its users write themselves: jobs of dead workers become free again."""
        while True:
            await asyncio.sleep(0.5)
            found = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=HEARTBEAT_SECONDS)
            for job in found:
                await app.job_manager.retry_job(job)


LIBRARIES: dict[str, Any] = {each.name: each for each in (Pgqueuer(), PgqueuerOnAsyncpg(), Procrastinate())}


def in_our_transaction(library: Any, url: str) -> str:
    """Whether a job comes and goes with our own transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        enqueue = library.enqueuer(connection)
        with contextlib.suppress(ZeroDivisionError), connection.transaction():
            enqueue("undone")
            _ = 1 / 0
        undone = _rows(library, connection)
        with connection.transaction():
            enqueue("kept")
        kept = _rows(library, connection)
    return "yes" if (undone, kept) == (0, 1) else f"NO: {undone}, {kept}"


def execute_after(library: Any, url: str) -> str:
    """How late jobs begin that may begin a second later."""
    with _worker(library, url, "note"), psycopg.connect(url, autocommit=True) as connection:
        enqueue = library.enqueuer(connection)
        _until_run(connection, enqueue, "first")
        late = []
        for number in range(5):
            due = time.time() + 1.0
            late.append(_until_run(connection, enqueue, f"later-{number}", 1.0) - due)
    return f"{median(late) * 1000:.0f} ms late, at most {max(late) * 1000:.0f}"


def wake_up(library: Any, url: str) -> str:
    """From the commit until the job runs, with an idle worker."""
    with _worker(library, url, "note"), psycopg.connect(url, autocommit=True) as connection:
        enqueue = library.enqueuer(connection)
        _until_run(connection, enqueue, "first")
        waits = []
        for number in range(20):
            began = time.time()
            waits.append(_until_run(connection, enqueue, f"now-{number}") - began)
    return f"{median(waits) * 1000:.1f} ms"


def on_an_exception(library: Any, url: str) -> str:
    """What is left of a job whose handler raises."""
    with _worker(library, url, "raise"), psycopg.connect(url, autocommit=True) as connection:
        _until_run(connection, library.enqueuer(connection), "fails")
        time.sleep(3)
        tries = connection.execute("SELECT count(*) FROM runs").fetchone()
        return f"tried {tries[0] if tries else 0} times in 3 s, {_rows(library, connection)} rows left"


def take_over(library: Any, url: str) -> str:
    """How long after a worker was killed another begins its job; heartbeats stop for HEARTBEAT_SECONDS."""
    with psycopg.connect(url, autocommit=True) as connection, _worker(library, url, "hang") as first:
        began = _until_run(connection, library.enqueuer(connection), "taken")
        with _worker(library, url, "hang"):
            time.sleep(HEARTBEAT_SECONDS * 1.5)  # its worker lives, and is not robbed
            count = _count(connection, "taken")
            killed = time.time()
            first.kill()
            while _count(connection, "taken") == count and time.time() < killed + 60:
                time.sleep(0.02)
            lasted = time.time() - killed
    robbed = "" if count == 1 else f"; ROBBED a living worker after {began:.0f}"
    return f"{lasted:.1f} s (heartbeat {HEARTBEAT_SECONDS:.0f} s){robbed}"


def throughput(library: Any, url: str) -> str:
    """Jobs that do nothing, a second, of one worker process."""
    with psycopg.connect(url, autocommit=True) as connection:
        enqueue = library.enqueuer(connection)
        began = time.perf_counter()
        with connection.transaction():
            for number in range(JOBS):
                enqueue(str(number))
        enqueued = time.perf_counter() - began
        with _worker(library, url, "nothing"):
            while _rows(library, connection) == JOBS:
                time.sleep(0.005)
            began, left = time.perf_counter(), _rows(library, connection)
            while _rows(library, connection) > 0:
                time.sleep(0.02)
            taken = left / (time.perf_counter() - began)
            return f"{taken:,.0f}/s; enqueued in one commit {JOBS / enqueued:,.0f}/s"


def commits(library: Any, url: str) -> str:
    """Commits a second of CONNECTIONS: the journal alone, with a job, and with a job but no trigger."""

    def job(connection: Any) -> Callable[[], None]:
        enqueue = library.enqueuer(connection)
        return lambda: enqueue("x")

    def note(connection: Any) -> Callable[[], None]:
        return lambda: connection.execute("SELECT pg_notify('bell', 'x')")

    with psycopg.connect(url, autocommit=True) as connection:
        enabled, disabled = (library.triggers.format(verb) for verb in ("ENABLE", "DISABLE"))
        rounds = []
        for _ in range(ROUNDS):
            alone = _commits(url, lambda _: lambda: None)
            told, with_job = _commits(url, note), _commits(url, job)
            connection.execute(disabled)
            rounds.append((alone, told, with_job, _commits(url, job)))
            connection.execute(enabled)
    base, *figures = (median(column) for column in zip(*rounds, strict=True))
    shares = ", ".join(f"{figure / base:.2f}" for figure in figures)
    return f"{base:,.0f}/s; with one NOTIFY, a job, a job without its trigger: {shares} x"


def _commits(url: str, also: Callable[[Any], Callable[[], Any]]) -> float:
    """Commits a second of a journal row and what `also` does."""
    ready = threading.Barrier(CONNECTIONS + 1)

    def write(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            more = also(connection)
            name = f"{number}-{time.monotonic_ns()}"
            ready.wait()
            for seq in range(COMMITS_EACH):
                with connection.transaction():
                    connection.execute("INSERT INTO journal VALUES (%s, %s, %s)", (name, seq, _FACTS))
                    more()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return CONNECTIONS * COMMITS_EACH / (time.perf_counter() - began)


@contextlib.contextmanager
def _worker(library: Any, url: str, behaviour: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "bench.queue_libraries", library.name, url, behaviour]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 (its own path)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _until_run(connection: Any, enqueue: Callable[[str, float], None], job: str, delay: float = 0.0) -> float:
    """When it began."""
    enqueue(job, delay)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        row = connection.execute("SELECT min(at) FROM runs WHERE job = %s", (job,)).fetchone()
        if row[0] is not None:
            return float(row[0])
        time.sleep(0.002)
    raise TimeoutError(f"`{job}` did not run")


def _rows(library: Any, connection: Any) -> int:
    return int(connection.execute(library.rows).fetchone()[0])


def _count(connection: Any, job: str) -> int:
    return int(connection.execute("SELECT count(*) FROM runs WHERE job = %s", (job,)).fetchone()[0])


TRIALS = (in_our_transaction, execute_after, wake_up, on_an_exception, take_over, throughput, commits)


def compare() -> None:
    """Every trial of both, each on a database of its own, as a table in Markdown."""
    print(f"| trial | {' | '.join(LIBRARIES)} |\n{'|---' * (len(LIBRARIES) + 1)}|")
    with of_the_tests().cluster() as postgres:
        for number, trial in enumerate(TRIALS):
            answers = []
            for library in LIBRARIES.values():
                url = postgres.create(f"{library.name}_{number}")
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(_TABLES)
                library.install(url)
                answers.append(trial(library, url))
            print(f"| {trial.__name__} | {' | '.join(answers)} |", flush=True)


def work(name: str, url: str, behaviour: str) -> None:
    """Be a worker whose jobs are noted, and then hang or raise; `nothing` notes nothing."""

    async def handle(job: str) -> None:
        if behaviour == "nothing":
            return
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("INSERT INTO runs VALUES (%s, %s)", (job, time.time()))
        if behaviour == "hang":
            await asyncio.sleep(600)
        if behaviour == "raise":
            raise RuntimeError(job)

    asyncio.run(LIBRARIES[name].work(url, handle))


if __name__ == "__main__":
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    work(*sys.argv[1:]) if len(sys.argv) == 4 else compare()
