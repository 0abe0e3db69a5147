"""A server's start beside others of its database, where a session of its data folder's name may be there."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole.config import Config
from passrole.store import Store, opening
from passrole.store.opening import StillThere, joined

ENDPOINT = "http://127.0.0.1:9"


@pytest.fixture
def folders(postgres: Cluster, tmp_path: Path) -> tuple[Config, Config]:
    url = postgres.create(f"joining_{abs(hash(tmp_path))}")
    one, other = (Config(data=tmp_path / name, store=url, s3_endpoint=ENDPOINT) for name in ("one", "other"))
    return one, other


def served(one: Config, scenario: Callable[[Store], Awaitable[None]]) -> None:
    """With a server of the folder, which the scenario may close."""

    async def run() -> None:
        store = await joined(one)
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(run())


def test_a_copied_folder_is_refused_while_the_other_ones_server_runs(
    folders: tuple[Config, Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, copy = folders
    monkeypatch.setattr(opening, "STILL_THERE_SECONDS", 0.2)
    monkeypatch.setattr(opening, "AGAIN_SECONDS", 0.05)

    async def scenario(_store: Store) -> None:
        shutil.copytree(one.data, copy.data)
        with pytest.raises(StillThere, match=r"is a copy .* name an empty folder by `--data`"):
            await joined(copy)
        shutil.rmtree(copy.data)
        await (await joined(copy)).close()

    served(one, scenario)


def test_whoever_is_started_again_waits_for_the_session_of_the_one_before(
    folders: tuple[Config, Config], caplog: pytest.LogCaptureFixture
) -> None:
    from passrole.store.postgres_node import GONE_SECONDS

    one, copy = folders
    assert opening.STILL_THERE_SECONDS > GONE_SECONDS

    async def scenario(before: Store) -> None:
        shutil.copytree(one.data, copy.data)
        again = asyncio.create_task(joined(copy))
        await eventually_async(lambda: "has a session of this folder's server still" in caplog.text)
        await before.close()
        await (await again).close()

    served(one, scenario)
    assert caplog.text.count("still") == 1
