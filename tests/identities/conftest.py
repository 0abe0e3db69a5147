"""A real store in a temporary folder, for coroutines that need one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.store import chosen

from passrole.store import SqliteStore

T = TypeVar("T")
WithStore = Callable[[Callable[[SqliteStore], Awaitable[Any]]], Any]


@pytest.fixture
def with_store(tmp_path: Path) -> WithStore:
    """Runs a coroutine function over the same store each time, opened and closed around it."""

    async def opened(body: Callable[[SqliteStore], Awaitable[T]]) -> T:
        store = chosen.opened(tmp_path)
        try:
            return await body(store)
        finally:
            await store.close()

    return lambda body: asyncio.run(opened(body))
