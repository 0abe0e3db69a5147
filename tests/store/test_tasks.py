"""The durable list of background work: what is added is taken once it is due, until it is done."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from passrole.store import SqliteStore, Tx, tasks
from passrole.store.share import shard_of
from passrole.store.tasks import Task

T = TypeVar("T")


def committed(folder: Path, *steps: Callable[[Tx], object]) -> list[object]:
    """The results of transactions, one after the other, each after a restart."""

    async def one(fn: Callable[[Tx], object]) -> object:
        store = SqliteStore(folder)
        try:
            return await store.write(fn)
        finally:
            await store.close()

    return [asyncio.run(one(step)) for step in steps]


def keys(now: float, limit: int = 10, held: tuple[str, ...] = ()) -> Callable[[Tx], list[str]]:
    return lambda tx: [task.key for task in tasks.take(tx, "k", now, limit, held)]


def filled(tx: Tx) -> None:
    for key, body, due in (("c", b"3", 2.0), ("b", b"2", 1.0), ("d", b"4", 9.0), ("a", b"1", 2.0)):
        tasks.add(tx, "k", key, body, due)
    tasks.add(tx, "another", "x", b"", 0.0)


def test_what_is_due_comes_oldest_first_and_then_by_key(tmp_path: Path) -> None:
    _, *taken = committed(tmp_path, filled, keys(0.9), keys(2.0), keys(9.0), keys(9.0, limit=2))
    assert taken == [[], ["b", "a", "c"], ["b", "a", "c", "d"], ["b", "a"]]


def test_what_is_held_is_left_out_and_does_not_count(tmp_path: Path) -> None:
    _, taken, rest = committed(tmp_path, filled, keys(9.0, 2, ("b", "c")), keys(2.0, 2, ("b", "a", "z")))
    assert (taken, rest) == (["a", "d"], ["c"])


def test_a_task_stays_until_it_is_done(tmp_path: Path) -> None:
    steps = committed(
        tmp_path,
        filled,
        lambda tx: tasks.take(tx, "k", 1.0, 10),
        lambda tx: tasks.take(tx, "k", 1.0, 10),
        lambda tx: (tasks.done(tx, "k", "b"), tasks.done(tx, "k", "b")),
        keys(1.0),
    )
    assert steps[1:] == [[Task("b", b"2", 1.0)], [Task("b", b"2", 1.0)], (True, False), []]


def test_adding_under_the_same_key_replaces_and_so_postpones(tmp_path: Path) -> None:
    steps = committed(
        tmp_path,
        filled,
        lambda tx: tasks.postpone(tx, "k", "b", 1.5),
        lambda tx: tasks.take(tx, "k", 1.5, 1),
        lambda tx: tasks.add(tx, "k", "b", b"new", 50.0),
        keys(9.0),
        lambda tx: tasks.take(tx, "k", 50.0, 10)[-1],
    )
    assert steps[2] == [Task("b", b"2", 1.5, failures=1)]
    assert steps[4:] == [["a", "c", "d"], Task("b", b"new", 50.0)]


def test_postponing_brings_no_task_back_that_is_done(tmp_path: Path) -> None:
    *_, taken = committed(tmp_path, filled, lambda tx: tasks.postpone(tx, "k", "z", 1.0), keys(9.0))
    assert taken == ["b", "a", "c", "d"]


def test_the_next_due_time_is_told_of_each_kind(tmp_path: Path) -> None:
    _, *due = committed(
        tmp_path,
        filled,
        lambda tx: [tasks.next_due(tx, "k", after) for after in (0.0, 1.0, 2.0, 9.0)],
        lambda tx: tasks.next_due(tx, "none", 0.0),
    )
    assert due == [[1.0, 2.0, 9.0, None], None]


def test_what_is_due_too_late_is_brought_forward(tmp_path: Path) -> None:
    _, moved, taken = committed(tmp_path, filled, lambda tx: tasks.bring_forward(tx, "k", 1.5), keys(1.5))
    assert (moved, taken) == (3, ["b", "a", "c", "d"])


def test_a_notice_is_a_wake_up_and_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        store, heard = SqliteStore(tmp_path), list[str]()
        store.listen(tasks.channel("k"), heard.append)
        await store.write(lambda tx: tasks.add(tx, "k", "a", b"1", 0.0))
        await store.write(lambda tx: tasks.add(tx, "another", "a", b"1", 0.0))
        await store.write(lambda tx: tasks.add_in_turns(tx, "k", [("a 1", b""), ("a 2", b""), ("b", b"")]))
        await store.write(lambda tx: tasks.add_in_turns(tx, "k", [("a 3", b"")], hint="a 3"))
        await store.write(lambda tx: tasks.postpone(tx, "k", "a", 1.0))
        await store.close()
        return heard

    of_a, of_b = (str(shard_of(key)) for key in "ab")
    assert asyncio.run(scenario()) == [of_a, of_a, of_b, f"{of_a} a 3", of_a]


def test_taking_reads_by_an_index_and_not_the_whole_list(tmp_path: Path) -> None:
    def plans(tx: Tx) -> list[str]:
        rows = tx.all(f"EXPLAIN QUERY PLAN {tasks._DUE_KEYS}", "k", 1.0, 0, 10)
        rows += tx.all(f"EXPLAIN QUERY PLAN {tasks._NEXT_DUE}", "k", 1.0, 0)
        return [row[-1] for row in rows if " tasks " in row[-1]]

    (found,) = committed(tmp_path, plans)
    assert found == [
        f"SEARCH tasks USING COVERING INDEX tasks_due (kind=? AND due{sign}?)" for sign in ("<", ">")
    ]


def in_turns(after: str, limit: int, each: int, **held: set[str]) -> Callable[[Tx], tuple[list[str], bool]]:
    def take(tx: Tx) -> tuple[list[str], bool]:
        found, is_all = tasks.take_in_turns(tx, "k", after, limit, lambda _: each, held)
        return [task.key for task in found], is_all

    return take


def parties(tx: Tx) -> None:
    names = ("a 1", "a 2", "a 3", "b 1", "ba 1", "c 1", "c 2")
    tasks.add_in_turns(tx, "k", [(name, b"") for name in names])
    tasks.add_in_turns(tx, "l", [("b 2", b"")])


def test_parties_take_turns_from_the_one_behind_the_last(tmp_path: Path) -> None:
    _, *taken = committed(
        tmp_path,
        parties,
        in_turns("", 10, 1),
        in_turns("b", 10, 1),
        in_turns("c", 10, 2),
        in_turns("bb", 3, 9),
        in_turns("", 7, 3),
    )
    assert taken == [
        (["a 1", "b 1", "ba 1", "c 1"], False),
        (["ba 1", "c 1", "a 1", "b 1"], False),
        (["a 1", "a 2", "b 1", "ba 1", "c 1", "c 2"], False),
        (["c 1", "c 2", "a 1"], False),
        (["a 1", "a 2", "a 3", "b 1", "ba 1", "c 1", "c 2"], False),  # whether more follow was not asked
    ]


def test_tasks_in_turns_are_never_due_and_in_no_index(tmp_path: Path) -> None:
    def entries(tx: Tx) -> list[tuple[str, str]]:
        return [
            (kind, key)
            for kind, key in tx.all(
                "SELECT kind, key FROM tasks INDEXED BY tasks_due WHERE due IS NOT NULL ORDER BY kind, key"
            )
        ]

    _, _, *found = committed(
        tmp_path,
        parties,
        lambda tx: tasks.add(tx, "k", "with a due time", b"", 1.0),
        keys(1e12),
        lambda tx: tasks.next_due(tx, "k", 0.0),
        lambda tx: tasks.next_due(tx, "l", 0.0),
        lambda tx: tasks.bring_forward(tx, "l", 0.0),
        entries,
    )
    assert found == [["with a due time"], 1.0, None, 0, [("k", "with a due time")]]


def test_a_circle_that_found_everything_says_so(tmp_path: Path) -> None:
    _, *taken = committed(
        tmp_path,
        parties,
        in_turns("", 10, 3),
        in_turns("a", 10, 1, a={"a 1", "a 3"}, b={"b 1"}, c={"c 1"}),
        in_turns("", 10, 3, a={"a 1", "a 2", "a 3"}, b={"b 1"}, ba={"ba 1"}, c={"c 1", "c 2"}),
        in_turns("", 10, 0),
    )
    assert taken == [
        (["a 1", "a 2", "a 3", "b 1", "ba 1", "c 1", "c 2"], True),
        (["ba 1", "c 2", "a 2"], True),
        ([], True),
        ([], False),
    ]


def test_the_tasks_of_a_party_and_of_several_go_together(tmp_path: Path) -> None:
    _, mine, _, left = committed(
        tmp_path,
        parties,
        lambda tx: [task.key for task in tasks.of_party(tx, "k", "b", 9)],
        lambda tx: tasks.discard(tx, "k", "b", "c"),
        in_turns("", 10, 9),
    )
    assert mine == ["b 1"]
    assert left == (["a 1", "a 2", "a 3", "c 1", "c 2"], True)
