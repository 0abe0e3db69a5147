"""What is kept of rows is true again after a notice, and after a while without one."""

import asyncio
from collections.abc import Callable

import pytest

from passrole.store.cache import AGE_SECONDS_MAX, Cache


class Rows:
    """A row that is counted when it is read, and a cache of it with a moved clock."""

    def __init__(self, entries_max: int = 10) -> None:
        self.now, self.row, self.reads = 100.0, "old", 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.cache: Cache[str, str] = Cache(entries_max, now=lambda: self.now)

    async def _read(self) -> str:
        self.reads += 1
        found = self.row
        self.meanwhile()
        return found

    def look(self, key: str = "k") -> str:
        return self.cache.get(key) or asyncio.run(self.cache.read(key, self._read))


def test_it_is_read_once() -> None:
    rows = Rows()
    assert [rows.look(), rows.look(), rows.reads] == ["old", "old", 1]


@pytest.mark.parametrize("key", ["k", None])
def test_after_a_notice_it_is_read_again(key: str | None) -> None:
    rows = Rows()
    rows.look()
    rows.row = "new"
    rows.cache.forget(key)
    assert rows.look() == "new"


def test_a_notice_of_another_key_leaves_it() -> None:
    rows = Rows()
    rows.look()
    rows.cache.forget("another")
    assert (rows.look(), rows.reads) == ("old", 1)


def test_without_a_notice_it_is_read_again_once_it_is_old() -> None:
    rows = Rows()
    rows.look()
    rows.row = "new"
    rows.now += AGE_SECONDS_MAX - 0.1
    assert rows.look() == "old"
    rows.now += 0.1
    assert rows.look() == "new"


def test_its_age_counts_from_the_beginning_of_the_read() -> None:
    rows = Rows()

    def passes() -> None:
        rows.now += AGE_SECONDS_MAX

    rows.meanwhile = passes
    rows.look()
    rows.row, rows.meanwhile = "new", lambda: None
    assert rows.look() == "new"


def test_what_was_read_while_a_notice_came_is_not_kept() -> None:
    rows = Rows()
    rows.meanwhile = rows.cache.forget
    assert rows.look() == "old"
    rows.row = "new"
    assert rows.look() == "new"


def test_it_keeps_no_more_than_its_bound() -> None:
    rows = Rows(entries_max=3)
    for number in range(10):
        rows.look(f"{number}")
        assert len(rows.cache) <= 3
