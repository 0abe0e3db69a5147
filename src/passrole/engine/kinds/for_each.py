"""ForEach steps: a loop over items, which is over once none of its steps runs or may start.

A step that fails ends neither its loop nor other iterations: the loop fails at its end. AWS documents neither
this nor the contrary, but counts the steps that failed.
"""

from typing import Any, Final

import orjson

from passrole import exact_json
from passrole.definition import ForEachStep
from passrole.definition.expressions import Json, StepRef
from passrole.definition.loops import name_in
from passrole.engine.decision import Draft
from passrole.engine.facts import StepFailed, StepStarted, StepStopped, StepSucceeded
from passrole.engine.kinds.kind import Kind
from passrole.engine.loops import Loop
from passrole.engine.properties import property_of
from passrole.engine.resolve import as_text, resolve
from passrole.engine.scope import Scope, Unresolvable
from passrole.engine.state import State, StepState

STEPS_MAX: Final = 10_000
"""Of all iterations together: ours, as AWS documents a limit for items in the definition alone."""

ITEM_CHARACTERS_MAX: Final = 12_800
"""As IterationContext allows."""


def counts(step: ForEachStep, loop: Loop) -> dict[str, Json]:
    """The numbers in the metadata of a loop."""
    return {
        "InputItemCount": len(loop.items),
        "TotalStepCount": len(loop.items) * len(step.body),
        "SucceededStepCount": loop.succeeded,
        "FailedStepCount": loop.failed,
        "StoppedStepCount": loop.stopped,
    }


def end(draft: Draft, name: str, at: float) -> None:
    """End a loop of which no step runs and none may start."""
    state = draft.state
    loop, progress = state.loops[name], state.steps[name]
    assert isinstance(progress.step, ForEachStep)
    selected, problem = _selected(state, progress.step, loop)
    reason = _why_failed(progress.step, loop) or (None if _was_cut_short(state, name) else problem)
    shown = counts(progress.step, loop)
    if selected is not None:
        shown["Selector"] = selected
    of: dict[str, Any] = {"at": at, "step": name, "attempt": progress.attempt}
    if state.status == "Stopping" or (reason is None and _was_cut_short(state, name)):
        draft.record(StepStopped(**of, metadata={"ForEach": {"Status": "Stopped", **shown}}))
    elif reason is not None:
        draft.record(StepFailed(**of, reason=reason, metadata={"ForEach": {"Status": "Failed", **shown}}))
    else:
        draft.record(StepSucceeded(**of, metadata={"ForEach": {"Status": "Succeeded", **shown}}))


def _start(draft: Draft, step: ForEachStep, attempt: int, scope: Scope) -> None:
    """After a retry, the loop goes on with the items that it had."""
    known = draft.state.loops.get(step.name)
    items = _items(step, scope) if known is None else known.items
    loop = known or Loop(items)
    draft.record(
        StepStarted(
            at=scope.now,
            step=step.name,
            attempt=attempt,
            metadata={"ForEach": counts(step, loop)},
            items=items if known is None else None,
        )
    )


def _items(step: ForEachStep, scope: Scope) -> list[Json]:
    """The items: of a list, or of the JSON text of one. Raises Unresolvable."""
    value = resolve(step.items, scope)
    if isinstance(value, str):
        value = _read(value)
    if not isinstance(value, list):
        raise Unresolvable("The value of IterableItems is not a list, nor the JSON text of one.")
    total = len(value) * len(step.body)
    if total > STEPS_MAX:
        raise Unresolvable(f"The iterations have {total} steps together, the maximum is {STEPS_MAX}.")
    long = next((i for i, item in enumerate(value) if len(as_text(item)) > ITEM_CHARACTERS_MAX), None)
    if long is not None:
        raise Unresolvable(f"Item {long} has more than {ITEM_CHARACTERS_MAX} characters.")
    return value


def _read(text: str) -> Json:
    try:
        found: Json = exact_json.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found


def _was_cut_short(state: State, name: str) -> bool:
    """Whether steps were stopped, or might still have started if the execution went on."""
    return state.loops[name].stopped > 0 or state.next_in(name) is not None


def _why_failed(step: ForEachStep, loop: Loop) -> str | None:
    if loop.failed == 0:
        return None
    total = len(loop.items) * len(step.body)
    return f"ClientError: {loop.failed} of the {total} steps of the iterations failed."


def _selected(state: State, step: ForEachStep, loop: Loop) -> tuple[dict[str, Json] | None, str | None]:
    """The iteration that the selector picks, the first of equal ones; or why there is none."""
    if step.selector is None or not loop.items:
        return None, None
    field = step.selector.field
    values = {index: _number(state, field, index) for index in range(len(loop.items))}
    numbers = {index: value for index, value in values.items() if value is not None}
    if not numbers:
        sentence = f"The selector finds no number at '{field.text.partition('.')[2]}'"
        return None, f"ClientError: {sentence} of any iteration."
    pick = max if step.selector.pick == "MaxBy" else min
    index = pick(numbers, key=numbers.__getitem__)
    return {"StepName": field.step, "Index": index}, None


def _number(state: State, field: StepRef, index: int) -> float | int | None:
    source: StepState | None = state.steps.get(name_in(field.step, index))
    if source is None or source.status != "Succeeded":
        return None
    try:
        value = property_of(field, source)
    except Unresolvable:
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _only_wait(_draft: Draft, _progress: StepState) -> None:
    """What ends is asked of the steps inside."""


FOR_EACH = Kind(start=_start, end=_only_wait)
