"""How far the iterations of a loop are, and which of its steps may start next.

Knows no rules of an execution: what a step inside a loop waits for is inside the same iteration. Cheap by
construction: an iteration that has not begun is a number, and to start or end a step touches its iteration
alone. A step is started in an iteration that has begun before another one begins.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from passrole.definition import Trigger
from passrole.definition.expressions import Json
from passrole.definition.loops import Body, Iteration, name_in
from passrole.engine.facts import StepStatus

LETTING: Mapping[Trigger, tuple[StepStatus, ...]] = {
    Trigger.COMPLETED: ("Succeeded",),
    Trigger.FAILED: ("Failed",),
    Trigger.STOPPED: ("Stopped",),
    Trigger.ANY: ("Succeeded", "Failed", "Stopped"),
}
"""The ends of a step that let those go on which wait for it."""


class Ended(Protocol):
    """A step that has started."""

    @property
    def status(self) -> StepStatus: ...


class Loop(NamedTuple):
    """A loop that has started. The iterations below `begun` have begun, or have nothing to do; `ready` are
    their steps that may start. The others are counted by what became of them.
    """

    items: Sequence[Json]
    begun: int = 0
    ready: tuple[str, ...] = ()
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    stopped: int = 0
    is_open: bool = True

    def again(self) -> "Loop":
        """The loop before a retry: what succeeded is kept, of every iteration."""
        return Loop(self.items, succeeded=self.succeeded, is_open=False)


def next_step(body: Body, loop: Loop, steps: Mapping[str, Ended]) -> str | None:
    """The step that may start next; None where none is, or enough of them run."""
    if not loop.is_open or loop.running >= body.loop.concurrency:
        return None
    if loop.ready:
        return loop.ready[0]
    unbegun = range(loop.begun, len(loop.items))
    return next((name for index in unbegun for name in _startable(body, index, steps)), None)


def with_started(body: Body, loop: Loop, iteration: Iteration, steps: Mapping[str, Ended]) -> Loop:
    """The loop after the start of a step, which is not among the `steps` yet."""
    name, index = iteration.name, iteration.index
    if index < loop.begun:
        ready = tuple(each for each in loop.ready if each != name)
        return loop._replace(ready=ready, running=loop.running + 1)
    others = (each for each in _startable(body, index, steps) if each != name)
    return loop._replace(begun=index + 1, ready=(*loop.ready, *others), running=loop.running + 1)


def with_ended(body: Body, loop: Loop, iteration: Iteration, steps: Mapping[str, Ended]) -> Loop:
    """The loop after the end of a step."""
    status = steps[iteration.name].status
    freed = tuple(
        name_in(each, iteration.index)
        for each in body.graph.dependents[iteration.step]
        if _may_start(body, each, iteration.index, steps)
    )
    return loop._replace(
        ready=loop.ready + freed,
        running=loop.running - 1,
        succeeded=loop.succeeded + (status == "Succeeded"),
        failed=loop.failed + (status == "Failed"),
        stopped=loop.stopped + (status == "Stopped"),
    )


def _startable(body: Body, index: int, steps: Mapping[str, Ended]) -> Iterator[str]:
    return (name_in(each, index) for each in body.steps if _may_start(body, each, index, steps))


def _may_start(body: Body, step: str, index: int, steps: Mapping[str, Ended]) -> bool:
    if name_in(step, index) in steps:
        return False
    for needed in body.graph.dependencies[step]:
        ended = steps.get(name_in(needed, index))
        if ended is None or ended.status not in LETTING[body.graph.trigger(step, needed)]:
            return False
    return True
