"""`passrole serve --store`: rows in PostgreSQL, one place of objects, and no password anywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.postgres import Cluster

from passrole import trees
from passrole.store.opening import place

SECRET = "s3cr3tw0rd"


def passrole(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        **{f"PASSROLE_{key.upper()}": v for key, v in settings.items()},
    }
    command = [sys.executable, "-m", "passrole", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def test_rows_are_in_the_database_and_a_second_server_with_other_objects_is_refused(
    postgres: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    url = postgres.create("serve_store", password=SECRET)
    first = Server(tmp_path / "one" / "first", store=url)
    try:
        first.client("sqs").create_queue(QueueName="kept")
        refused = passrole("serve", "--data", f"{tmp_path}/second", "--port", "0", "--store", url)
        assert refused.returncode == 2
        assert "keeps the objects of S3 elsewhere" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    finally:
        first.stop()
    assert not (first.data / "passrole.db").exists()
    forgotten = passrole("status", "--data", str(first.data))
    assert forgotten.returncode == 2
    assert "PASSROLE_STORE" in forgotten.stderr
    looked_at = passrole("status", "--data", str(first.data), "--format", "json", store=url)
    assert json.loads(looked_at.stdout)["server"]["running"] is False
    assert json.loads(looked_at.stdout)["database"] == place(url)
    elsewhere = Server(tmp_path / "one" / "third", store=url)
    try:
        assert elsewhere.access == first.access
        assert [each.rpartition("/")[2] for each in elsewhere.client("sqs").list_queues()["QueueUrls"]] == [
            "kept"
        ]
    finally:
        elsewhere.stop()
    told = [path for path in trees.files(tmp_path) if path.is_file()]
    assert [path for path in told if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in "".join((refused.stderr, forgotten.stderr, looked_at.stdout, looked_at.stderr))


def test_doctor_asks_the_database(postgres: Cluster, tmp_path: Path) -> None:
    url = postgres.create("doctor_store", password=SECRET)
    for store, level in ((url, "ok"), (f"postgresql://u:{SECRET}@/x?host={tmp_path}", "wrong")):
        asked = passrole("doctor", "--data", f"{tmp_path}/data", "--format", "json", store=store)
        (found,) = (each for each in json.loads(asked.stdout) if each["subject"] == "database")
        assert (found["level"], SECRET in asked.stdout) == (level, False), found


def test_a_backup_of_such_a_folder_needs_to_know_the_database(postgres: Cluster, tmp_path: Path) -> None:
    url = postgres.create("backup_store")
    assert passrole("init", "--data", f"{tmp_path}/data", store=url).returncode == 0
    found = passrole("backup", "--data", f"{tmp_path}/data", f"{tmp_path}/copy")
    assert (found.returncode, "PASSROLE_STORE" in found.stderr) == (2, True)
    made = passrole("backup", "--data", f"{tmp_path}/data", f"{tmp_path}/copy", store=url)
    assert made.returncode == 0, made.stderr
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert "passrole.db" in names
    assert names.isdisjoint({"store", "node", "passrole.db-wal"})
    assert passrole("list", "--data", f"{tmp_path}/copy").returncode == 0


def test_a_folder_with_rows_of_its_own_is_refused(postgres: Cluster, tmp_path: Path) -> None:
    assert passrole("init", "--data", f"{tmp_path}/data").returncode == 0
    found = passrole("init", "--studio", "--data", f"{tmp_path}/data", store=postgres.create("own_rows"))
    assert (found.returncode, "has rows of its own" in found.stderr) == (2, True)


def test_a_user_who_may_not_make_tables_is_refused_in_one_line(postgres: Cluster, tmp_path: Path) -> None:
    import psycopg

    url = postgres.create("not_his")
    postgres.sql("CREATE USER guest")
    with psycopg.connect(url) as owner:  # before PostgreSQL 15 everybody might
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    guests = url.replace("//passrole@", f"//guest:{SECRET}@")
    found = passrole("serve", "--data", f"{tmp_path}/data", "--port", "0", store=guests)
    assert (found.returncode, len(found.stderr.splitlines())) == (2, 1), found.stderr
    assert "permission denied for schema public" in found.stderr
    assert "must own the database" in found.stderr
    assert passrole("init", "--data", f"{tmp_path}/owners", store=url).returncode == 0
    looked_at = passrole("list", "--data", f"{tmp_path}/owners", store=guests)
    assert (looked_at.returncode, len(looked_at.stderr.splitlines())) == (2, 1), looked_at.stderr
    assert "permission denied for table passrole_schema" in looked_at.stderr
    assert SECRET not in found.stderr + looked_at.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql://me:{SECRET}@127.0.0.1:1/one", "refused"),
        (f"postgresql://me:{SECRET}@127.0.0.1:port/one", "store"),
        (f"postgresql://me:a@{SECRET}/b@127.0.0.1/one", "--store is a value that cannot be used"),
        (f"postgresql://me:a/{SECRET}@127.0.0.1/one", "--store is a value that cannot be used"),
        (f"mysql://me:{SECRET}@127.0.0.1/one", "--store is a value that cannot be used"),
        (f"postgresql://127.0.0.1:1/one?password={SECRET}", "refused"),
        (f"postgresql://127.0.0.1:1/one?passwort={SECRET}", "the URL of the store"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line_without_the_password(
    url: str, told: str, tmp_path: Path
) -> None:
    pytest.importorskip("psycopg")
    found = passrole("serve", "--data", f"{tmp_path}/data", "--port", "0", "--store", url)
    assert (found.returncode, len(found.stderr.splitlines())) == (2, 1)
    assert told in found.stderr
    assert SECRET not in found.stderr


def test_without_the_extra_the_message_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text("import sys; sys.modules['psycopg'] = None")
    command = [sys.executable, "-m", "passrole", "init", "--data", str(tmp_path / "data")]
    environment = {
        "PATH": "/usr/bin",
        "PYTHONPATH": str(tmp_path / "hidden"),
        "PASSROLE_STORE": "postgresql://",
    }
    found = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (found.returncode, "pip install 'passrole[postgres]'" in found.stderr) == (2, True)
