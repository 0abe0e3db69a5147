"""Rows are found by their exact name or ARN, and no two names differ in letter case alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from passrole.arns import Account
from passrole.identities import records
from passrole.identities.records import AccessKey, ManagedPolicy, PolicyVersion, Role, User
from passrole.store import SqliteStore, Tx

ACCOUNT = Account("111122223333")
ROLE = Role(
    account=ACCOUNT,
    name="Runner",
    path="/service-role/",
    id="AROA1",
    created=1.0,
    trust="{}",
    inline={"one": "{}"},
    attached=["arn:aws:iam::aws:policy/AdministratorAccess"],
    tags={"team": "ml"},
)
USER = User(ACCOUNT, "ann", "/", "AIDA1", 1.0)
WithStore = Callable[[Any], Any]


def written(with_store: WithStore, fn: Callable[[Tx], Any]) -> Any:
    return with_store(lambda store: store.write(fn))


def test_a_row_comes_back_as_it_was_stored(with_store: WithStore) -> None:
    written(with_store, lambda tx: records.add(tx, records.ROLES, ROLE))
    assert written(with_store, lambda tx: records.find(tx, records.ROLES, ACCOUNT, "Runner")) == ROLE


def test_a_name_is_taken_in_every_letter_case_and_found_in_its_own(with_store: WithStore) -> None:
    def body(tx: Tx) -> None:
        assert records.add(tx, records.ROLES, ROLE)
        assert not records.add(tx, records.ROLES, replace(ROLE, name="RUNNER"))
        assert records.find(tx, records.ROLES, ACCOUNT, "RUNNER") is None

    written(with_store, body)


@pytest.mark.parametrize(
    "arn, found",
    [
        (f"arn:aws:iam::{ACCOUNT}:role/service-role/Runner", True),
        (f"arn:aws:iam::{ACCOUNT}:role/Runner", False),
        (f"arn:aws:iam::{ACCOUNT}:user/service-role/Runner", False),
        ("arn:aws:iam::999999999999:role/service-role/Runner", False),
        ("Runner", False),
        ("", False),
    ],
)
def test_only_the_exact_arn_finds_a_row(with_store: WithStore, arn: str, found: bool) -> None:
    def body(tx: Tx) -> None:
        records.put(tx, records.ROLES, ROLE)
        assert (records.find_arn(tx, records.ROLES, arn) is not None) is found

    written(with_store, body)


def test_a_users_keys_are_listed_oldest_first_and_no_others(with_store: WithStore) -> None:
    keys = [
        AccessKey("AKIA2", ACCOUNT, "ann", "x", 1.0),
        AccessKey("AKIA1", ACCOUNT, "ann", "x", 2.0),
        AccessKey("AKIA0", ACCOUNT, "bob", "x", 0.0),
    ]

    def body(tx: Tx) -> list[str]:
        for key in keys:
            records.put_access_key(tx, key)
        return [key.id for key in records.access_keys(tx, USER)]

    assert written(with_store, body) == ["AKIA2", "AKIA1"]


def test_versions_are_listed_newest_first_past_ten(with_store: WithStore) -> None:
    policy = ManagedPolicy(ACCOUNT, "p", "/", "ANPA1", 1.0, 1.0)

    def body(tx: Tx) -> list[int]:
        for number in (9, 10, 11):
            records.put_policy_version(tx, PolicyVersion(policy.arn, number, "{}", 1.0))
        return [version.number for version in records.policy_versions(tx, policy)]

    assert written(with_store, body) == [11, 10, 9]


@pytest.mark.parametrize(
    "write",
    [
        lambda tx: records.add(tx, records.USERS, USER),
        lambda tx: records.put(tx, records.USERS, USER),
        lambda tx: records.remove(tx, records.USERS, USER),
        lambda tx: records.put_access_key(tx, AccessKey("AKIA1", ACCOUNT, "ann", "x", 1.0)),
        lambda tx: records.remove_access_key(tx, AccessKey("AKIA1", ACCOUNT, "ann", "x", 1.0)),
        lambda tx: records.put_policy_version(tx, PolicyVersion("p", 1, "{}", 1.0)),
        lambda tx: records.remove_policy_version(tx, PolicyVersion("p", 1, "{}", 1.0)),
    ],
)
def test_every_write_tells_the_caches(with_store: WithStore, write: Callable[[Tx], Any]) -> None:
    heard: list[Any] = []

    async def body(store: SqliteStore) -> None:
        store.listen(records.CHANNEL, heard.append)
        await store.write(write)

    with_store(body)
    assert len(heard) == 1
