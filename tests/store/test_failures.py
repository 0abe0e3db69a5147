"""What a store tells and keeps when a listener, a transaction or a commit fails; what a read sees."""

import asyncio
import sqlite3
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from passrole.store import SqliteStore, Tx

PATIENCE_SECONDS = 20
"""Far beyond what a working store takes; only one that never answers reaches it."""


def run(folder: Path, scenario: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def whole() -> None:
        store = SqliteStore(folder)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await scenario(store)
        finally:
            await store.close()

    asyncio.run(whole())


def put(key: str) -> Callable[[Tx], None]:
    return lambda tx: tx.run_many("INSERT INTO definitions VALUES (?, '')", [(key,)])


def keys(tx: Tx) -> set[str]:
    return {row[0] for row in tx.all("SELECT digest FROM definitions")}


def test_all_statements_of_a_read_see_the_same_commit(tmp_path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        other = sqlite3.connect(tmp_path / "passrole.db", isolation_level=None)

        def twice(tx: Tx) -> tuple[set[str], set[str]]:
            before = keys(tx)
            other.execute("INSERT INTO definitions VALUES ('b', '')")
            return before, keys(tx)

        await store.write(put("a"))
        assert await store.read(twice) == ({"a"}, {"a"})
        assert await store.read(keys) == {"a", "b"}
        other.close()

    run(tmp_path, scenario)


def test_a_read_that_fails_does_not_hold_its_snapshot(tmp_path: Path) -> None:
    def fails(tx: Tx) -> None:
        keys(tx)
        raise ValueError

    async def scenario(store: SqliteStore) -> None:
        with pytest.raises(ValueError):
            await store.read(fails)
        await store.write(put("a"))
        assert await store.read(keys) == {"a"}

    run(tmp_path, scenario)


def test_a_listener_that_raises_keeps_no_answer_and_no_notice_from_others(tmp_path: Path) -> None:
    def noisy(key: str) -> Callable[[Tx], str]:
        def write(tx: Tx) -> str:
            put(key)(tx)
            tx.notify("bell", key)
            return key

        return write

    def fails(_payload: Any) -> None:
        raise RuntimeError("a listener's own fault")

    async def scenario(store: SqliteStore) -> None:
        heard: list[str] = []
        store.listen("bell", fails)
        store.listen("bell", heard.append)
        answers = await asyncio.gather(*(store.write(noisy(key)) for key in "abc"))
        assert (answers, heard) == (list("abc"), list("abc"))

    run(tmp_path, scenario)


@pytest.mark.parametrize("error", [StopIteration, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_whatever_a_transaction_raises_is_answered_and_its_neighbours_too(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def fails(tx: Tx) -> None:
        put("lost")(tx)
        raise error

    async def scenario(store: SqliteStore) -> None:
        answers = await asyncio.gather(
            store.write(put("a")), store.write(fails), store.write(put("b")), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [type(None), RuntimeError, type(None)]
        assert await store.read(keys) == {"a", "b"}
        await store.write(put("c"))

    run(tmp_path, scenario)


def test_a_commit_is_flushed_to_the_disk_before_anyone_is_told(tmp_path: Path) -> None:
    """In WAL mode only FULL (2) survives a power cut: https://www.sqlite.org/pragma.html#pragma_synchronous"""

    async def scenario(store: SqliteStore) -> None:
        assert await store.write(lambda tx: tx.one("PRAGMA synchronous")) == (2,)
        assert await store.write(lambda tx: tx.one("PRAGMA journal_mode")) == ("wal",)

    run(tmp_path, scenario)


class Fault(NamedTuple):
    """Where the writer's connection fails: the `nth` time that a statement begins with `word`."""

    word: str
    nth: int


class Failing(sqlite3.Connection):
    """A connection that fails once at each of its faults, as with a full disk; `undoes` as SQLite may do."""

    faults: tuple[Fault, ...] = ()
    undoes = False
    seen: dict[str, int]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self._step(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        self._step(sql)
        return super().executemany(sql, parameters)

    def _step(self, sql: str) -> None:
        word = next((fault.word for fault in self.faults if sql.startswith(fault.word)), None)
        if word is None or threading.current_thread() is threading.main_thread():
            return  # the reader's, and what the store does when it opens
        self.seen[word] = self.seen.get(word, 0) + 1
        if Fault(word, self.seen[word]) in self.faults:
            if self.undoes and self.in_transaction:
                super().execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")


@pytest.fixture(scope="module")
def failing() -> Iterator[type[Failing]]:
    """The writer's connection is a Failing one, whose faults the test sets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("passrole.store.sqlite.sqlite3.connect", partial(sqlite3.connect, factory=Failing))
        yield Failing


_FAULTS = st.builds(
    Fault,
    st.sampled_from(["BEGIN IMMEDIATE", "SAVEPOINT", "INSERT", "RELEASE", "ROLLBACK", "COMMIT"]),
    st.integers(1, 6),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(faults=[Fault("COMMIT", 1)], undoes=False, batches=[[False, True, False]])
@example(faults=[Fault("COMMIT", 2), Fault("ROLLBACK", 1)], undoes=False, batches=[[False], [False], [False]])
@given(
    faults=st.lists(_FAULTS, max_size=4),
    undoes=st.booleans(),
    batches=st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=5),
)
def test_what_is_told_is_what_is_there_wherever_a_commit_fails(
    failing: type[Failing], faults: list[Fault], undoes: bool, batches: list[list[bool]]
) -> None:
    """Each write is acknowledged and there, or refused and not there, after a restart too."""

    def write(key: str, fails: bool) -> Callable[[Tx], str]:
        def fn(tx: Tx) -> str:
            put(key)(tx)
            tx.notify("bell", key)
            if fails:
                raise ValueError(key)
            return key

        return fn

    told: dict[str, bool] = {}
    heard: list[str] = []

    async def scenario(store: SqliteStore) -> None:
        store.listen("bell", heard.append)
        for number, batch in enumerate(batches):
            names = [f"{number}/{index}" for index in range(len(batch))]
            calls = [store.write(write(name, fails)) for name, fails in zip(names, batch, strict=True)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            told.update({name: answer == name for name, answer in zip(names, answers, strict=True)})
        failing.faults = ()
        await asyncio.gather(store.write(lambda _: None), return_exceptions=True)  # a ROLLBACK may be due
        await store.write(write("last", False))
        told["last"] = True
        await look(store)

    async def look(store: SqliteStore) -> None:
        there = {name for name, acknowledged in told.items() if acknowledged}
        assert await store.read(keys) == there
        assert set(heard) == there

    with tempfile.TemporaryDirectory() as folder:
        failing.faults, failing.undoes, failing.seen = tuple(faults), undoes, {}
        run(Path(folder), scenario)
        failing.faults = ()
        run(Path(folder), look)


def test_a_real_full_database_is_told_and_the_store_goes_on(tmp_path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        await store.write(put("a"))
        await store.write(lambda tx: tx.all("PRAGMA max_page_count = 1"))
        large = ["x" * 100_000 + str(number) for number in range(5)]
        answers = await asyncio.gather(*(store.write(put(key)) for key in large), return_exceptions=True)
        assert all(isinstance(answer, sqlite3.OperationalError) for answer in answers)
        await store.write(lambda tx: tx.all("PRAGMA max_page_count = 1000000"))
        await store.write(put("b"))
        assert await store.read(keys) == {"a", "b"}

    run(tmp_path, scenario)
