"""What a server has claimed is its own until it is gone, and then its fence is down: on every store."""

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.store.conftest import Stores

from passrole.store import Tx, claims
from passrole.store.migrations import migrate
from passrole.store.sqlite import SqliteTx


def results(stores: Stores, *fns: Callable[[Tx], object]) -> list[object]:
    def scenario(fn: Callable[[Tx], object]) -> Callable[[Any], Any]:
        return lambda store: store.write(fn)

    return stores.run(*map(scenario, fns))


def entered(*names: str) -> Callable[[Tx], list[int]]:
    return lambda tx: [claims.enter(tx, name) for name in names]


def test_a_number_is_given_once_whoever_is_gone(stores: Stores) -> None:
    def gone(tx: Tx) -> list[int]:
        for number in (1, 2):
            claims.mark_gone(tx, number)
        return [claims.forget_gone(tx), *entered("c")(tx), *claims.present(tx)]

    assert results(stores, entered("a", "b"), gone) == [[1, 2], [1, 3, 3]]


def test_who_rests_is_told_until_it_works_again_or_is_gone(stores: Stores) -> None:
    def scenario(tx: Tx) -> list[object]:
        entered("a", "b", "c")(tx)
        for number in (1, 2):
            claims.rest(tx, number, True)
        both = claims.resting(tx)
        claims.rest(tx, 1, False)
        one = claims.resting(tx)
        claims.mark_gone(tx, 2)
        return [both, one, claims.resting(tx)]

    assert results(stores, scenario) == [[{1, 2}, {2}, set()]]


def test_what_one_has_no_other_gets_until_it_is_released(stores: Stores) -> None:
    def scenario(tx: Tx) -> list[bool]:
        entered("a", "b")(tx)
        first = [claims.claim(tx, "k", "x", 1), claims.claim(tx, "k", "x", 1), claims.claim(tx, "k", "x", 2)]
        claims.release(tx, "k", "x", 2)  # another one's
        held = [claims.holds(tx, "k", "x", 1), claims.holds(tx, "k", "x", 2), claims.holds(tx, "l", "x", 1)]
        claims.release(tx, "k", "x", 1)
        return [*first, *held, claims.claim(tx, "k", "x", 2), claims.holds(tx, "k", "x", 1)]

    assert results(stores, scenario) == [[True, True, False, True, False, False, True, False]]


def test_one_that_is_gone_records_nothing_and_its_work_is_taken_over_once(stores: Stores) -> None:
    def prepare(tx: Tx) -> None:
        entered("a", "b", "c")(tx)
        for key in "xyz":
            claims.claim(tx, "k", key, 1)
        claims.claim(tx, "l", "x", 1)
        claims.claim(tx, "k", "w", 3)

    def goes(tx: Tx) -> list[bool]:
        was = [claims.mark_gone(tx, 1), claims.mark_gone(tx, 1)]
        return [*was, claims.holds(tx, "k", "x", 1), claims.claim(tx, "k", "v", 1)]

    def taken(tx: Tx) -> list[object]:
        first = claims.take_over(tx, "k", 2, 2)
        second = claims.take_over(tx, "k", 3, 9)
        return [first, second, claims.take_over(tx, "k", 2, 9), claims.holds(tx, "k", "x", 2)]

    def listed(tx: Tx) -> list[object]:
        return [claims.of_node(tx, "k", 3, "", 9), claims.of_node(tx, "k", 3, "w", 9), claims.forget_gone(tx)]

    assert results(stores, prepare, goes, taken, listed) == [
        None,
        [True, False, False, False],
        [["x", "y"], ["z"], [], True],
        [["w", "z"], ["z"], 0],  # one of kind `l` is still the first server's
    ]


class Servers(RuleBasedStateMachine):
    """Servers come, go and claim in any order: a key is one server's at most, and never a gone one's."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "passrole.db"
        migrate(path)
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.tx = SqliteTx(self.connection)
        self.owner: dict[str, int] = {}
        self.present: set[int] = set()
        self.last = 0
        self.names: dict[int, str] = {}

    def teardown(self) -> None:
        self.connection.close()
        self.folder.cleanup()

    @rule()
    def enter(self) -> None:
        self.entered(f"n{self.last + 1}")

    @rule(node=st.integers(1, 5))
    def come_back(self, node: int) -> None:
        """A server in the folder of another one has its claims, unless they were taken over."""
        if name := self.names.get(node):
            before = {number for number, each in self.names.items() if each == name}
            number = self.entered(name)
            self.present -= before
            self.owner = {key: number if owner in before else owner for key, owner in self.owner.items()}

    def entered(self, name: str) -> int:
        number = claims.enter(self.tx, name)
        assert number > self.last
        self.last = number
        self.names[number] = name
        self.present.add(number)
        return number

    @rule(node=st.integers(1, 5))
    def go(self, node: int) -> None:
        assert claims.mark_gone(self.tx, node) == (node in self.present)
        self.present.discard(node)

    @rule(node=st.integers(1, 5), key=st.sampled_from("xyz"))
    def claim(self, node: int, key: str) -> None:
        may = node in self.present and self.owner.get(key, node) not in self.present - {node}
        assert claims.claim(self.tx, "k", key, node) == may
        if may:
            self.owner[key] = node

    @rule(node=st.integers(1, 5))
    def take_over(self, node: int) -> None:
        orphans = sorted(key for key, owner in self.owner.items() if owner not in self.present)
        wanted = orphans if node in self.present else []
        assert claims.take_over(self.tx, "k", node, 9) == wanted
        self.owner.update(dict.fromkeys(wanted, node))

    @rule(node=st.integers(1, 5), key=st.sampled_from("xyz"))
    def release(self, node: int, key: str) -> None:
        claims.release(self.tx, "k", key, node)
        if self.owner.get(key) == node:
            del self.owner[key]

    @rule()
    def forget(self) -> None:
        claims.forget_gone(self.tx)

    @invariant()
    def the_fence_is_the_owners(self) -> None:
        for key in "xyz":
            holders = [node for node in range(1, self.last + 1) if claims.holds(self.tx, "k", key, node)]
            owner = self.owner.get(key)
            assert holders == ([owner] if owner in self.present else [])


TestServers = Servers.TestCase
