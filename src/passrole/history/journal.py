"""The journal: what happened to each execution, and the state that it folds to.

Knows no rules and no commands. A row is one decision: an input fact with everything that followed
from it, so that what was decided together is read together.

**The cache is a hint.** Folded states are remembered, but one is used only where the journal's row
at its `seq` is, byte for byte, the row that it was folded from; reading that row also brings whatever
another process has appended since. So nobody has to tell the cache of a transaction that failed, of
a commit that was lost or of a database that was opened anew: its state finds no row and is dropped.
"""

from collections.abc import Sequence
from dataclasses import replace

from passrole import exact_json
from passrole.engine import State, begin, facts, fold
from passrole.engine.facts import (
    CallbackAnswered,
    CallbackSent,
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    Fact,
    JobSubmitted,
    ParallelismChanged,
    StopRequested,
)
from passrole.history import definitions
from passrole.history.definitions import Definition
from passrole.history.state_cache import Folded, StateCache
from passrole.store import Tx


class UnknownExecution(Exception):
    """No execution has this ARN."""


_states = StateCache()


def load(tx: Tx, execution: str) -> Folded:
    """The execution as of the journal's last row. Raises UnknownExecution."""
    remembered = _states.get(tx, execution)
    if remembered is not None:
        rows = _rows(tx, execution, remembered.seq)
        if rows and rows[0] == remembered.row:
            return _further(remembered, rows[1:])
    folded = _from_the_start(tx, execution)
    _states.put_read(execution, folded)
    return folded


def outline(tx: Tx, execution: str) -> Folded:
    """The execution without its steps: its start, status, end and limit, for lists of many.

    What is remembered is used; else only the facts of the whole are read, not those of each step. Raises
    UnknownExecution.
    """
    if _states.get(tx, execution) is not None:
        return load(tx, execution)
    before, last = _unwritten_of(tx, execution), _last_row(tx, execution)
    if last is None:
        return before
    rows = tx.all(_OF_THE_WHOLE, execution, *(f'"{kind.__name__}"'.encode() for kind in _WHOLE))
    happened = [facts.from_json(document) for (row,) in rows for document in exact_json.loads(row)]
    seq, row = last
    return replace(
        before,
        state=fold(before.state, [fact for fact in happened if isinstance(fact, _WHOLE)]),
        seq=seq,
        row=row,
        modified=exact_json.loads(row)[-1]["at"],
    )


def unwritten(definition: Definition, role: str) -> Folded:
    """An execution that has not begun."""
    state = begin(definition.pipeline)
    return Folded(state, role, definition, seq=0, row=b"", modified=0.0, journal_bytes=0)


def append(tx: Tx, execution: str, before: Folded, happened: Sequence[Fact], state: State) -> Folded | None:
    """Write the next row and remember its `state`; None where another process wrote that row first."""
    row = exact_json.dumps([facts.to_json(fact) for fact in happened])
    seq = before.seq + 1
    sql = "INSERT INTO journal (execution, seq, facts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    if tx.run(sql, execution, seq, row) == 0:
        return None
    length = before.journal_bytes + len(row)
    after = Folded(state, before.role, before.definition, seq, row, happened[-1].at, length)
    _states.put(execution, after, rests=_rests(happened, state))
    return after


def last(tx: Tx, execution: str) -> tuple[int, float] | None:
    """The number of the execution's last row, and when that was written."""
    row = _last_row(tx, execution)
    return (row[0], exact_json.loads(row[1])[-1]["at"]) if row else None


def source(tx: Tx, execution: str) -> str | None:
    """The ARN of the execution from which this one took the steps that were not selected."""
    sql = "SELECT facts FROM journal WHERE execution = ? AND seq = 1 AND instr(facts, ?) > 0"
    row = tx.one(sql, execution, b'"source":"arn:')
    return exact_json.loads(row[0])[0].get("source") if row else None


def answers(tx: Tx, execution: str) -> list[CallbackAnswered]:
    """The answers to the execution's callbacks, in their order."""
    sql = "SELECT facts FROM journal WHERE execution = ? AND instr(facts, ?) > 0 ORDER BY seq"
    rows = tx.all(sql, execution, b'"CallbackAnswered"')
    happened = (facts.from_json(exact_json.loads(row[0])[0]) for row in rows)
    return [fact for fact in happened if isinstance(fact, CallbackAnswered)]


def _rests(happened: Sequence[Fact], state: State) -> bool:
    """Whether the one step that runs has just been handed to the outside, and may be there for days."""
    return state.slots_taken == 1 and isinstance(happened[0], CallbackSent | JobSubmitted)


def _rows(tx: Tx, execution: str, first: int) -> list[bytes]:
    sql = "SELECT facts FROM journal WHERE execution = ? AND seq >= ? ORDER BY seq"
    return [row[0] for row in tx.all(sql, execution, first)]


def _last_row(tx: Tx, execution: str) -> tuple[int, bytes] | None:
    row = tx.one("SELECT seq, facts FROM journal WHERE execution = ? ORDER BY seq DESC LIMIT 1", execution)
    return (row[0], row[1]) if row else None


def _from_the_start(tx: Tx, execution: str) -> Folded:
    return _further(_unwritten_of(tx, execution), _rows(tx, execution, 1))


def _unwritten_of(tx: Tx, execution: str) -> Folded:
    found = tx.one("SELECT definition, role FROM executions WHERE execution = ?", execution)
    if found is None:
        raise UnknownExecution(execution)
    digest, role = found
    return unwritten(definitions.find(tx, digest), role)


_WHOLE = (ExecutionStarted, ParallelismChanged, StopRequested, ExecutionRetried, ExecutionEnded)
"""Facts about an execution, and none of its steps."""

_OF_THE_WHOLE = (
    "SELECT facts FROM journal WHERE execution = ?"  # noqa: S608 (a constant)
    f" AND ({' OR '.join(['instr(facts, ?) > 0'] * len(_WHOLE))}) ORDER BY seq"
)


def _further(before: Folded, rows: Sequence[bytes]) -> Folded:
    if not rows:
        return before
    happened = [facts.from_json(document) for row in rows for document in exact_json.loads(row)]
    return Folded(
        state=fold(before.state, happened),
        role=before.role,
        definition=before.definition,
        seq=before.seq + len(rows),
        row=rows[-1],
        modified=happened[-1].at,
        journal_bytes=before.journal_bytes + sum(map(len, rows)),
    )
