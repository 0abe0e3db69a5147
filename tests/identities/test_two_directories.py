"""Two servers on one database: what one changes of an identity, the other obeys, even without a notice."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.identities.test_directory import ACCOUNT, KEY, NOW, USER
from tests.postgres import Cluster

from passrole.config import Config
from passrole.identities import Directory, UnknownKey, records
from passrole.policy import Principal
from passrole.store import cache
from passrole.store.listeners import Listeners

_numbers = itertools.count(1)
Scenario = Callable[[Any, Directory], Awaitable[None]]


@pytest.fixture
def run(postgres: Cluster) -> Callable[[Scenario], None]:
    """Runs a scenario with one server's store, and the directory of the other."""
    from passrole.store.postgres import PostgresStore

    url = postgres.create(f"directories_{next(_numbers)}")

    async def both(scenario: Scenario) -> None:
        here, there = PostgresStore(url, is_shared=True), PostgresStore(url, is_shared=True)
        try:
            await here.write(lambda tx: records.put(tx, records.USERS, USER))
            await here.write(lambda tx: records.put_access_key(tx, KEY))
            await scenario(here, Directory(there, lambda: NOW, Config(account=ACCOUNT)))
        finally:
            await asyncio.gather(here.close(), there.close())

    return lambda scenario: asyncio.run(both(scenario))


async def inline(directory: Directory) -> list[str]:
    principal: Principal = (await directory.credentials(KEY.id, None)).principal
    return [name for name, _ in (await directory.effective_policies(principal)).policies.identity]


async def takes_the_policy(store: Any, directory: Directory) -> None:
    assert await inline(directory) == ["send"]
    await store.write(lambda tx: records.put(tx, records.USERS, replace(USER, inline={})))

    async def is_gone() -> bool:
        return await inline(directory) == []

    await eventually_async(is_gone)


async def takes_the_key(store: Any, directory: Directory) -> None:
    assert await inline(directory) == ["send"]
    await store.write(lambda tx: records.put_access_key(tx, replace(KEY, status="Inactive")))

    async def is_unknown() -> bool:
        try:
            await directory.credentials(KEY.id, None)
        except UnknownKey:
            return True
        return False

    await eventually_async(is_unknown)


@pytest.mark.parametrize("scenario", [takes_the_policy, takes_the_key])
def test_a_change_elsewhere_is_obeyed_by_its_notice(
    run: Callable[[Scenario], None], scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "AGE_SECONDS_MAX", 1_000.0)
    run(scenario)


@pytest.mark.parametrize("scenario", [takes_the_policy, takes_the_key])
def test_a_change_elsewhere_is_obeyed_where_its_notice_is_lost(
    run: Callable[[Scenario], None], scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "AGE_SECONDS_MAX", 0.2)
    monkeypatch.setattr(Listeners, "tell", lambda _self, _notice: None)
    run(scenario)
