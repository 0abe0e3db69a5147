"""What a program of one server prints is there for the others, late at most, and its end of a long file."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from tests.worker.failing_writes import FullDisk, make_quick

from passrole.config import Config
from passrole.store import Share, SqliteStore, shared_files
from passrole.store.shared_files import PIECE_BYTES, PIECES_MAX
from passrole.worker import shared_output
from passrole.worker.following import Follower, beside

NODE = 1
ALL = 2 * PIECES_MAX * PIECE_BYTES


class Scene:
    """A folder in which a program writes `out`, and its rows."""

    def __init__(self, store: SqliteStore, data: Path) -> None:
        self.store, self.config, self.folder = store, Config(data=data), data.resolve() / "emr" / "j-1"
        self.folder.mkdir(parents=True)
        self.out = self.folder / "out"

    def follower(self) -> Follower:
        (made,) = self.followers()
        return made

    def followers(self) -> Sequence[Follower]:
        return shared_output.followers(self.store, self.config, self.folder, ["out"])

    async def read(self) -> tuple[int, bytes]:
        return await self.store.read(lambda tx: shared_files.read(tx, "emr/j-1/out", 0, ALL))


def run(data: Path, scenario: Callable[[Scene], Awaitable[None]], node: int = NODE) -> None:
    async def opened() -> None:
        store = SqliteStore(data)
        store.share = Share(node)
        try:
            await scenario(Scene(store, data))
        finally:
            await store.close()

    asyncio.run(opened())


def test_a_server_that_is_alone_writes_no_rows(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.followers() == ()

    run(tmp_path, scenario, node=Share().node)


def test_a_file_that_grows_is_followed_and_goes_with_its_rows(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        follower, text = scene.follower(), b""
        await follower.bring()
        assert await scene.read() == (0, b"")
        for more in (b"begun\n", b"x" * PIECE_BYTES, b"", b"y" * (2 * PIECE_BYTES), b"end\n"):
            text += more
            scene.out.write_bytes(text)
            await follower.bring()
            assert await scene.read() == (0, text)
        await scene.follower().bring()  # of a server that was started again
        assert await scene.read() == (0, text)
        scene.out.write_bytes(b"anew")
        await follower.bring()
        assert await scene.read() == (0, b"anew")
        scene.out.unlink()
        await follower.bring(is_last=True)
        assert await scene.read() == (0, b"")

    run(tmp_path, scenario)


def test_of_a_long_file_the_end_is_kept(tmp_path: Path) -> None:
    text = b"".join(b"%d\n" % number for number in range(300_000))

    async def scenario(scene: Scene) -> None:
        scene.out.write_bytes(text)
        await scene.follower().bring()
        start, found = await scene.read()
        assert found == text[start:]
        assert (PIECES_MAX - 1) * PIECE_BYTES < len(found) <= PIECES_MAX * PIECE_BYTES

    run(tmp_path, scenario)


def test_what_is_refused_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)

    async def scenario(scene: Scene) -> None:
        disk, follower = FullDisk(scene.store, monkeypatch), scene.follower()
        scene.out.write_bytes(b"said")
        disk.is_full = True
        await follower.bring()
        assert disk.refused == 1
        disk.is_full = False
        await follower.bring()
        assert await scene.read() == (0, b"said")

    run(tmp_path, scenario)


def test_the_end_is_there_before_the_program_s_end_is_told(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        async def program() -> int:
            scene.out.write_bytes(b"last words")
            raise OSError("it is gone")

        with pytest.raises(OSError, match="it is gone"):
            await beside(program(), scene.followers())
        assert await scene.read() == (0, b"last words")

    run(tmp_path, scenario)


def test_what_is_cancelled_has_ended_when_its_followers_have(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        ended = []

        async def program() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("program")

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(beside(program(), scene.followers()), 0.01)
        assert ended == ["program"]

    run(tmp_path, scenario)
