"""A state as bytes, a tenth of what its objects take or less; the pipeline is not among them.

For the memory of one process only: `marshal` keeps integers of any size, floats and the order of members, is
several times faster than JSON text and promises nothing to another version of Python.
https://docs.python.org/3/library/marshal.html
"""

import marshal
import zlib
from collections import deque
from dataclasses import fields

from passrole.definition import Pipeline
from passrole.engine import facts
from passrole.engine.facts import ExecutionStarted
from passrole.engine.loops import Loop
from passrole.engine.state import State, StepState

_FASTEST = 1
_STATE_FIELDS = tuple(
    field.name for field in fields(State) if field.name not in ("pipeline", "origin", "steps", "loops")
)


def pack(state: State) -> bytes:
    """The state without its pipeline. Raises ValueError where a value is nested beyond 2,000 levels."""
    origin = None if state.origin is None else facts.to_json(state.origin)
    steps = [(name, step[1:]) for name, step in state.steps.items()]
    values = [getattr(state, name) for name in _STATE_FIELDS]
    plain = [list(value) if isinstance(value, deque) else value for value in values]
    loops = [(name, tuple(loop)) for name, loop in state.loops.items()]
    return zlib.compress(marshal.dumps((origin, steps, loops, plain)), level=_FASTEST)


def unpack(packed: bytes, pipeline: Pipeline) -> State:
    """The state that was packed in this process; `pipeline` is the one that it had."""
    origin, steps, loops, values = marshal.loads(zlib.decompress(packed))  # noqa: S302 (from this process's memory)
    started = None if origin is None else facts.from_json(origin)
    assert started is None or isinstance(started, ExecutionStarted)
    state = State(pipeline, started)
    state.loops = {name: Loop._make(loop) for name, loop in loops}
    state.steps = {name: StepState._make((state.step(name), *rest)) for name, rest in steps}
    for name, value in zip(_STATE_FIELDS, values, strict=True):
        setattr(state, name, deque(value) if isinstance(value, list) else value)
    return state
