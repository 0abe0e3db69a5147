"""`passrole status` on background work, and on the servers of a shared database."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server
from tests.eventually import eventually
from tests.postgres import Cluster
from tests.services.sagemaker.jobs.workshop import Workshop
from tests.store.test_postgres_node import NODE

SLOW = """
import os, time
def handler(event, context):
    while not os.path.exists(event["gate"]):
        time.sleep(0.02)
"""


def status(data: Path, *options: str, store: str = "") -> str:
    environment = {"PATH": os.environ["PATH"], **({"PASSROLE_STORE": store} if store else {})}
    command = [sys.executable, "-m", "passrole", "status", "--data", str(data), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_json(data: Path, store: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status(data, "--format", "json", store=store))
    return found


@pytest.mark.parametrize("kind", ["file", "postgres"])
def test_work_that_is_not_done_is_counted_by_kind_and_lateness(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = request.getfixturevalue("postgres").create("status_queue") if kind == "postgres" else ""
    server = Server(tmp_path / "data", store=store, shared_paths=str(tmp_path))
    try:
        arn = server.function("slow", SLOW, Timeout=100)
        event = json.dumps({"gate": f"{tmp_path}/gate"}).encode()
        server.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=event)
        queue = eventually(
            lambda: (
                found if (found := as_json(tmp_path / "data", store)["queue"])["lag_seconds"] > 0 else None
            )
        )
        depth = queue["kinds"]["async-invocation"]
        assert (depth["ready"], depth["later"], queue["ready"], queue["later"]) == (1, 0, 1, 0)
        assert depth["oldest_seconds"] == queue["lag_seconds"] > 0
        assert "1 ready (1 async-invocation), 0 later, lag " in status(tmp_path / "data", store=store)
        (tmp_path / "gate").touch()
        eventually(lambda: as_json(tmp_path / "data", store)["queue"]["ready"] == 0)
        assert "queue              empty" in status(tmp_path / "data", store=store)
    finally:
        server.stop()


def test_a_database_that_nobody_names_is_not_guessed(postgres: Cluster, tmp_path: Path) -> None:
    store = postgres.create("status_unnamed")
    server = Server(tmp_path / "data", store=store)
    try:
        found = as_json(tmp_path / "data")
        assert (found["server"]["running"], found["queue"], found["nodes"]) == (True, None, [])
        assert "queue" not in status(tmp_path / "data")
    finally:
        server.stop()


def test_servers_of_a_database_are_present_resting_ended_or_gone(postgres: Cluster, tmp_path: Path) -> None:
    store = postgres.create("status_nodes")
    environment = {"PATH": os.environ["PATH"], "PASSROLE_STORE": store}
    init = [sys.executable, "-m", "passrole", "init", "--data", str(tmp_path / "data")]
    subprocess.run(init, env=environment, check=True, capture_output=True)

    def states() -> dict[str, str]:
        found = {each["name"]: each["state"] for each in as_json(tmp_path / "data", store)["nodes"]}
        assert all(
            f"{name}: {state}" in status(tmp_path / "data", store=store) for name, state in found.items()
        )
        return found

    import psycopg

    with node(store):
        assert states()["other"] == "present"
        with psycopg.connect(store) as connection:
            connection.execute("UPDATE nodes SET rests = 1 WHERE name = 'other'")
        assert states()["other"] == "resting"
    eventually(lambda: states()["other"] == "ended")
    with psycopg.connect(store) as connection:
        connection.execute("UPDATE nodes SET gone = 1")
    assert states()["other"] == "gone"


def test_executions_run_where_another_server_is_present(postgres: Cluster, tmp_path: Path) -> None:
    store = postgres.create("status_at_rest")
    server = Server(tmp_path / "data", store=store)
    execution = daily_pipeline.started(server, daily_pipeline.deployed(server, "waits"))
    server.stop()

    def label() -> str:
        lines = status(tmp_path / "data", store=store).splitlines()
        (line,) = (line for line in lines if execution.rpartition("/")[2] in line and "run" in line)
        return line[:10].strip()

    eventually(lambda: label() == "would run", seen=label)
    with node(store):
        assert label() == "runs"


def test_a_server_is_shown_with_the_jobs_that_it_has(
    postgres: Cluster, tmp_path: Path, sandboxed: None
) -> None:
    store = postgres.create("status_claims")
    server = Server(tmp_path / "data", store=store)

    def has() -> tuple[Any, bool]:
        (found,) = as_json(tmp_path / "data", store)["nodes"]
        return found["claims"], ": present, has 1 training-job\n" in status(tmp_path / "data", store=store)

    try:
        workshop = Workshop(server)
        request = workshop.training(f"while [ ! -e {tmp_path}/gate ]; do sleep 0.05; done")
        workshop.sagemaker.create_training_job(**request)
        eventually(lambda: has() == ({"training-job": 1}, True), seen=has)
        (tmp_path / "gate").touch()
        eventually(lambda: has() == ({}, False), seen=has)
    finally:
        server.stop()


@contextlib.contextmanager
def node(store: str) -> Iterator[None]:
    """A server, as far as PostgreSQL sees it."""
    command = [sys.executable, "-c", NODE, store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
