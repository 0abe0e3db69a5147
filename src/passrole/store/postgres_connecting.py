"""How PostgreSQL is reached: settings of a connection, the lock of servers, and what is told of a failure."""

import contextlib
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from passrole import disk
from passrole.store import postgres_moved

Connection = psycopg.Connection[Any]

LOCK_SECONDS = 3.0
"""How long the lock of the server before is waited for: it is freed a moment after its connection ends."""

CONNECT_SECONDS = 10

# A database whose machine is gone without a word is away after half a minute, whether this side waits for an
# answer or has sent what nobody acknowledges; by the kernel's own times it would take hours.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_CONNECTING: Final[dict[str, Any]] = {
    "application_name": "passrole",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}

# A machine that is gone without a word holds its lock no longer than this, and not for two hours.
# https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-TCP-KEEPALIVES-IDLE
SESSION = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"

_SERVER_LOCK = 0x70617373726F6C65  # "passrole"
_STATEMENTS_MAX = 512
_TROUBLE = ("08", "53", "57", "58")  # connection, resources, an operator's command, the system


class DatabaseInUse(Exception):
    """Another server has the database."""


def connect(url: str) -> Connection:
    """A connection in autocommit. Raises ConnectionError."""
    try:
        connection = psycopg.connect(conninfo(url), autocommit=True, prepare_threshold=1)
        connection.prepared_max = _STATEMENTS_MAX
        connection.execute(SESSION)
    except psycopg.OperationalError as error:
        raise unreachable(url, error) from None
    except psycopg.ProgrammingError:  # its message has parts of the URL
        raise ConnectionError("the URL of the store is none that PostgreSQL's clients understand") from None
    return connection


def conninfo(url: str) -> str:
    """What a client of PostgreSQL is given. Raises psycopg.ProgrammingError, which has parts of the URL."""
    wanted = {**_CONNECTING, **conninfo_to_dict(url)}
    return make_conninfo("", **wanted)


def locked(url: str, *, is_shared: bool = False) -> Connection:
    """A connection with the server's lock. Raises DatabaseInUse, ConnectionError."""
    connection = connect(url)
    try:
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_SECONDS * 1000:.0f}ms",))
        how = "pg_advisory_lock_shared" if is_shared else "pg_advisory_lock"
        connection.execute(f"SELECT {how}(%s)".encode(), (_SERVER_LOCK,))
        connection.execute("RESET lock_timeout")
    except errors.LockNotAvailable:
        connection.close()
        raise DatabaseInUse(
            "another server has the database, and this must be done while none has: stop it, "
            "or name another database"
        ) from None
    except psycopg.OperationalError as error:
        connection.close()
        raise unreachable(url, error) from None
    return connection


def end_others(url: str) -> None:
    """End the sessions that others have in the database as the same user. Raises ConnectionError.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
    """
    with connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )


def with_its_rows(url: str, connection: Connection) -> Connection:
    """The connection, if nobody has moved the rows elsewhere. Raises ConnectionError."""
    try:
        postgres_moved.check(connection)
    except psycopg.Error as error:
        connection.close()
        raise unreachable(url, error) from None
    except postgres_moved.Moved:
        connection.close()
        raise
    return connection


def is_lost(error: BaseException) -> bool:
    """Whether the connection or the database is in trouble, and not the statement.

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08")[:2] in _TROUBLE


def unreachable(url: str, error: psycopg.Error) -> disk.StoreUnreachable:
    """The error without the password, in one line."""
    text = " ".join(str(error).split())
    with contextlib.suppress(psycopg.Error):
        if password := conninfo_to_dict(url).get("password"):
            text = text.replace(str(password), "***")
    return disk.StoreUnreachable(text)
