"""What every store promises: each test runs on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.store.conftest import Stores

from passrole.history import executions, journal
from passrole.services.logs import rows as log_rows
from passrole.services.s3 import rows as object_rows
from passrole.services.s3.folders import Identity
from passrole.services.sqs import rows as message_rows
from passrole.services.sqs.rows import Message
from passrole.store import Collection, Tx, tasks
from passrole.store.tasks import Task


@dataclass(frozen=True)
class Thing:
    name: str
    size: int = 0


THINGS = Collection("thing", Thing)


def put(name: str, size: int = 0) -> Callable[[Tx], None]:
    return lambda tx: THINGS.put(tx, name, Thing(name, size))


def names(tx: Tx) -> list[str]:
    return [key for key, _ in THINGS.all(tx)]


def written(stores: Stores, *fns: Callable[[Tx], object]) -> list[object]:
    """The results of transactions, each after a restart."""

    def scenario(fn: Callable[[Tx], object]) -> Callable[[Any], Any]:
        return lambda store: store.write(fn)

    return stores.run(*map(scenario, fns))


def test_what_was_written_is_there_after_a_restart(stores: Stores) -> None:
    assert written(stores, put("a", 3), lambda tx: THINGS.get(tx, "a"))[1] == Thing("a", 3)


def test_a_failing_transaction_undoes_itself_and_not_its_neighbours(stores: Stores) -> None:
    def fails(tx: Tx) -> None:
        put("lost")(tx)
        raise ValueError("no")

    async def scenario(store: Any) -> object:
        writes = (store.write(put("a")), store.write(fails), store.write(put("b")))
        results = await asyncio.gather(*writes, return_exceptions=True)
        return [type(result) for result in results], await store.read(names)

    assert stores.run(scenario) == [([type(None), ValueError, type(None)], ["a", "b"])]


def test_many_writers_of_one_row_each_see_the_one_before(stores: Stores) -> None:
    def next_number(tx: Tx) -> int:
        thing = THINGS.get(tx, "counter") or Thing("counter")
        put("counter", thing.size + 1)(tx)
        return thing.size

    async def scenario(store: Any) -> object:
        return sorted(await asyncio.gather(*(store.write(next_number) for _ in range(100))))

    assert stores.run(scenario) == [list(range(100))]


def test_writers_that_decide_by_what_others_insert_are_as_if_one_after_the_other(stores: Stores) -> None:
    def first_of_all(number: int, tx: Tx) -> bool:
        if THINGS.within(tx, "race", limit=1):
            return False
        put(f"race/{number}")(tx)
        return True

    async def scenario(store: Any) -> object:
        writes = (store.write(lambda tx, number=number: first_of_all(number, tx)) for number in range(40))
        return sum(await asyncio.gather(*writes)), len(await store.read(names))

    assert stores.run(scenario) == [(1, 1)]


def test_a_notice_arrives_after_its_commit_and_not_from_a_failed_one(stores: Stores) -> None:
    def rings(number: int, error: Exception | None = None) -> Callable[[Tx], None]:
        def fn(tx: Tx) -> None:
            put(f"{number}")(tx)
            tx.notify("bell", f"{number}")
            if error is not None:
                raise error

        return fn

    async def scenario(store: Any) -> object:
        heard: list[str] = []
        stop = store.listen("bell", heard.append)
        await store.write(rings(1))
        with pytest.raises(ValueError, match="no"):
            await store.write(rings(2, ValueError("no")))
        await store.write(rings(3))
        stop()
        await store.write(rings(4))
        return heard

    assert stores.run(scenario) == [["1", "3"]]


def test_a_reader_cannot_write(stores: Stores) -> None:
    async def scenario(store: Any) -> object:
        with pytest.raises(Exception, match=r"readonly|read-only"):
            await store.read(put("a"))
        return await store.read(names)

    assert stores.run(scenario) == [[]]


def test_an_error_of_a_statement_ends_its_transaction_alone(stores: Stores) -> None:
    async def scenario(store: Any) -> object:
        for method in (store.write, store.read):
            with pytest.raises(Exception, match="nowhere"):
                await method(lambda tx: tx.all("SELECT * FROM nowhere"))
        await store.write(put("after"))
        return await store.read(names)

    assert stores.run(scenario) == [["after"]]


def test_text_is_ordered_by_its_code_points(stores: Stores) -> None:
    keys = ["B", "_", "a", "ab", "a-b", "z", "é", "日", "😀", "100%", "a?b"]
    written(stores, *(put(f"x/{key}") for key in keys))
    (found,) = written(stores, lambda tx: [key for key, _ in THINGS.within(tx, "x")])
    assert found == sorted(f"x/{key}" for key in keys)


def test_text_is_read_as_it_was_written_whatever_it_holds(stores: Stores) -> None:
    texts = ["a\0b", "\0", "\ufdd0", "\ufdd00", "\ufdd01\0", "\x01\x7f\ufffe\uffff", "😀", "%s ? %", ""]

    def put_all(tx: Tx) -> None:
        sql = "INSERT INTO definitions (digest, text) VALUES (?, ?)"
        tx.run_many(sql, [(text, text) for text in texts[1:]])
        tx.run(sql, texts[0], texts[0])

    def get_all(tx: Tx) -> list[object]:
        by_one = [tx.one("SELECT text FROM definitions WHERE digest = ?", text) for text in texts]
        return [by_one, sorted(tx.all("SELECT digest, text FROM definitions"))]

    assert written(stores, put_all, get_all)[1] == [
        [(text,) for text in texts],
        sorted((text, text) for text in texts),
    ]


def test_a_key_that_is_too_long_for_an_index_fails_its_transaction_alone(stores: Stores) -> None:
    async def scenario(store: Any) -> object:
        long = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(5_000))
        results = await asyncio.gather(
            *map(store.write, (put("a"), put(long), put("b"))), return_exceptions=True
        )
        kept = await store.read(names)
        return [kept[0], kept[1], results[0], results[2]]

    assert stores.run(scenario) == [["a", "b", None, None]]


def test_collections_page_and_know_their_children(stores: Stores) -> None:
    def scenario(tx: Tx) -> list[object]:
        for key in ("x/a", "x/b", "x/c", "x/c/d", "y/a"):
            assert THINGS.add(tx, key, Thing(key))
        return [
            THINGS.add(tx, "x/a", Thing("other")),
            [key for key, _ in THINGS.within(tx, "x", after="x/a", limit=2)],
            [key for key, _ in THINGS.within(tx, "x", limit=2, descending=True)],
            [key for key, _ in THINGS.children(tx, "x", begins="c")],
            [key for key, _ in THINGS.children(tx, "x/c")],
            (THINGS.delete(tx, "y/a"), THINGS.delete(tx, "y/a")),
        ]

    assert written(stores, scenario) == [
        [False, ["x/b", "x/c"], ["x/c/d", "x/c"], ["x/c"], ["x/c/d"], (True, False)]
    ]


def test_tasks_are_taken_when_they_are_due_and_in_turns(stores: Stores) -> None:
    def filled(tx: Tx) -> None:
        for key, body, due in (("c", b"3", 2.0), ("b", b"2", 1.0), ("d", b"4", 9.0), ("a", b"1", 2.0)):
            tasks.add(tx, "k", key, body, due)
        tasks.add_in_turns(tx, "turns", [(name, b"") for name in ("a 1", "a 2", "b 1")])

    def changed(tx: Tx) -> list[object]:
        tasks.postpone(tx, "k", "b", 3.0)
        return [
            [task.key for task in tasks.take(tx, "k", 2.0, 10)],
            tasks.take(tx, "k", 3.0, 1, {"a", "c"}),
            tasks.next_due(tx, "k", 3.0),
            tasks.bring_forward(tx, "k", 4.0),
            (tasks.done(tx, "k", "a"), tasks.done(tx, "k", "a")),
            [task.key for task in tasks.take_in_turns(tx, "turns", "a", 2, lambda _: 1, {})[0]],
            tasks.counts(tx),
        ]

    assert written(stores, filled, changed)[1] == [
        ["a", "c"],
        [Task("b", b"2", 3.0, failures=1)],
        9.0,
        1,
        (True, False),
        ["b 1", "a 1"],
        {"k": 3, "turns": 3},
    ]


def test_a_task_in_turns_has_a_time_that_is_a_float(stores: Stores) -> None:
    """PostgreSQL reads a literal such as `0.0` as a decimal number, and not as a float."""

    def scenario(tx: Tx) -> list[object]:
        tasks.add_in_turns(tx, "turns", [("a 1", b"x")])
        found = [*tasks.of_party(tx, "turns", "a", 2), tasks.find(tx, "turns", "a 1")]
        return [(each, type(each.due)) for each in found if each is not None]

    assert written(stores, scenario) == [[(Task("a 1", b"x", 0.0), float)] * 2]


def test_messages_have_numbers_that_grow_and_times_that_shift(stores: Stores) -> None:
    def scenario(tx: Tx) -> list[object]:
        sent = [
            message_rows.insert(
                tx, Message(0, f"{n}", "text", b"{}", sent=n, visible=n, group_id=group), queue="q"
            )
            for n, group in ((1.0, None), (2.0, "g"), (9.0, None))
        ]
        message_rows.shift_times(tx, 5.0, 2.0)
        message_rows.take(tx, sent[:1], 3.0, 4.0)
        return [
            [number - sent[0] for number in sent],
            [(each.id, each.visible) for each in message_rows.receivable(tx, "q", 10.0, 5)],
            message_rows.counts(tx, "q", 3.5, 0.0, 0.0),
            message_rows.next_visible(tx, "q"),
            message_rows.delete_expired_of_groups(tx, "q", 2.0),
            message_rows.delete_expired_front(tx, "q", 10.0, 1.0),
        ]

    assert written(stores, scenario) == [
        [[0, 1, 2], [("2.0", 2.0), ("1.0", 4.0), ("9.0", 7.0)], (0, 1, 2), 2.0, ["g"], 1]
    ]


def test_log_events_and_objects_are_found_again(stores: Stores) -> None:
    identity = Identity(2**62, 1_764_000_000_000_000_000, 3)
    record = object_rows.ObjectRecord("etag", object_rows.ObjectMetadata())

    def scenario(tx: Tx) -> list[object]:
        log_rows.insert(tx, "g", "s", 5, [(1, "one"), (2, "two")])
        object_rows.put(tx, "bucket", "key", identity, record, pending=True)
        object_rows.confirm(tx, "bucket", "key", identity)
        return [
            [
                event.message
                for event in log_rows.of_group(
                    tx, "g", start=0, end=9, after=log_rows.Position(0, 0), limit=5
                )
            ],
            log_rows.span(tx, "g", "s"),
            getattr(object_rows.find(tx, "bucket", "key", identity), "etag", None),
        ]

    assert written(stores, scenario) == [[["one", "two"], (1, 2, 5), "etag"]]


def test_history_finds_by_the_ends_of_names_and_within_facts(stores: Stores) -> None:
    arn = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/abcdefabcdef"

    def scenario(tx: Tx) -> list[object]:
        columns = "execution, pipeline, role, status, started, metadata, definition"
        values = (arn, "p", "r", "Executing", 1.0, b"{}", "d")
        tx.run(f"INSERT INTO executions ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
        facts = b'[{"at":1.0,"source":"arn:of:another"}]'
        tx.run("INSERT INTO journal (execution, seq, facts) VALUES (?, ?, ?)", arn, 1, facts)
        again = "INSERT INTO journal (execution, seq, facts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        return [
            executions.with_id(tx, "abcdefabcdef"),
            executions.with_id(tx, "bcdefabcdef"),
            executions.last_started(tx, "p"),
            journal.source(tx, arn),
            journal.last(tx, arn),
            tx.run(again, arn, 1, b"[]"),
        ]

    assert written(stores, scenario) == [[[arn], [], 1.0, "arn:of:another", (1, 1.0), 0]]


def test_a_second_server_is_refused(stores: Stores) -> None:
    async def scenario(store: Any) -> object:
        with pytest.raises(Exception, match=r"is in use by process|another server has the database"):
            stores.make()
        await store.write(put("a"))
        return await store.read(names)

    assert stores.run(scenario, lambda store: store.read(names)) == [["a"], ["a"]]
