"""What every store promises; SqliteStore is run through it over a real file."""

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from passrole.store import Collection, DataFolderInUse, SqliteStore, Tx, group_commit


@dataclass(frozen=True)
class Thing:
    name: str
    size: int = 0


THINGS = Collection("thing", Thing)
Scenario = Callable[[SqliteStore], Awaitable[None]]


def run(folder: Path, *scenarios: Scenario) -> None:
    """Each scenario gets the folder's store freshly opened, as after a restart."""

    async def one(scenario: Scenario) -> None:
        store = SqliteStore(folder)
        try:
            await scenario(store)
        finally:
            await store.close()

    for scenario in scenarios:
        asyncio.run(one(scenario))


def put(name: str, size: int = 0) -> Callable[[Tx], None]:
    return lambda tx: THINGS.put(tx, name, Thing(name, size))


def names(tx: Tx) -> list[str]:
    return [key for key, _ in THINGS.all(tx)]


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async def write(store: SqliteStore) -> None:
        await store.write(put("a", 3))

    async def look(store: SqliteStore) -> None:
        assert await store.read(lambda tx: THINGS.get(tx, "a")) == Thing("a", 3)

    run(tmp_path, write, look)


def test_a_failing_transaction_undoes_itself_and_not_its_neighbours(tmp_path: Path) -> None:
    def fails(tx: Tx) -> None:
        put("lost")(tx)
        raise ValueError("no")

    async def scenario(store: SqliteStore) -> None:
        results = await asyncio.gather(
            store.write(put("a")), store.write(fails), store.write(put("b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [type(None), ValueError, type(None)]
        assert await store.read(names) == ["a", "b"]

    run(tmp_path, scenario)


def test_many_writers_at_once_each_get_their_own_result(tmp_path: Path) -> None:
    def next_number(tx: Tx) -> int:
        thing = THINGS.get(tx, "counter") or Thing("counter")
        put("counter", thing.size + 1)(tx)
        return thing.size

    async def scenario(store: SqliteStore) -> None:
        numbers = await asyncio.gather(*(store.write(next_number) for _ in range(500)))
        assert sorted(numbers) == list(range(500))

    run(tmp_path, scenario)


def test_a_notice_arrives_after_its_commit_and_not_from_a_failed_one(tmp_path: Path) -> None:
    def noisy(tx: Tx) -> None:
        put("a")(tx)
        tx.notify("bell", "1")

    def failing(tx: Tx) -> None:
        tx.notify("bell", "2")
        raise ValueError

    async def scenario(store: SqliteStore) -> None:
        heard: list[tuple[str, list[str]]] = []
        stop = store.listen("bell", lambda key: heard.append((key, names(store._reader))))
        await store.write(noisy)
        with pytest.raises(ValueError):
            await store.write(failing)
        stop()
        await store.write(noisy)
        assert heard == [("1", ["a"])]

    run(tmp_path, scenario)


@pytest.mark.parametrize(("changes", "runs_of_a"), [(True, 2), (False, 1)])
def test_transactions_of_a_commit_in_which_one_fails_stand_and_are_told_once(
    tmp_path: Path, changes: bool, runs_of_a: int
) -> None:
    """They are run again only if the one that fails has changed something."""
    gate, runs = threading.Event(), Counter[str]()

    def counting(name: str) -> Callable[[Tx], None]:
        def count(tx: Tx) -> None:
            runs[name] += 1
            put(name, (THINGS.get(tx, name) or Thing(name)).size + 1)(tx)
            tx.notify("bell", name)

        return count

    def failing(tx: Tx) -> None:
        if changes:
            put("lost")(tx)
        tx.notify("bell", "lost")
        raise ValueError

    async def scenario(store: SqliteStore) -> None:
        heard: list[str] = []
        store.listen("bell", heard.append)
        first = asyncio.ensure_future(store.write(lambda _: gate.wait(60)))
        others = [asyncio.ensure_future(store.write(fn)) for fn in (counting("a"), failing, counting("b"))]
        await asyncio.sleep(0)  # all are queued behind the first, and make one commit
        gate.set()
        await asyncio.gather(first, *others, return_exceptions=True)
        assert heard == ["a", "b"]
        assert await store.read(lambda tx: list(THINGS.all(tx))) == [
            ("a", Thing("a", 1)),
            ("b", Thing("b", 1)),
        ]
        assert runs == {"a": runs_of_a, "b": 1}

    run(tmp_path, scenario)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        with pytest.raises(Exception, match="readonly"):
            await store.read(put("a"))

    run(tmp_path, scenario)


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    code = f"""
        import asyncio, sys
        from pathlib import Path
        from passrole.store import SqliteStore, DataFolderInUse
        async def main():
            try:
                SqliteStore(Path({str(tmp_path)!r}))
            except DataFolderInUse as error:
                print(error)
        asyncio.run(main())
    """

    async def scenario(store: SqliteStore) -> None:
        second = subprocess.run(  # noqa: ASYNC221 (nothing else is to run meanwhile)
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
        )
        assert "is in use by process" in second.stdout
        with pytest.raises(DataFolderInUse):
            SqliteStore(tmp_path)

    run(tmp_path, scenario)


def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        await store.write(put("a"))
        modes.update(_modes(tmp_path))

    modes: dict[str, int] = {}
    run(tmp_path, scenario)
    assert modes == {"passrole.db": 0o600, "passrole.db-shm": 0o600, "passrole.db-wal": 0o600}


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("passrole.db*")}


def test_a_collection_adds_once_lists_within_parts_and_pages(tmp_path: Path) -> None:
    def scenario_rows(tx: Tx) -> None:
        for key in ("x/a", "x/b", "x/c", "y/a"):
            assert THINGS.add(tx, key, Thing(key))
        assert not THINGS.add(tx, "x/a", Thing("other"))
        assert [key for key, _ in THINGS.within(tx, "x")] == ["x/a", "x/b", "x/c"]
        assert [key for key, _ in THINGS.within(tx, "x", after="x/a", limit=1)] == ["x/b"]
        assert [key for key, _ in THINGS.within(tx, "x", limit=2, descending=True)] == ["x/c", "x/b"]
        assert [key for key, _ in THINGS.children(tx, "x", after="x/b", descending=True)] == ["x/a"]
        assert THINGS.delete(tx, "y/a")
        assert not THINGS.delete(tx, "y/a")

    async def scenario(store: SqliteStore) -> None:
        await store.write(scenario_rows)

    run(tmp_path, scenario)


def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    code = f"""
        import asyncio, os
        from pathlib import Path
        from passrole.store import SqliteStore
        async def main():
            store = SqliteStore(Path({str(tmp_path)!r}))
            async def one(number):
                await store.write(lambda tx: tx.run("INSERT INTO definitions VALUES (?, '')", str(number)))
                os.write(1, f"{{number}}\\n".encode())
            for start in range(0, 100_000, 50):
                await asyncio.gather(*(one(number) for number in range(start, start + 50)))
        asyncio.run(main())
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().strip() for _ in range(400)]
    child.kill()
    acknowledged += child.stdout.read().split()
    child.wait()
    child.stdout.close()

    async def look(store: SqliteStore) -> None:
        rows = await store.read(lambda tx: tx.all("SELECT digest FROM definitions"))
        assert set(acknowledged) <= {row[0] for row in rows}

    run(tmp_path, look)


def test_a_required_document_is_read_or_refused(tmp_path: Path) -> None:
    def rows(tx: Tx) -> None:
        THINGS.put(tx, "there", Thing("there"))
        assert THINGS.require(tx, "there", AssertionError) == Thing("there")
        with pytest.raises(LookupError, match="gone"):
            THINGS.require(tx, "gone", lambda: LookupError("gone"))

    async def scenario(store: SqliteStore) -> None:
        await store.write(rows)

    run(tmp_path, scenario)


def test_children_are_those_of_the_very_parent_and_never_of_one_below_it(tmp_path: Path) -> None:
    keys = ("policy/team/1", "policy/team/2", "policy/team/guard/1", "policy/teams/1", "policy/1")

    async def scenario(store: SqliteStore) -> None:
        def write(tx: Tx) -> None:
            for key in keys:
                THINGS.put(tx, key, Thing(key))

        await store.write(write)

        def children(tx: Tx) -> dict[str, list[str]]:
            parents = ("policy", "policy/team", "policy/team/guard", "policy/tea")
            return {parent: [key for key, _ in THINGS.children(tx, parent)] for parent in parents}

        assert await store.read(children) == {
            "policy": ["policy/1"],
            "policy/team": ["policy/team/1", "policy/team/2"],
            "policy/team/guard": ["policy/team/guard/1"],
            "policy/tea": [],
        }
        begins = await store.read(lambda tx: THINGS.children(tx, "policy/team", begins="2"))
        assert [key for key, _ in begins] == ["policy/team/2"]

    run(tmp_path, scenario)


def test_no_name_of_a_child_and_no_part_of_a_key_has_a_separator(tmp_path: Path) -> None:
    assert THINGS.child("a/b", "c") == "a/b/c"
    with pytest.raises(ValueError, match="has '/'"):
        THINGS.child("a", "b/c")

    async def scenario(store: SqliteStore) -> None:
        for parts in (("a/b",), ("a", ""), ("", "a")):
            with pytest.raises(ValueError, match="not the parts of a key"):
                await store.read(partial(within, parts))

    def within(parts: tuple[str, ...], tx: Tx) -> object:
        return THINGS.within(tx, *parts)

    run(tmp_path, scenario)


def test_who_writes_while_too_many_wait_waits_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "WRITES_MAX", 5)
    go_on = threading.Event()

    async def scenario(store: SqliteStore) -> None:
        slow = asyncio.create_task(store.write(lambda tx: go_on.wait(10)))
        writes = [asyncio.create_task(store.write(put(f"{number}"))) for number in range(30)]
        await asyncio.sleep(0.05)
        assert store._commits._writes.qsize() < 5
        writes[20].cancel()  # it was not queued yet
        go_on.set()
        assert await slow
        await asyncio.gather(*writes, return_exceptions=True)
        assert len(await store.read(names)) == 29
        await store.write(put("after"))

    run(tmp_path, scenario)


def test_who_waits_to_write_while_the_store_closes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WRITES_MAX", 1)

    async def scenario(store: SqliteStore) -> None:
        first, second = (asyncio.create_task(store.write(put(name))) for name in "ab")
        await asyncio.sleep(0)
        await store.close()
        await first
        with pytest.raises(RuntimeError, match="closed"):
            await second

    run(tmp_path, scenario)
