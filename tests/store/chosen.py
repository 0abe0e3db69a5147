"""The store of a test, by PASSROLE_TEST_STORE: `postgres` gives each folder a database of its own.

    PASSROLE_TEST_STORE=postgres pytest tests/services        # or: make test-postgres

All databases are in one PostgreSQL of this process, which is started by the first that is asked for. Where
the machine has none, every test is skipped (tests/conftest.py).
"""

import atexit
import functools
import itertools
import os
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from tests.postgres import Cluster, PostgresMissing, cluster, program

from passrole.store import SqliteStore, opening
from passrole.store.sqlite import FILE

IS_POSTGRES = os.environ.get("PASSROLE_TEST_STORE") == "postgres"

of_a_file = pytest.mark.skipif(IS_POSTGRES, reason="is about SQLite's file, or about reads that do not wait")

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
_TEMPLATE = "with_schema"
_numbers = itertools.count(1)


def opened(folder: Path) -> SqliteStore:
    """The store whose rows belong to the folder; the same rows when it is opened again.

    Its type is what nearly all runs have; a PostgresStore has the same methods.
    """
    if not IS_POSTGRES:
        return SqliteStore(folder)
    from passrole.store.postgres import PostgresStore

    return cast(SqliteStore, PostgresStore(_url(folder)))


def settings(data: Path) -> dict[str, str]:
    """What a server with this data folder is told of its store: nothing where the folder is a backup."""
    return {"store": _url(data)} if IS_POSTGRES and not (data / FILE).exists() else {}


def environment(data: Path) -> dict[str, str]:
    """What a command about this data folder is told of its store, where its rows are in PostgreSQL."""
    return {"PASSROLE_STORE": _url(data.absolute())} if (data / opening.MARK).exists() else {}


def variables(folder: Path) -> dict[str, str]:
    """Variables of the environment by which all commands in a folder have the same rows."""
    return {"PASSROLE_STORE": _url(folder)} if IS_POSTGRES else {}


def named_in(arguments: Sequence[str]) -> dict[str, str]:
    """The same for a command of passrole with these arguments, which name a data folder or none."""
    folders = [Path(value) for name, value in pairwise(arguments) if name == "--data"]
    return environment(folders[0]) if folders else {}


def content(data: Path) -> bytes:
    """All that is in the store of this data folder, as its files or its rows have it."""
    if not IS_POSTGRES:
        return b"".join(each.read_bytes() for each in data.glob("*.db*"))
    import psycopg
    from psycopg import sql

    with psycopg.connect(_url(data)) as connection, connection.cursor() as cursor:
        found = bytearray()
        for (name,) in cursor.execute(_TABLES).fetchall():
            with cursor.copy(
                sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(name))
            ) as rows:
                found += b"".join(bytes(part) for part in rows)
        return bytes(found)


def obstacle() -> str | None:
    """Why no test can run on the store that was asked for; None where it can."""
    if not IS_POSTGRES:
        return None
    try:
        import psycopg  # noqa: F401

        program("initdb")
    except ImportError:
        return "no psycopg here: install the extra `postgres`"
    except PostgresMissing as missing:
        return str(missing)
    return None


@functools.cache
def _url(_folder: Path) -> str:
    return _cluster().create(f"of_test_{next(_numbers)}", template=_TEMPLATE)


@functools.cache
def _cluster() -> Cluster:
    stack = ExitStack()
    atexit.register(stack.close)
    running = stack.enter_context(cluster(fsync="off", max_connections="400"))
    import psycopg

    from passrole.store.migrations import postgres as migrations

    with psycopg.connect(running.create(_TEMPLATE), autocommit=True) as connection:
        migrations.migrate(connection)
    return running
