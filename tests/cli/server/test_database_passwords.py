"""A database that wants a password gets it from where no other user of the machine sees it."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.postgres import USER, Cluster, PostgresMissing, cluster

from passrole.store.opening import place

SECRET = "s3 cr@t/w#rd"
"""Its characters have a meaning in URLs."""


@pytest.fixture(scope="module")
def closed() -> Iterator[Cluster]:
    """A cluster whose databases want a password, but for `postgres`."""
    try:
        with cluster() as running:
            running.require_password(SECRET)
            yield running
    except PostgresMissing as missing:
        pytest.skip(str(missing))


def environment(tmp_path: Path, closed: Cluster, database: str, where: str) -> dict[str, str]:
    """The variables of a user who keeps the password at this place."""
    host = closed.url().rpartition("=")[2]
    passwords, services = tmp_path / "passwords", tmp_path / "services"
    passwords.write_text(f"*:*:{database}:{USER}:{SECRET}\n")
    passwords.chmod(0o600)
    services.write_text(f"[mine]\nhost={host}\nuser={USER}\ndbname={database}\npassword={SECRET}\n")
    places = {
        "PGPASSFILE": {"PGPASSFILE": str(passwords)},
        "PGPASSWORD": {"PGPASSWORD": SECRET},
        "PGSERVICEFILE": {
            "PGSERVICEFILE": str(services),
            "PASSROLE_STORE": "postgresql://?service=mine",
        },
        "PASSROLE_STORE": {
            "PASSROLE_STORE": f"postgresql://{USER}:s3%20cr%40t%2Fw%23rd@/{database}?host={host}"
        },
    }
    return {"PATH": os.environ["PATH"], "PASSROLE_STORE": closed.url(database), **places.get(where, {})}


def passrole(settings: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "passrole", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=settings, timeout=120)


@pytest.mark.parametrize("where", ["PGPASSFILE", "PGPASSWORD", "PGSERVICEFILE", "PASSROLE_STORE"])
def test_a_folder_goes_to_the_database_and_is_served(closed: Cluster, tmp_path: Path, where: str) -> None:
    data = tmp_path / "servers" / "data"
    (tmp_path / "servers").mkdir()
    database = where.lower()
    closed.create(database)
    settings = environment(tmp_path, closed, database, where)
    without_store = {name: value for name, value in settings.items() if name != "PASSROLE_STORE"}
    assert passrole(without_store, "init", "--data", str(data)).returncode == 0
    moved = passrole(settings, "migrate", "--to", "--data", str(data))
    assert moved.returncode == 0, moved.stderr
    assert SECRET not in moved.stdout + moved.stderr
    status = passrole(settings, "status", "--data", str(data))
    assert place(settings["PASSROLE_STORE"]) in status.stdout, status.stderr
    back = passrole(settings, "migrate", "--from", "--data", str(data))
    assert back.returncode == 0, back.stderr


def test_without_the_password_the_database_refuses(closed: Cluster, tmp_path: Path) -> None:
    closed.create("refusing")
    settings = environment(tmp_path, closed, "refusing", "nowhere")
    refused = passrole(settings, "init", "--data", str(tmp_path / "data"))
    assert (refused.returncode, "password" in refused.stderr) == (2, True)


def test_a_server_finds_the_password_in_the_users_file(closed: Cluster, tmp_path: Path) -> None:
    closed.create("served")
    (tmp_path / "servers").mkdir()

    class OfAUser(Server):
        variables = environment(tmp_path, closed, "served", "PGPASSFILE")

    server = OfAUser(tmp_path / "servers" / "data", store=closed.url("served"))
    server.client("sqs").create_queue(QueueName="kept")
    assert server.stop() == 0


def test_the_password_is_asked_for_and_not_shown(closed: Cluster, tmp_path: Path) -> None:
    closed.create("asked")
    bare = {"PATH": os.environ["PATH"]}
    assert passrole(bare, "init", "--data", str(tmp_path / "data")).returncode == 0
    words = ["migrate", "--to", closed.url("asked"), "--password", "--data", str(tmp_path / "data")]
    ours, terminal = pty.openpty()
    command = [sys.executable, "-m", "passrole", *words]
    ends: dict[str, Any] = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    with subprocess.Popen(command, env=bare, start_new_session=True, **ends) as running:
        os.close(terminal)
        shown = until(ours, "password: ")
        os.write(ours, f"{SECRET}\n".encode())
        shown += until(ours, "compared them")
        assert running.wait(60) == 0
    os.close(ours)
    assert SECRET not in shown


def until(terminal: int, wanted: str) -> str:
    """What the terminal shows up to this text; all of it, where it does not come."""
    shown = ""
    while wanted not in shown and select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 1024).decode()
        except OSError:  # the program has ended
            break
    assert wanted in shown, shown
    return shown


def test_a_database_must_be_named(tmp_path: Path) -> None:
    found = passrole({"PATH": os.environ["PATH"]}, "migrate", "--to", "--data", str(tmp_path))
    assert (found.returncode, "set PASSROLE_STORE" in found.stderr) == (2, True)
