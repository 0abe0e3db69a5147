"""A data folder's rows go to PostgreSQL and back, whole or not at all."""

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.conftest import Server
from tests.postgres import Cluster
from tests.store.chosen import of_a_file

from passrole.cli import main
from passrole.client import InvalidInput, migration
from passrole.config import Config
from passrole.store import SqliteStore, opening
from passrole.store.contents import PIECE_BYTES
from passrole.store.sqlite import FILE

Start = Callable[..., Server]
OF_SERVERS = {"claims", "leases", "nodes", "sqlite_sequence"}
WAITING = {
    "Version": "2020-12-01",
    "Steps": [
        {
            "Name": "Ask",
            "Type": "Callback",
            "SqsQueueUrl": "",
            "Arguments": {"what": "an answer: é, \\u0001 and 1e400"},
            "OutputParameters": [{"OutputName": "said", "OutputType": "String"}],
        }
    ],
}


@pytest.fixture
def url(postgres: Cluster, request: pytest.FixtureRequest) -> str:
    """An empty database."""
    return postgres.create(f"of_{abs(hash(request.node.nodeid))}")


def rows(data: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a folder's database, with the numbers that its counters have given."""
    connection = sqlite3.connect(data / FILE)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    connection.close()
    return found


def folder(data: Path, *statements: str) -> Config:
    """A data folder whose database has these rows."""

    async def make() -> None:
        store = SqliteStore(data)
        for statement in statements:
            await store.write(lambda tx, statement=statement: tx.run(statement))  # type: ignore[misc]
        await store.close()

    asyncio.run(make())
    return Config(data=data)


MESSAGE = (
    "INSERT INTO messages (queue, id, body, envelope, sent, visible) VALUES ('q', '{}', {}, x'00ff', 1, 2)"
)


@of_a_file
def test_what_waits_on_a_server_goes_on_after_the_way_there_and_back(
    start_server: Start, url: str, tmp_path: Path
) -> None:
    server = start_server()
    sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
    queue = sqs.create_queue(QueueName="asked")["QueueUrl"]
    definition = json.loads(json.dumps(WAITING))
    definition["Steps"][0]["SqsQueueUrl"] = queue
    sagemaker.create_pipeline(
        PipelineName="asks",
        PipelineDefinition=json.dumps(definition),
        ClientRequestToken="t" * 32,
        RoleArn=server.role(
            [
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}],
                }
            ]
        ),
    )
    execution = sagemaker.start_pipeline_execution(PipelineName="asks")["PipelineExecutionArn"]
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    server.stop()
    before = rows(server.data)
    result = CliRunner().invoke(
        main, ["migrate", "--to", url, "--data", str(server.data), "--format", "json"]
    )
    assert result.exit_code == 0, result.output
    told = {table["table"]: table["rows"] for table in json.loads(result.stdout)["tables"]}
    data = {name: len(each) for name, each in before.items() if name not in OF_SERVERS}
    assert told == data
    (kept,) = server.data.glob(f"{FILE}.until-*")
    kept.rename(server.data / FILE)
    assert rows(server.data) == before
    (server.data / FILE).unlink()
    result = CliRunner().invoke(main, ["list", "--data", str(server.data)])
    assert (result.exit_code, "PASSROLE_STORE" in result.output) == (2, True)
    result = CliRunner().invoke(main, ["list", "--data", str(server.data)], env={"PASSROLE_STORE": url})
    assert "asks" in result.stdout, result.output
    result = CliRunner().invoke(main, ["migrate", "--from", url, "--data", str(server.data)])
    assert result.exit_code == 0, result.output
    assert rows(server.data) == before
    server.start()
    token = json.loads(message["Body"])["token"]
    server.client("sagemaker").send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=[{"Name": "said", "Value": "yes"}]
    )
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"


