"""The ends of files, as rows: in pieces at fixed places, so many at most."""

from pathlib import Path
from typing import Any

import pytest
from tests.store.conftest import Stores

from passrole.store import Tx, shared_files
from passrole.store.shared_files import PIECE_BYTES, PIECES_MAX

FIRST, SECOND = b"a" * PIECE_BYTES, b"b" * 7
ALL = 10 * PIECE_BYTES


async def rows(store: Any) -> int:
    count: int = await store.read(lambda tx: tx.one("SELECT count(*) FROM shared_file_pieces")[0])
    return count


def test_bytes_are_read_from_any_place_on(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        await store.write(lambda tx: shared_files.put(tx, "f", {0: FIRST, 1: SECOND}))

        async def read(offset: int, bytes_max: int = ALL) -> tuple[int, bytes]:
            found: tuple[int, bytes] = await store.read(
                lambda tx: shared_files.read(tx, "f", offset, bytes_max)
            )
            return found

        assert await read(0) == (0, FIRST + SECOND)
        assert await read(PIECE_BYTES - 1, 3) == (PIECE_BYTES - 1, b"abb")
        assert await read(-2) == (PIECE_BYTES + 5, b"bb")
        assert await read(-ALL) == (0, FIRST + SECOND)
        assert await read(0, PIECE_BYTES) == (0, FIRST)
        assert await read(PIECE_BYTES + 7) == (PIECE_BYTES + 7, b"")
        assert await read(ALL) == (ALL, b"")

    stores.run(scenario)


def test_a_piece_is_written_again_and_later_ones_go_with_a_shorter_file(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        await store.write(lambda tx: shared_files.put(tx, "f", {0: FIRST, 1: b"b"}))
        await store.write(lambda tx: shared_files.put(tx, "f", {1: SECOND}))
        assert await store.read(lambda tx: shared_files.read(tx, "f", 0, ALL)) == (0, FIRST + SECOND)
        await store.write(lambda tx: shared_files.put(tx, "f", {0: b"anew"}))
        assert await store.read(lambda tx: shared_files.read(tx, "f", 0, ALL)) == (0, b"anew")

    stores.run(scenario)


def test_only_the_end_of_a_long_file_is_kept(stores: Stores) -> None:
    async def scenario(store: Any) -> None:
        for number in range(PIECES_MAX + 2):
            await store.write(lambda tx, number=number: shared_files.put(tx, "f", {number: FIRST}))
        assert await rows(store) == PIECES_MAX
        start, found = await store.read(lambda tx: shared_files.read(tx, "f", 5, ALL))
        assert (start, len(found)) == (2 * PIECE_BYTES, ALL)

    stores.run(scenario)


def test_files_of_a_folder_are_forgotten_and_no_others(stores: Stores, tmp_path: Path) -> None:
    folder = tmp_path.resolve() / "emr" / "j-1"

    async def scenario(store: Any) -> None:
        def put(tx: Tx) -> None:
            for file in ("emr/j-1/s-1/stdout", "emr/j-1/s-2/stdout", "emr/j-11/s-1/stdout", "emr/j-2"):
                shared_files.put(tx, file, {0: b"x"})

        await store.write(put)
        await store.write(lambda tx: shared_files.forget_below(tx, tmp_path, folder / "s-2"))
        assert await rows(store) == 3
        await store.write(lambda tx: shared_files.forget_below(tx, tmp_path, folder))
        assert await rows(store) == 2
        await store.write(lambda tx: shared_files.forget(tx, "emr/j-2"))
        assert await rows(store) == 1

    stores.run(scenario)


def test_a_name_of_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not in the subpath"):
        shared_files.name_of(tmp_path, Path("/etc/passwd"))
