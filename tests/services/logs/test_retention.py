"""Log events go once they are past their group's retention or past the age of the setting."""

import asyncio
from pathlib import Path

import pytest
from tests.store import chosen

from passrole.services.logs import retention, rows
from passrole.services.logs.records import DAY, GROUPS, Group
from passrole.store import Tx

NOW_DAYS = 100
NOW = NOW_DAYS * 86_400.0


def put(tx: Tx) -> None:
    """Groups with and without retention, with events of 1, 5 and 20 days ago each."""
    for name, days in (("kept", None), ("short", 3)):
        GROUPS.put(tx, f"1/r/{name}", Group(name, 0, days))
        events = [((NOW_DAYS - age) * DAY, f"{age}") for age in (20, 5, 1)]
        rows.insert(tx, f"1/r/{name}", "s", 0, events)


def left(tx: Tx) -> list[str]:
    found = tx.all("SELECT log_group, message FROM log_events ORDER BY log_group, at")
    return [f"{group.rpartition('/')[2]} {message}" for group, message in found]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, ["kept 20", "kept 5", "kept 1", "short 1"]),
        (10, ["kept 5", "kept 1", "short 1"]),
        (2, ["kept 1", "short 1"]),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 10_000])
def test_the_shorter_age_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, expected: list[str], at_once: int
) -> None:
    monkeypatch.setattr(rows, "EXPIRED_MAX", at_once)

    async def scenario() -> None:
        store = chosen.opened(tmp_path)
        await store.write(put)
        assert await retention.sweep(store, NOW, days) == 6 - len(expected)
        assert await store.read(left) == expected
        await store.close()

    asyncio.run(scenario())


def test_a_transaction_deletes_the_oldest_and_no_more_than_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "EXPIRED_MAX", 2)

    async def scenario() -> None:
        store = chosen.opened(tmp_path)
        await store.write(put)
        assert await store.write(lambda tx: rows.delete_expired(tx, "1/r/kept", int(NOW * 1000))) == 2
        assert (await store.read(left))[0] == "kept 1"
        await store.close()

    asyncio.run(scenario())
