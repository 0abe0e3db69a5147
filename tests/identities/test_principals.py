"""Users and roles in documents: kept by unique id, shown by ARN; documents of earlier versions stay."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store import chosen

from passrole.arns import Account
from passrole.identities import principals, records
from passrole.identities.records import Role, User
from passrole.store import Tx

A = Account("111122223333")
ROLE = Role(A, "runner", "/jobs/", "AROA1", 1.0, "{}")
USER = User(A, "ann", "/", "AIDA1", 1.0)
SESSION = f"arn:aws:sts::{A}:assumed-role/runner/work"


def document(*names: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement}, indent=1)


# name as written, name as kept
KEPT = [
    (ROLE.arn, "AROA1"),
    (USER.arn, "AIDA1"),
    (SESSION, "AROA1:work"),
    ("AROA1", "AROA1"),
    ("*", "*"),
    (A, A),
    (f"arn:aws:iam::{A}:root", f"arn:aws:iam::{A}:root"),
    ("arn:aws:iam::444455556666:user/eve", "arn:aws:iam::444455556666:user/eve"),
]
UNKNOWN = [
    f"arn:aws:iam::{A}:role/runner",  # not under its path
    f"arn:aws:iam::{A}:role/jobs/Runner",
    f"arn:aws-cn:iam::{A}:role/jobs/runner",
    f"arn:aws:iam:us-east-1:{A}:user/ann",
    f"arn:aws:sts::{A}:assumed-role/jobs/runner/work",
    f"arn:aws:sts::{A}:assumed-role/nobody/work",
    f"arn:aws:iam::{A}:assumed-role/runner/work",
    "AROA2",
    "AIDA2:work",
]


def in_store(folder: Path, work: Callable[[Tx], None]) -> None:
    async def run() -> None:
        def write(tx: Tx) -> None:
            records.put(tx, records.ROLES, ROLE)
            records.put(tx, records.USERS, USER)
            work(tx)

        store = chosen.opened(folder)
        try:
            await store.write(write)
        finally:
            await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("written, kept", KEPT)
def test_a_name_is_kept_by_unique_id_and_shown_as_it_was_written(
    tmp_path: Path, written: str, kept: str
) -> None:
    def work(tx: Tx) -> None:
        saved = principals.with_unique_ids(tx, A, document(written))
        assert json.loads(saved)["Statement"]["Principal"]["AWS"] == [kept]
        if written != "AROA1":
            assert json.loads(principals.WithArns(tx, A)(saved)) == json.loads(document(written))
        if written == kept:
            assert saved == document(written)

    in_store(tmp_path, work)


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_of_nobody_is_refused(tmp_path: Path, name: str) -> None:
    def work(tx: Tx) -> None:
        with pytest.raises(principals.UnknownPrincipal) as caught:
            principals.with_unique_ids(tx, A, document(USER.arn, name))
        assert caught.value.name == name

    in_store(tmp_path, work)


def test_a_document_of_an_earlier_version_is_shown_as_it_is_kept(tmp_path: Path) -> None:
    earlier = document(ROLE.arn, f"arn:aws:iam::{A}:role/gone")
    in_store(tmp_path, lambda tx: _shown_as(tx, earlier, earlier))


def _shown_as(tx: Tx, kept: str, shown: str) -> None:
    assert principals.WithArns(tx, A)(kept) == shown
