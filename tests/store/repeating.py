"""`passrole` on a store that runs each transaction twice, as one does after a conflict with another node.

    python tests/store/repeating.py serve --data DIR --port 0
    PASSROLE_TEST_STORE=repeating pytest tests/services

The first run is undone, the second one stands. A transaction whose second run does not write and tell the
same kinds of things as its first fails, and so does the call that asked for it: it has changed something
beside the rows. What it reads of a clock, or draws, may differ: that of the last run stands.
"""

import sqlite3
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from passrole.store import group_commit, sqlite
from passrole.store.sqlite import SqliteTx


class NotRepeatable(Exception):
    """A transaction did not do the same again; the message says what it did instead."""


class _RecordedTx(SqliteTx):
    """Keeps what is written and told; what is read may be remembered from the first run."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.done: list[str] = []

    def run(self, sql: str, *parameters: Any) -> int:
        self.done.append(sql)
        return super().run(sql, *parameters)

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        kept = list(rows)
        self.done.append(f"{sql} for {len(kept)} rows")
        super().run_many(sql, kept)

    def notify(self, channel: str, key: str = "") -> None:
        self.done.append(channel)
        super().notify(channel, key)


def outcomes(connection: sqlite3.Connection, writes: Sequence[Any]) -> list[Any]:
    """In place of the store's own, see `sqlite._outcomes`."""
    return [_outcome(connection, write) for write in writes]


def _outcome(connection: sqlite3.Connection, write: Any) -> Any:
    first, before = _run(connection, write, is_kept=False)
    connection.execute("SAVEPOINT both")
    second, after = _run(connection, write, is_kept=True)
    problem = ""
    if type(before.error) is not type(after.error):
        problem = f"ended with {before.error!r}, and then with {after.error!r}"
    elif after.error is None and first.done != second.done:
        problem = f"did {first.done}, and then {second.done}"
    if problem:
        connection.execute("ROLLBACK TO both")
        after = group_commit.Outcome(write.future, None, NotRepeatable(f"{write.fn} {problem}"), [])
    connection.execute("RELEASE both")
    return after


def _run(connection: sqlite3.Connection, write: Any, *, is_kept: bool) -> tuple[_RecordedTx, Any]:
    tx = _RecordedTx(connection)
    connection.execute("SAVEPOINT run")
    try:
        outcome = group_commit.Outcome(write.future, write.fn(tx), None, tx.notices)
    except BaseException as error:
        if isinstance(error, sqlite3.Error) and not connection.in_transaction:
            raise
        outcome = group_commit.Outcome(write.future, None, group_commit.for_a_future(error), [])
    if not is_kept or outcome.error is not None:
        connection.execute("ROLLBACK TO run")
    connection.execute("RELEASE run")
    return tx, outcome


def main() -> int:
    """passrole's command line."""
    sqlite._outcomes = outcomes
    from passrole.cli import main as passrole

    code: int = passrole()
    return code


if __name__ == "__main__":
    sys.exit(main())