@of_a_file
def test_code_of_functions_goes_there_and_back(start_server: Start, url: str, tmp_path: Path) -> None:
    """Each time to a server whose folder has never had it."""
    server = start_server()
    large = os.urandom(2 * PIECE_BYTES).hex()
    server.function("says", f"def handler(event, context): return 1\nNOT_SMALL = {large!r}")
    server.client("lambda").publish_version(FunctionName="says")
    server.stop()
    pieces = {each.table: each.rows for each in migration.to_postgres(Config(data=server.data), url)}
    assert (pieces["content_pieces"], pieces["content_users"]) == (5, 2)
    migrated = start_server(store=url)
    assert migrated.data != server.data
    assert said(migrated) == [b"1", b"1"]
    migrated.stop()
    migration.to_folder(Config(data=tmp_path / "back"), url)
    last = Server(tmp_path / "back")
    try:
        assert said(last) == [b"1", b"1"]
    finally:
        last.stop()


def said(server: Server) -> list[bytes]:
    invoke = server.client("lambda").invoke
    return [invoke(FunctionName="says", Qualifier=each)["Payload"].read() for each in ("1", "$LATEST")]


def test_a_counter_gives_no_number_again(url: str, tmp_path: Path) -> None:
    here = folder(tmp_path / "a", MESSAGE.format(1, "'x'"), MESSAGE.format(2, "'y'"), "DELETE FROM messages")
    migration.to_postgres(here, url)
    there = Config(data=tmp_path / "b")
    migration.to_folder(there, url)
    folder(there.data, MESSAGE.format(3, "'z'"))
    assert [row[0] for row in rows(there.data)["messages"]] == [3]


def test_a_counter_that_gave_none_begins_at_one(url: str, tmp_path: Path) -> None:
    migration.to_postgres(folder(tmp_path / "a"), url)
    there = Config(data=tmp_path / "b")
    migration.to_folder(there, url)
    folder(there.data, MESSAGE.format(1, "'z'"))
    assert [row[0] for row in rows(there.data)["messages"]] == [1]


def test_a_target_with_rows_is_refused(url: str, tmp_path: Path) -> None:
    here = folder(tmp_path / "a", MESSAGE.format(1, "'x'"))
    migration.to_postgres(here, url)
    folder(tmp_path / "b", MESSAGE.format(1, "'x'"))
    for act in (migration.to_postgres, migration.to_folder):
        with pytest.raises(InvalidInput, match=r"is not empty \(table messages\)"):
            act(Config(data=tmp_path / "b"), url)


@of_a_file
def test_a_side_that_a_server_has_is_refused(start_server: Start, url: str, tmp_path: Path) -> None:
    from passrole.store.postgres import PostgresStore

    with pytest.raises(InvalidInput, match="is in use by process"):
        migration.to_postgres(Config(data=start_server().data), url)
    here = folder(tmp_path / "a")

    async def beside_a_server() -> None:
        store = PostgresStore(url)
        try:
            await asyncio.to_thread(migration.to_postgres, here, url)
        finally:
            await store.close()

    with pytest.raises(InvalidInput, match="a server has the PostgreSQL database"):
        asyncio.run(beside_a_server())


@pytest.mark.parametrize("which", ["true", "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"])
def test_a_server_that_was_only_cut_off_does_not_go_on_with_rows_that_moved(
    url: str, tmp_path: Path, which: str
) -> None:
    """Also one that has lost nothing but the connection that writes."""
    from passrole.store.postgres import PostgresStore

    migration.to_postgres(folder(tmp_path / "a", MESSAGE.format(1, "'x'")), url)
    there = Config(data=tmp_path / "b")

    async def cut_off() -> None:
        store = PostgresStore(url, is_shared=True)
        assert store.node is not None
        entered = store.node.number
        assert await store.read(lambda tx: tx.all("SELECT body FROM messages")) == [("x",)]
        await asyncio.to_thread(cut, url, which)
        await asyncio.to_thread(migration.to_folder, there, url)
        with pytest.raises(ConnectionError, match="terminating connection"):
            await store.write(lambda tx: tx.run(MESSAGE.format(2, "'y'")))
        for _ in range(2):
            with pytest.raises(ConnectionError, match=r"went to `.*/b` of .*`passrole migrate`"):
                await store.write(lambda tx: tx.run(MESSAGE.format(2, "'y'")))
        with pytest.raises(ConnectionError, match="terminating connection"):
            await store.read(lambda tx: tx.all("SELECT body FROM messages"))
        with pytest.raises(ConnectionError, match="went to"):
            await store.read(lambda tx: tx.all("SELECT body FROM messages"))
        with pytest.raises(ConnectionError, match="went to"):
            store.node.enter()
        assert store.node.number == entered
        await store.close()
        for is_shared in (True, False):
            with pytest.raises(ConnectionError, match="went to"):
                PostgresStore(url, is_shared=is_shared)

    asyncio.run(cut_off())
    assert [row[3] for row in rows(there.data)["messages"]] == ["x"]
    assert not (there.data / opening.MARK).exists()


