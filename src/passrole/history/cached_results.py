"""Which execution ran a step with which arguments last: what steps with caching look for.

A row says where a result is, never what it is: that stands in the journal of its execution, which may be
deleted by then, and the row with it. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html
"""

import hashlib
from collections.abc import Collection as Several
from contextlib import suppress
from dataclasses import dataclass

from passrole.engine import State
from passrole.engine.cache_key import digest_of
from passrole.engine.commands import SearchCache
from passrole.engine.facts import CacheSearched
from passrole.engine.kinds import JOB_TYPES
from passrole.engine.kinds.job import compared
from passrole.engine.scope import Unresolvable
from passrole.history import journal
from passrole.history.journal import UnknownExecution
from passrole.history.state_cache import Folded
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Result:
    """Where a step succeeded: in the execution with this ARN, at the time `at`."""

    execution: str
    step: str
    at: float


_ROWS = Collection("cached-result", Result)


def keep(tx: Tx, execution: str, state: State, step: str, at: float) -> None:
    """A step really ran, and succeeded: others may take its result over. No other type has a result."""
    type_ = JOB_TYPES.get(type(state.steps[step].step))
    if type_ is None:
        return
    with suppress(Unresolvable):
        counted = compared(type_, state, step)
        if counted is not None:
            digest = digest_of(state.steps[step].step.type_, counted)
            _ROWS.put(tx, _key(state, digest), Result(execution, step, at))


def search(
    tx: Tx, state: State, command: SearchCache, at: float, sources: dict[str, Folded]
) -> CacheSearched:
    """The answer to the command: the last result of the same digest in the same pipeline, if it is young
    enough and its execution is still there. `sources` keeps the executions that were read, but for this one,
    which goes on.
    """
    nothing = CacheSearched(at=at, step=command.step, attempt=command.attempt)
    key = _key(state, command.digest)
    found = _ROWS.get(tx, key)
    if found is None or (command.age_seconds is not None and at - found.at > command.age_seconds):
        return nothing
    try:
        folded = sources.get(found.execution) or journal.load(tx, found.execution)
    except UnknownExecution:
        _ROWS.delete(tx, key)
        return nothing
    if state.origin is not None and found.execution != state.origin.execution_arn:
        sources[found.execution] = folded
    source = folded.state.steps.get(found.step)
    if source is None or source.status != "Succeeded":
        return nothing
    return CacheSearched(
        at=at,
        step=command.step,
        attempt=command.attempt,
        source=found.execution,
        metadata=source.metadata,
        properties=source.properties,
    )


def forget(tx: Tx, executions: Several[str]) -> None:
    """These executions (their ARNs) are deleted."""
    for pipeline in {each.partition("/execution/")[0] for each in executions}:
        for key, result in _ROWS.within(tx, _name(pipeline)):
            if result.execution in executions:
                _ROWS.delete(tx, key)


def _key(state: State, digest: str) -> str:
    assert state.origin is not None, "what is in the journal has begun"
    return f"{_name(state.origin.pipeline_arn)}/{digest}"


def _name(pipeline: str) -> str:
    """One part of a key; an ARN is several."""
    return hashlib.sha256(pipeline.encode()).hexdigest()
