"""Why a step took an earlier result over, or ran: what the journals say about its search for one.

Changes nothing. It asks again what `cached_results` was asked then, of executions whose journals are still
there, because a search leaves no trace but its answer. A miss does not say why: the arguments may differ, the
result may have been too old.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from passrole.engine import StepState
from passrole.engine.cache_key import COMPARED, Difference, differences
from passrole.engine.kinds import JOB_TYPES
from passrole.engine.kinds.job import compared
from passrole.engine.scope import Unresolvable
from passrole.engine.state import State
from passrole.history import executions, journal
from passrole.history.executions import Page
from passrole.history.journal import UnknownExecution
from passrole.store import Tx

EXECUTIONS_MAX = 100
"""How many executions before the step's own are read, the newest first."""

STEPS_MAX = 2_000
"""After how many steps of these executions no further one is read."""

Reason: TypeAlias = Literal[
    "hit",
    "off",
    "never cached",
    "taken by selection",
    "not searched yet",
    "arguments unresolved",
    "differs",
    "too old",
    "did not succeed",
    "no earlier run",
    "not kept",
]


@dataclass(frozen=True)
class Search:
    """What a step looked for, at the time `at`, and the `reason` where the step itself has the answer.

    `counted` is what counts of its arguments. `source` is the ARN of the execution that its result is from.
    """

    execution: str
    pipeline: str
    step: str
    type_: str
    at: float
    expire_seconds: float | None = None
    counted: Mapping[str, Any] | None = None
    reason: Reason | None = None
    source: str | None = None


@dataclass(frozen=True)
class Earlier:
    """A step of the same type that was over at the time of the search; `counted` of one that succeeded."""

    execution: str
    step: str
    ended: float
    counted: Mapping[str, Any] | None


@dataclass(frozen=True)
class CacheExplanation:
    """Why, and the result that it is about: the one taken over, the one too old, or the one that differs."""

    reason: Reason
    about: Earlier | None = None
    differences: Sequence[Difference] = ()


def search_of(tx: Tx, execution: str, step: str) -> Search | None:
    """What the step of the execution (its ARN) looked for; None while it has not begun.

    Raises UnknownExecution.
    """
    state = journal.load(tx, execution).state
    progress = state.steps.get(step)
    if progress is None:
        return None
    assert state.origin is not None, "what is in the journal has begun"
    type_ = progress.step.type_
    bare = Search(execution, state.origin.pipeline_arn, step, type_, progress.started_at)
    if progress.source:
        return replace(bare, reason="taken by selection", source=progress.source)
    if type_ not in COMPARED:
        return replace(bare, reason="never cached")
    cache = getattr(progress.step, "cache", None)
    if cache is None or not cache.enabled:
        return replace(bare, reason="off")
    if progress.status == "Starting":
        return replace(bare, reason="not searched yet")
    counted = _counted(state, progress)
    if counted is None:
        return replace(bare, reason="arguments unresolved")
    reason: Reason | None = "hit" if progress.cached_from else None
    limit = cache.expire_seconds
    return replace(bare, expire_seconds=limit, counted=counted, reason=reason, source=progress.cached_from)


def executions_before(tx: Tx, search: Search) -> list[str]:
    """The ARNs of executions in which the step could have found its result, newest first."""
    page = executions.page(tx, search.pipeline, Page(EXECUTIONS_MAX, created_before=search.at))
    return [each.arn for each in page]


def steps_before(tx: Tx, search: Search, execution: str) -> list[Earlier]:
    """The steps of one of these executions that ran and were over; nothing of one that is deleted by now."""
    try:
        state = journal.load(tx, execution).state
    except UnknownExecution:
        return []
    return list(_ran(state, search, execution))


def source_of(tx: Tx, search: Search) -> Earlier | None:
    """The step whose result was taken over, if its execution is still there."""
    assert search.source is not None, "a result is from somewhere"
    return max(_equal(search, steps_before(tx, search, search.source)), key=_ended, default=None)


def explained(search: Search, found: Sequence[Earlier]) -> CacheExplanation:
    """Why nothing was taken over of what was there."""
    results = [each for each in found if each.counted is not None]
    same = max(_equal(search, results), key=_ended, default=None)
    if same is not None:
        limit = search.expire_seconds
        is_old = limit is not None and search.at - same.ended > limit
        return CacheExplanation("too old" if is_old else "not kept", same)
    nearest = _nearest(search, results)
    if nearest is not None:
        return CacheExplanation("differs", nearest, tuple(differences(search.counted, nearest.counted)))
    failed = max((each for each in found if each.step == search.step), key=_ended, default=None)
    return CacheExplanation("did not succeed" if failed else "no earlier run", failed)


def has_equal(search: Search, found: Sequence[Earlier]) -> bool:
    """Whether a result with the same arguments is among these: nothing older matters then."""
    return any(True for _ in _equal(search, found))


def _ran(state: State, search: Search, execution: str) -> Iterator[Earlier]:
    for name, progress in state.steps.items():
        ended = progress.ended_at
        is_own = execution == search.execution and name == search.step
        if is_own or progress.step.type_ != search.type_ or ended is None or ended > search.at:
            continue
        if progress.cached_from is None and progress.source is None:
            counted = _counted(state, progress) if progress.status == "Succeeded" else None
            yield Earlier(execution, name, ended, counted)


def _counted(state: State, progress: StepState) -> Mapping[str, Any] | None:
    try:
        return compared(JOB_TYPES[type(progress.step)], state, progress.step.name)
    except Unresolvable:
        return None


def _equal(search: Search, found: Sequence[Earlier]) -> Iterator[Earlier]:
    for each in found:
        if each.counted is not None and next(differences(search.counted, each.counted), None) is None:
            yield each


def _nearest(search: Search, results: Sequence[Earlier]) -> Earlier | None:
    """The last result of the same step; else, of a step that was called something else, the most similar."""
    named = [each for each in results if each.step == search.step]
    if named:
        return max(named, key=_ended)
    return min(
        results,
        key=lambda each: (len(list(differences(search.counted, each.counted))), -each.ended),
        default=None,
    )


def _ended(each: Earlier) -> float:
    return each.ended
