"""Stores to run through the conformance suite: SQLite, and PostgreSQL where the machine has it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from passrole.store import SqliteStore

Scenario = Callable[[Any], Awaitable[object]]
_numbers = itertools.count(1)


class Stores:
    """A store that is opened anew for each scenario, as after a restart."""

    def __init__(self, kind: str, make: Callable[[], Any]) -> None:
        self.kind = kind
        self.make = make

    def run(self, *scenarios: Scenario) -> list[object]:
        """What each scenario returned."""

        async def one(scenario: Scenario) -> object:
            store = self.make()
            try:
                return await scenario(store)
            finally:
                await store.close()

        return [asyncio.run(one(scenario)) for scenario in scenarios]


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Each kind of store, empty."""
    if request.param == "sqlite":
        return Stores("sqlite", lambda: SqliteStore(tmp_path))
    url = request.getfixturevalue("postgres").create(f"store_{next(_numbers)}")
    from passrole.store.postgres import PostgresStore

    return Stores("postgres", lambda: PostgresStore(url))
