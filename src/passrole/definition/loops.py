"""The bodies of loops, and the steps that their iterations are: `<step>-<index>`, of the step with its item.

A step of an iteration is a step like any other: what its template says of the item and of its neighbours in
the body is put in, so that nothing that runs it knows of loops.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import orjson

from passrole import exact_json
from passrole.definition import problems as problem
from passrole.definition.expressions import (
    Constant,
    ItemRef,
    Json,
    JsonGet,
    StepRef,
    json_gets,
    references,
    rewritten,
)
from passrole.definition.graph import Graph, of_body
from passrole.definition.kinds import expressions_in, with_its_body
from passrole.definition.kinds.for_each import ForEachStep
from passrole.definition.problems import Problem
from passrole.definition.steps import Step

_ABSENT: Any = object()
_UNCHANGED = ("name", "where", "display_name", "description", "depends_on")


@dataclass(frozen=True, slots=True)
class Iteration:
    """Where a step of an iteration is from: the names of the loop and of the step in its body."""

    loop: str
    step: str
    index: int

    @property
    def name(self) -> str:
        """The name of the step in the execution."""
        return name_in(self.step, self.index)


@dataclass(frozen=True)
class Body:
    """The steps inside a loop, and what they wait for among themselves."""

    loop: ForEachStep
    steps: Mapping[str, Step]
    graph: Graph

    def step(self, name: str, index: int, item: Json) -> Step:
        """The step that an iteration runs, with its item put in."""
        template = self.steps[name]
        own: Step = replace(template, name=name_in(name, index))
        if not any(_is_of_an_iteration(part, self.steps) for part in _all_references(template)):
            return own
        put_in = _putting_in(item, index, self.steps)
        changed = [each.name for each in fields(template) if each.name not in _UNCHANGED]
        return replace(own, **{each: rewritten(getattr(template, each), put_in) for each in changed})


def name_in(step: str, index: int) -> str:
    """What a step of a body is called in an iteration."""
    return f"{step}-{index}"


def bodies_of(steps: Iterable[Step]) -> dict[str, Body]:
    """The bodies by the names of their loops."""
    loops = [step for step in steps if isinstance(step, ForEachStep)]
    return {
        loop.name: Body(loop, {each.name: each for each in loop.body}, of_body(loop.body)) for loop in loops
    }


def iteration_of(name: str, inside: Mapping[str, str]) -> Iteration | None:
    """Where a step of this name is from, if it is one of an iteration; `inside` has the loops of the steps of
    bodies.
    """
    step, dash, index = name.rpartition("-")
    if not dash or step not in inside or not index.isdecimal() or name_in(step, int(index)) != name:
        return None
    return Iteration(inside[step], step, int(index))


def gets_of(step: Step) -> tuple[JsonGet, ...]:
    """The JsonGets of a step itself."""
    return tuple(get for expression in expressions_in(step) for get in json_gets(expression))


def clashing_names(steps: Sequence[Step]) -> Iterator[Problem]:
    """Steps with the name that a step has in an iteration."""
    inside = {each.name: loop.name for loop in steps for each in with_its_body(loop)[1:]}
    for step in chain.from_iterable(map(with_its_body, steps)):
        iteration = iteration_of(step.name, inside)
        if iteration is not None:
            yield problem.name_of_an_iteration(step.where, step.name, iteration.step)


def _all_references(step: Step) -> Iterator[object]:
    for expression in expressions_in(step):
        yield from references(expression)


def _is_of_an_iteration(part: object, body: Mapping[str, Step]) -> bool:
    return isinstance(part, ItemRef) or (isinstance(part, StepRef) and part.step in body)


def _putting_in(item: Json, index: int, body: Mapping[str, Step]) -> Callable[[object], object | None]:
    def put_in(part: object) -> object | None:
        if isinstance(part, ItemRef):
            value = _value(item, part.path)
            return part if value is _ABSENT else Constant(value)
        if isinstance(part, StepRef) and part.step in body:
            return replace(part, step=name_in(part.step, index))
        return None

    return put_in


def _value(item: Json, path: Sequence[str | int]) -> Any:
    """What the path leads to; an item may be the JSON text of an object."""
    found: Any = item
    if path and isinstance(item, str):
        try:
            found = exact_json.loads(item)
        except orjson.JSONDecodeError:
            return _ABSENT
    for part in path:
        if isinstance(found, list) and isinstance(part, int):
            found = found[part] if part < len(found) else _ABSENT
        else:
            found = found.get(part, _ABSENT) if isinstance(found, dict) else _ABSENT
    return found
