"""Shards of background work: each task has one, and a node takes the tasks of those that it has borrowed."""

import string
from collections import Counter
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.store.conftest import Stores

from passrole.store import Tx, shards, share, tasks
from passrole.store.share import SHARDS, shard_of

PARTIES = [f"arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/{each}" for each in "abcdefgh"]


@given(st.text(string.printable.replace(" ", ""), min_size=1), st.text())
def test_all_tasks_of_a_party_are_in_one_shard(party: str, name: str) -> None:
    assert shard_of(party) == shard_of(f"{party} {name}") in range(SHARDS)


def test_the_shard_of_a_key_stays_what_it_was() -> None:
    assert [shard_of(key) for key in ("", "a", PARTIES[0], "é")] == [0, 3, 63, 62]


def test_parties_are_spread_evenly() -> None:
    counted = Counter(shard_of(f"{PARTIES[0]}{number}") for number in range(6_400))
    assert len(counted) == SHARDS
    assert max(counted.values()) < 160


def test_a_key_is_drawn_until_its_shard_is_ones_own() -> None:
    own, drawn = share.Share(node=2), (f"{number}" for number in count())
    own.open(3)
    assert shard_of(own.own(lambda: next(drawn))) == 3
    own.close(3)
    first = next(drawn)
    assert int(own.own(lambda: next(drawn))) == int(first) + 1
    own.open(3)
    assert own.own(lambda: "a shard of others") == "a shard of others"


def test_the_one_server_has_every_shard(stores: Stores) -> None:
    async def scenario(store: Any) -> object:
        return await store.read(lambda tx: shards.borrowed(tx, share.ALONE))

    assert stores.run(scenario) == [frozenset(range(SHARDS))]


def test_a_node_takes_what_is_due_of_its_own_shards_only(stores: Stores) -> None:
    def filled(tx: Tx) -> list[str]:
        for key in PARTIES:
            tasks.add(tx, "k", key, b"", 1.0)
            tasks.add(tx, "k", f"{key} later", b"", 5.0)
            tasks.add_in_turns(tx, "turns", [(f"{key} {number}", b"") for number in range(2)])
        return sorted(key for key in PARTIES if shard_of(key) != shard_of(PARTIES[0]))

    def taken(tx: Tx, node: int) -> tuple[object, ...]:
        due = [task.key for task in tasks.take(tx, "k", 1.0, 100, node=node)]
        held = [task.key for task in tasks.take(tx, "k", 1.0, 100, ("nothing",), node)]
        turns, is_all = tasks.take_in_turns(tx, "turns", "", 100, lambda _: 100, {}, node)
        parties = sorted({task.key.partition(" ")[0] for task in turns})
        return due, held, parties, is_all, tasks.next_due(tx, "k", 1.0, node)

    async def scenario(store: Any) -> object:
        others = await store.write(filled)
        await store.write(lambda tx: shards.borrow(tx, shard_of(PARTIES[0]), 2))
        nodes = [await store.read(lambda tx, node=node: taken(tx, node)) for node in (2, 0, 3)]
        return others, nodes

    result: Any = stores.run(scenario)[0]
    others, (of_b, of_a, of_c) = result
    mine = sorted(set(PARTIES) - set(others))
    assert of_b == (mine, mine, mine, True, 5.0)
    assert of_a == (others, others, others, True, 5.0)
    assert of_c == ([], [], [], True, None)


def test_each_borrowing_has_a_higher_fence_and_ends_the_one_before(stores: Stores) -> None:
    def borrowed(tx: Tx, node: int) -> object:
        return shards.borrow(tx, shard_of(PARTIES[0]), node), [
            shards.is_borrowed(tx, PARTIES[0], each) for each in (0, 2)
        ]

    async def scenario(store: Any) -> object:
        return [await store.write(lambda tx, node=node: borrowed(tx, node)) for node in (2, 0, 2)]

    assert stores.run(scenario) == [[(1, [False, True]), (2, [True, False]), (3, [False, True])]]
