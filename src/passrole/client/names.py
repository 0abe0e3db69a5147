"""The names in a data folder that a shell completes, read straight from its database.

A shell asks for them at every Tab: too often for a server, for the door, and for importing the rooms that
own these rows. So this module has SQL of its own, for names only, and needs the store alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from passrole.store import Tx
from passrole.store.read_only import closing_store

T = TypeVar("T")

_EXECUTIONS_MAX = 50
_NAMES = "SELECT json_extract(CAST(body AS TEXT), '$.name') FROM documents WHERE kind = ? ORDER BY 1"
_UNDECIDED = (
    "SELECT json_extract(CAST(body AS TEXT), '$.name') FROM documents WHERE kind = ?"
    " AND json_extract(CAST(body AS TEXT), '$.request.ModelApprovalStatus') = 'PendingManualApproval'"
    " ORDER BY key"
)


class Execution(NamedTuple):
    """An execution; `started` in seconds since the epoch."""

    pipeline: str
    id: str
    status: str
    started: float


class Token(NamedTuple):
    """The token of a callback that waits."""

    token: str
    pipeline: str
    step: str


def read(data: Path, look: Callable[[Tx], T]) -> T:
    """What is seen in the folder's database. Raises sqlite3.Error, UnknownSchema."""
    with closing_store(data) as store:
        return store.look(look)


def pipelines(tx: Tx) -> list[str]:
    """Their names, in order."""
    return [name for (name,) in tx.all(_NAMES, "pipeline")]


def roles(tx: Tx) -> list[str]:
    """Their names, in order."""
    return [name for (name,) in tx.all(_NAMES, "iam-role")]


def groups(tx: Tx) -> list[str]:
    """The names of model package groups, in order."""
    return [name for (name,) in tx.all(_NAMES, "model-package-group")]


def undecided_packages(tx: Tx) -> list[str]:
    """The versions that wait for approval, as `group/version`, in order."""
    return [name for (name,) in tx.all(_UNDECIDED, "model-package")]


def executions(tx: Tx) -> list[Execution]:
    """The newest ones of all pipelines, newest first."""
    rows = tx.all(
        "SELECT execution, status, started FROM executions ORDER BY started DESC LIMIT ?", _EXECUTIONS_MAX
    )
    return [Execution(*_place(arn), status, started) for arn, status, started in rows]


def tokens(tx: Tx) -> list[Token]:
    """Those that wait for an answer, oldest first."""
    rows = tx.all("SELECT token, execution, step FROM tokens WHERE closed IS NULL ORDER BY issued")
    return [Token(token, _place(arn)[0], step) for token, arn, step in rows]


def _place(arn: str) -> tuple[str, str]:
    pipeline, _, id_ = arn.rpartition(":pipeline/")[2].partition("/execution/")
    return pipeline, id_
