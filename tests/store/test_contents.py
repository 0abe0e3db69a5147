"""Contents are whole or nobody's, whoever writes, removes or dies meanwhile."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.postgres import Cluster
from tests.store.conftest import Stores

from passrole.store import Tx, contents
from passrole.store.contents import PIECE_BYTES, UNUSED_SECONDS_MAX, Damaged, NotWhole

LARGE = os.urandom(2 * PIECE_BYTES + 1)
LATER = UNUSED_SECONDS_MAX + 1.0


async def keep(store: Any, content: bytes, now: float) -> str:
    """As a caller that is killed before it uses it."""
    digest = contents.digest_of(content)
    await store.write(await contents.keep(store, digest, content, now))
    return digest


async def read(store: Any, digest: str) -> bytes:
    return b"".join([piece async for piece in contents.pieces(store, digest)])


def using(user: str, *digests: str) -> Callable[[Tx], list[str]]:
    return lambda tx: contents.use(tx, user, digests)


async def rows(store: Any) -> tuple[int, int, int]:
    """How many contents, pieces and uses there are."""

    def count(tx: Tx) -> tuple[int, int, int]:
        first, second, third = (
            tx.all(f"SELECT count(*) FROM {table}")[0][0]
            for table in ("contents", "content_pieces", "content_users")
        )
        return first, second, third

    counted: tuple[int, int, int] = await store.read(count)
    return counted


def dying(store: Any, after: int) -> Any:
    """The store of a process that is killed after so many transactions."""

    class Dying:
        read = staticmethod(store.read)
        left = after

        async def write(self, fn: Callable[[Tx], Any]) -> Any:
            if not self.left:
                raise ConnectionError("killed")
            self.left -= 1
            return await store.write(fn)

    return Dying()


@pytest.mark.parametrize("content", [b"", b"x", LARGE[:PIECE_BYTES], LARGE], ids=["empty", "x", "1", "3"])
def test_what_was_kept_and_is_used_is_read_after_a_restart(stores: Stores, content: bytes) -> None:
    async def kept(store: Any) -> None:
        digest = await keep(store, content, 0)
        assert await store.write(using("user", digest)) == []

    async def found(store: Any) -> None:
        assert await read(store, contents.digest_of(content)) == content
        await contents.sweep(store, LATER)
        assert await read(store, contents.digest_of(content)) == content

    stores.run(kept, found)


def test_the_same_content_is_there_once_until_its_last_user_leaves(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        digest = await keep(store, LARGE, 0)
        await store.write(using("one", digest))
        await contents.keep(dying(store, 0), digest, LARGE, 1)  # it is not written again
        await store.write(using("two", digest))
        assert await rows(store) == (1, 3, 2)
        assert await store.write(using("one")) == []
        left = await store.write(using("two"))
        assert left == [digest]
        with pytest.raises(NotWhole):
            await read(store, digest)
        await contents.remove(store, left)
        assert await rows(store) == (0, 0, 0)

    stores.run(scenario)


def test_a_user_who_changes_leaves_what_it_had(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        old, both, new = [await keep(store, content, 0) for content in (b"1", b"2", b"3")]
        await store.write(using("user", old, both))
        assert await store.write(using("user", both, new)) == [old]
        assert await store.write(using("user", both, new)) == []
        assert [await read(store, each) for each in (both, new)] == [b"2", b"3"]

    stores.run(scenario)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_who_is_killed_while_writing_leaves_nothing_that_can_be_used(stores: Stores, after: int) -> None:
    async def scenario(store: Any) -> None:
        whole = after == 3
        if not whole:
            with pytest.raises(ConnectionError):
                await keep(dying(store, after), LARGE, 0)
            with pytest.raises(NotWhole):
                await store.write(using("user", contents.digest_of(LARGE)))
        else:
            await keep(dying(store, after), LARGE, 0)
        assert await contents.sweep(store, UNUSED_SECONDS_MAX - 1) == 0, "it may still be written"
        assert await rows(store) == (min(after, 1), after, 0)
        assert await contents.sweep(store, LATER) == min(after, 1)
        assert await rows(store) == (0, 0, 0)

    stores.run(scenario)


def test_what_a_killed_process_began_to_remove_is_removed(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        digest = await keep(store, LARGE, 0)
        await store.write(using("user", digest))
        left = await store.write(using("user"))
        with pytest.raises(ConnectionError):
            await contents.remove(dying(store, 2), left)
        assert await rows(store) == (0, 1, 0)
        assert await contents.sweep(store, 0) == 1
        assert await rows(store) == (0, 0, 0)

    stores.run(scenario)


def test_who_writes_what_is_being_removed_has_it_or_is_told(stores: Stores) -> None:
    """The removal comes at each place among the transactions of the one who writes."""

    async def written(store: Any, before: int) -> None:
        digest = await keep(store, LARGE, 0)
        await store.write(using("old", digest))
        left = await store.write(using("old"))
        with pytest.raises(ConnectionError):
            await keep(dying(store, before), LARGE, 1)
        await contents.remove(store, left)
        await keep(store, LARGE, 1)
        await store.write(using("new", digest))
        assert await read(store, digest) == LARGE
        await contents.remove(store, await store.write(using("new")))
        await contents.sweep(store, LATER)
        assert await rows(store) == (0, 0, 0)

    async def scenario(store: Any) -> None:
        for before in range(3):
            await written(store, before)

    stores.run(scenario)


def test_the_row_that_goes_while_the_same_is_written_is_told_by_use(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        digest = await keep(store, LARGE, 0)
        await store.write(using("old", digest))
        await keep(store, LARGE, 1)
        await contents.remove(store, await store.write(using("old")))
        with pytest.raises(NotWhole):
            await store.write(using("new", digest))
        await keep(store, LARGE, 1)
        await store.write(using("new", digest))
        assert await read(store, digest) == LARGE

    stores.run(scenario)


def test_many_write_use_and_remove_the_same_at_once(stores: Stores) -> None:
    async def one(store: Any, user: str) -> None:
        for _ in range(3):
            digest = await keep(store, LARGE, 0)
            try:
                await store.write(using(user, digest))
            except NotWhole:
                continue
            assert await read(store, digest) == LARGE
            await contents.remove(store, await store.write(using(user)))

    async def scenario(store: Any) -> None:
        await asyncio.gather(*(one(store, str(number)) for number in range(4)))
        await contents.sweep(store, LATER)
        assert await rows(store) == (0, 0, 0)

    stores.run(scenario)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE content_pieces SET bytes = (SELECT bytes FROM content_pieces WHERE number = 2)", Damaged),
        ("DELETE FROM content_pieces WHERE number = 1", NotWhole),
        ("DELETE FROM contents", NotWhole),
    ],
)
def test_bytes_that_are_not_those_that_were_written_are_told(
    stores: Stores, statement: str, error: type[Exception]
) -> None:
    async def scenario(store: Any) -> None:
        digest = await keep(store, LARGE, 0)
        await store.write(using("user", digest))
        await store.write(lambda tx: tx.run(statement))
        with pytest.raises(error):
            await read(store, digest)

    stores.run(scenario)


def test_servers_that_share_a_database_never_lose_what_one_of_them_uses(postgres: Cluster) -> None:
    from passrole.store.postgres import PostgresStore

    async def one(store: Any, user: str) -> None:
        digest = contents.digest_of(LARGE)
        for now in range(4):
            with suppress(NotWhole):
                await store.write(_both(await contents.keep(store, digest, LARGE, now), using(user, digest)))
                assert await read(store, digest) == LARGE
            await contents.sweep(store, now + LATER)
            await contents.remove(store, await store.write(using(user)))

    async def run() -> None:
        url = postgres.create("contents_shared")
        stores = [PostgresStore(url, is_shared=True) for _ in range(3)]
        try:
            await asyncio.gather(*(one(store, str(number)) for number, store in enumerate(stores)))
            await contents.sweep(stores[0], LATER)
            assert await rows(stores[0]) == (0, 0, 0)
        finally:
            await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(run())


def _both(first: Callable[[Tx], None], then: Callable[[Tx], object]) -> Callable[[Tx], None]:
    def write(tx: Tx) -> None:
        first(tx)
        then(tx)

    return write
