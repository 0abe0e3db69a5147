"""The names in a data folder that a shell completes, read straight from its store.

A shell asks for them at every Tab: too often for a server, for the door, and for importing the rooms that
own these rows. So this module has SQL of its own, for names only, and needs the store alone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from passrole.store import Tx

_EXECUTIONS_MAX = 50
_UNDECIDED = "PendingManualApproval"


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


def pipelines(tx: Tx) -> list[str]:
    """Their names, in order."""
    return _names(tx, "pipeline")


def roles(tx: Tx) -> list[str]:
    """Their names, in order."""
    return _names(tx, "iam-role")


def groups(tx: Tx) -> list[str]:
    """The names of model package groups, in order."""
    return _names(tx, "model-package-group")


def undecided_packages(tx: Tx) -> list[str]:
    """The versions that wait for approval, as `group/version`, in order."""
    packages = _documents(tx, "model-package")
    return [each["name"] for each in packages if each["request"].get("ModelApprovalStatus") == _UNDECIDED]


def executions(tx: Tx) -> list[Execution]:
    """The newest ones of all pipelines, newest first."""
    rows = tx.all(
        "SELECT execution, status, started FROM executions ORDER BY started DESC LIMIT ?", _EXECUTIONS_MAX
    )
    return [Execution(*_place(arn), status, started) for arn, status, started in rows]


def steps(tx: Tx, named: str) -> list[str]:
    """The names of the steps of an execution, in the order of its definition; those inside of conditions and
    loops too. It is named as `execution_names` has it.
    """
    rows = tx.all("SELECT execution, definition FROM executions ORDER BY started DESC")
    found = min(rows, key=lambda row: _likeness(named, row[0]), default=None)  # of several, the newest
    if found is None or _likeness(named, found[0]) == len(_MEANT):
        return []
    text = tx.one("SELECT text FROM definitions WHERE digest = ?", found[1])
    return [] if text is None else list(_steps_in(json.loads(text[0]).get("Steps")))


def tokens(tx: Tx) -> list[Token]:
    """Those that wait for an answer, oldest first."""
    rows = tx.all("SELECT token, execution, step FROM tokens WHERE closed IS NULL ORDER BY issued")
    return [Token(token, _place(arn)[0], step) for token, arn, step in rows]


def _names(tx: Tx, kind: str) -> list[str]:
    return sorted(each["name"] for each in _documents(tx, kind))


def _documents(tx: Tx, kind: str) -> Iterator[Any]:
    rows = tx.all("SELECT body FROM documents WHERE kind = ? ORDER BY key", kind)
    return (json.loads(body) for (body,) in rows)


def _likeness(named: str, arn: str) -> int:
    """The number of the first of the ways in which the execution may be meant; their count if in none."""
    place = _place(arn)
    return next((number for number, means in enumerate(_MEANT) if means(named, arn, *place)), len(_MEANT))


_MEANT: Sequence[Callable[[str, str, str, str], bool]] = (
    lambda named, arn, _pipeline, _id: named in (arn, "last"),
    lambda named, _arn, pipeline, id_: named in (id_, f"{pipeline}/{id_}"),
    lambda named, _arn, pipeline, _id: named == pipeline,
    lambda named, _arn, pipeline, id_: id_.startswith(named) or f"{pipeline}/{id_}".startswith(named),
)


def _steps_in(steps: Any) -> Iterator[str]:
    for step in steps if isinstance(steps, list) else ():
        yield step["Name"]
        arguments = step.get("Arguments") or {}
        for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
            yield from _steps_in(arguments.get(branch))


def _place(arn: str) -> tuple[str, str]:
    pipeline, _, id_ = arn.rpartition(":pipeline/")[2].partition("/execution/")
    return pipeline, id_