def test_a_way_back_that_ended_in_between_is_gone_again(url: str, tmp_path: Path) -> None:
    here = folder(tmp_path / "a", MESSAGE.format(1, "'x'"))
    copied = migration.to_postgres(here, url)
    assert migration.to_folder(Config(data=tmp_path / "b"), url) == copied
    assert migration.to_folder(Config(data=tmp_path / "c"), url) == copied


def test_rows_are_on_no_side_while_a_way_there_was_broken_off(url: str, tmp_path: Path) -> None:
    """Killed before the folder's own database had another name: the other one may have the rows."""
    here = folder(tmp_path / "a", MESSAGE.format(1, "'x'"))
    opening.mark(here.data, url)
    for config, told in ((here, "rows of .* are in"), (replace(here, store=url), "was broken off")):
        with pytest.raises(opening.StoreUnusable, match=told):
            opening.check_folder(config)
    migration.to_postgres(here, url)
    opening.check_folder(replace(here, store=url))


def test_a_database_from_which_rows_moved_takes_others(url: str, tmp_path: Path) -> None:
    from passrole.store.postgres import PostgresStore

    migration.to_folder(Config(data=tmp_path / "empty"), url)
    migration.to_postgres(folder(tmp_path / "a", MESSAGE.format(1, "'x'")), url)

    async def serve() -> list[tuple[object, ...]]:
        store = PostgresStore(url)
        try:
            return await store.read(lambda tx: tx.all("SELECT body FROM messages"))
        finally:
            await store.close()

    assert asyncio.run(serve()) == [("x",)]


def cut(url: str, which: str) -> None:
    """Connections to the database are lost."""
    import psycopg

    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"{ending} AND pid <> pg_backend_pid() AND {which}".encode())


def test_texts_that_postgresql_escapes_come_back_as_they_were(url: str, tmp_path: Path) -> None:
    text = "'a' || char(0) || 'b' || char(64976)"
    keys = (f"INSERT INTO documents VALUES ('k', {key}, x'01')" for key in ("char(0)", "'a'", "char(64976)"))
    here = folder(tmp_path / "a", MESSAGE.format(1, text), *keys)
    before = rows(here.data)
    there = migration.to_postgres(here, url)
    assert migration.to_folder(Config(data=tmp_path / "b"), url) == there
    assert rows(tmp_path / "b") == before


def test_what_postgresql_cannot_keep_stops_all(url: str, tmp_path: Path) -> None:
    here = folder(
        tmp_path / "a", "INSERT INTO documents VALUES ('k', 'a', x'01')", MESSAGE.format(1, "x'ff'")
    )
    with pytest.raises(InvalidInput, match=r"PostgreSQL: |would not be the same"):
        migration.to_postgres(here, url)
    assert (here.data / FILE).exists()
    there = Config(data=tmp_path / "b")
    assert {table.rows for table in migration.to_folder(there, url)} == {0}


@pytest.mark.parametrize("options", [[], ["--to", "postgresql://a", "--from", "postgresql://b"]])
def test_one_direction_is_named(options: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["migrate", *options, "--data", str(tmp_path)])
    assert (result.exit_code, "give one of --to and --from" in result.output) == (2, True)


def test_a_folder_without_a_database_and_one_that_cannot_be_reached_are_told(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    result = CliRunner().invoke(main, ["migrate", "--to", "postgresql://a", "--data", str(tmp_path)])
    assert "has no database yet" in result.output
    nowhere = f"postgresql:///x?host={tmp_path}"
    with pytest.raises(InvalidInput, match="PostgreSQL: "):
        migration.to_postgres(folder(tmp_path / "a"), nowhere)
    shutil.rmtree(tmp_path / "a")
