"""Callback tokens: who holds one may answer its step, once.

A token is issued with the message that carries it and closed when its step ends, whatever ended it.
"""

from dataclasses import dataclass

from passrole import exact_json
from passrole.definition.expressions import Json
from passrole.engine.commands import SendCallback
from passrole.store import Tx
from passrole.store.interface import Row


@dataclass(frozen=True, slots=True)
class Callback:
    """An issued token. `execution` is the ARN; `issued` and `closed` are seconds since the epoch."""

    token: str
    execution: str
    step: str
    attempt: int
    issued: float
    queue_url: str
    arguments: Json
    closed: float | None


_COLUMNS = "token, execution, step, attempt, issued, queue_url, arguments, closed"


def find(tx: Tx, token: str) -> Callback | None:
    """The callback of a token that was issued, answered or not."""
    row = tx.one(f"SELECT {_COLUMNS} FROM tokens WHERE token = ?", token)  # noqa: S608 (a constant)
    return _callback(row) if row else None


def waiting(tx: Tx) -> list[Callback]:
    """Callbacks that nobody has answered, oldest first."""
    rows = tx.all(f"SELECT {_COLUMNS} FROM tokens WHERE closed IS NULL ORDER BY issued")  # noqa: S608
    return [_callback(row) for row in rows]


def waiting_count(tx: Tx) -> int:
    """How many callbacks nobody has answered."""
    row = tx.one("SELECT count(*) FROM tokens WHERE closed IS NULL")
    return row[0] if row else 0


def of_step(tx: Tx, execution: str, step: str, attempt: int) -> Callback | None:
    """The callback of an attempt of a step, answered or not."""
    row = tx.one(
        f"SELECT {_COLUMNS} FROM tokens WHERE execution = ? AND step = ? AND attempt = ?",  # noqa: S608
        execution,
        step,
        attempt,
    )
    return _callback(row) if row else None


def issue(tx: Tx, execution: str, message: SendCallback, at: float) -> None:
    """Keep the token that `message` carries."""
    tx.run(
        f"INSERT INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",  # noqa: S608
        message.token,
        execution,
        message.step,
        message.attempt,
        at,
        message.queue_url,
        exact_json.dumps(message.arguments),
    )


def close(tx: Tx, execution: str, step: str, attempt: int, at: float) -> None:
    """The step is over: its token, if it ever had one, opens nothing any more."""
    tx.run(
        "UPDATE tokens SET closed = ? WHERE execution = ? AND step = ? AND attempt = ?",
        at,
        execution,
        step,
        attempt,
    )


def _callback(row: Row) -> Callback:
    token, execution, step, attempt, issued, queue_url, arguments, closed = row
    return Callback(token, execution, step, attempt, issued, queue_url, exact_json.loads(arguments), closed)
