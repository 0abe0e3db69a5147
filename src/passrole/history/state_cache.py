"""States of executions that go on, remembered in two forms, each within so many bytes.

As many as there is room for are objects. The others, and those that wait for the outside, are packed, which
takes a tenth of the space: to pack and unpack a state of sixty steps costs less than the commit of a fact, to
fold its journal many times as much. One that waits with a short journal is not remembered. Of those that are
over, which nothing but readers asks for, the few that were read last are: a page asks five times for one.

Knows not whether what it remembers is still true: the journal does (journal.py). Sizes of objects are
estimates from the length of the journal, made once for a fact rather than counted.
"""

from dataclasses import dataclass
from typing import NamedTuple

from passrole.engine import State
from passrole.engine.packed_state import pack, unpack
from passrole.history import definitions
from passrole.history.definitions import Definition
from passrole.history.recent import Recent, Shared
from passrole.store import Tx

OBJECTS_BYTES_MAX = 128_000_000
PACKED_BYTES_MAX = 64_000_000
READ_BYTES_MAX = 24_000_000
ADMITTED_EVERY = 8
"""Of states for which an object would have to go, one in so many is admitted and the others are packed. Were
all admitted, executions that take turns would each find that theirs had just gone: a cliff, not a slope.
"""

QUICKLY_FOLDED_BYTES = 8_000
"""Of a journal: an execution that waits with no more costs nothing, and little once it goes on."""

_OBJECTS_OVERHEAD_BYTES, _PACKED_OVERHEAD_BYTES = 8_000, 1_000
_OBJECTS_PER_JOURNAL = 2
_OBJECTS_PER_TEXT = 8


@dataclass(frozen=True, slots=True)
class Folded:
    """An execution as of the journal's row `seq`: `row` is that row, `modified` when it was written.

    `role` is the ARN of the role the execution runs as; `journal_bytes` is the length of all its rows. The
    state is never changed in place.
    """

    state: State
    role: str
    definition: Definition
    seq: int
    row: bytes
    modified: float
    journal_bytes: int


class StateCache:
    """Folded states by the ARN of their execution."""

    def __init__(
        self,
        objects_bytes_max: int = OBJECTS_BYTES_MAX,
        packed_bytes_max: int = PACKED_BYTES_MAX,
        admitted_every: int = ADMITTED_EVERY,
    ) -> None:
        self._objects: Recent[Folded] = Recent(objects_bytes_max)
        self._packed: Recent[_Packed] = Recent(packed_bytes_max)
        self._read: Recent[Folded] = Recent(READ_BYTES_MAX)
        self._admitted_every = admitted_every
        self._without_room = 0

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""
        return self._objects.bytes + self._packed.bytes + self._read.bytes

    def get(self, tx: Tx, execution: str) -> Folded | None:
        """What is remembered of the execution."""
        folded = self._objects.get(execution) or self._read.get(execution)
        if folded is not None:
            return folded
        packed = self._packed.get(execution)
        return None if packed is None else _unpacked(tx, packed)

    def put(self, execution: str, folded: Folded, *, rests: bool = False) -> None:
        """Remember it in place of what was remembered before; if it `rests`, packed or not at all."""
        self._packed.drop(execution)
        self._read.drop(execution)
        if folded.state.is_over:
            self._objects.drop(execution)
            return
        if rests:
            self._objects.drop(execution)
            if folded.journal_bytes > QUICKLY_FOLDED_BYTES:
                self._put_packed(execution, folded)
            return
        size, text = _objects_size(folded), folded.definition
        if not self._objects.has_room_for(execution, size) and not self._is_admitted():
            self._put_packed(execution, folded)
            return
        shared = Shared(text.digest, text.size * _OBJECTS_PER_TEXT)
        for arn, displaced in self._objects.put(execution, folded, size, shared):
            self._put_packed(arn, displaced)

    def put_read(self, execution: str, folded: Folded) -> None:
        """Remember what somebody has just read, if it is over and not too large."""
        size = _objects_size(folded)
        if folded.state.is_over and size <= READ_BYTES_MAX:
            self._read.put(execution, folded, size)

    def drop(self, execution: str) -> None:
        """Forget the execution."""
        self._read.drop(execution)
        self._objects.drop(execution)
        self._packed.drop(execution)

    def _is_admitted(self) -> bool:
        self._without_room += 1
        return self._without_room % self._admitted_every == 0

    def _put_packed(self, execution: str, folded: Folded) -> None:
        try:
            state = pack(folded.state)
        except ValueError:  # nested too deeply: the journal is folded anew
            return
        packed = _Packed(
            state=state,
            digest=folded.definition.digest,
            role=folded.role,
            seq=folded.seq,
            row=folded.row,
            modified=folded.modified,
            journal_bytes=folded.journal_bytes,
        )
        self._packed.put(execution, packed, len(state) + len(folded.row) + _PACKED_OVERHEAD_BYTES)


class _Packed(NamedTuple):
    state: bytes
    digest: str
    role: str
    seq: int
    row: bytes
    modified: float
    journal_bytes: int


def _unpacked(tx: Tx, packed: _Packed) -> Folded:
    text = definitions.find(tx, packed.digest)
    return Folded(
        state=unpack(packed.state, text.pipeline),
        role=packed.role,
        definition=text,
        seq=packed.seq,
        row=packed.row,
        modified=packed.modified,
        journal_bytes=packed.journal_bytes,
    )


def _objects_size(folded: Folded) -> int:
    return _OBJECTS_OVERHEAD_BYTES + len(folded.row) + folded.journal_bytes * _OBJECTS_PER_JOURNAL
