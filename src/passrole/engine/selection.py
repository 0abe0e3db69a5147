"""Selective execution: which steps run, and which are taken from an earlier execution instead.

Knows no ARNs and no store: it is given the state of the earlier execution, or none. What the selected
steps wait for and is not selected must have succeeded there (developer guide).
"""

from collections.abc import Iterable, Mapping

from passrole.definition import Pipeline
from passrole.definition.loops import iteration_of
from passrole.engine.state import State, StepState


class Unselectable(Exception):
    """The steps cannot run by themselves; the text is for the caller."""


def reused_steps(
    pipeline: Pipeline, selected: Iterable[str], source: State | None
) -> Mapping[str, StepState]:
    """The steps that the selected ones wait for, by name, as they ended in `source`; of a loop, those of its
    iterations too. Raises Unselectable.
    """
    names = list(dict.fromkeys(selected))
    unknown = [name for name in names if name not in pipeline.steps]
    if unknown:
        raise Unselectable(f"Invalid SelectedSteps: the pipeline has no steps {_listed(unknown)}.")
    _check_gaps(pipeline, names)
    needed = _needed(pipeline, names)
    if source is None and needed:
        raise Unselectable(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps {_listed(names)} "
            f"have dependencies on {_listed(needed)}."
        )
    reused = {name: source.steps[name] for name in needed if _succeeded(source, name)} if source else {}
    missing = [name for name in needed if name not in reused]
    if missing:
        raise Unselectable(f"Steps {_listed(missing)} have not succeeded in the source pipeline execution.")
    if source is not None:
        _check_branches(pipeline, names, source)
        reused |= {name: source.steps[name] for name in _iterations(pipeline, reused, source)}
    return reused


def _iterations(pipeline: Pipeline, loops: Iterable[str], source: State) -> list[str]:
    """The steps of the iterations that succeeded, of those of these steps that are loops."""
    found = ((name, iteration_of(name, pipeline.inside)) for name in source.steps) if pipeline.inside else ()
    kept = set(loops) & source.loops.keys()
    return [name for name, each in found if each and each.loop in kept and _succeeded(source, name)]


def _needed(pipeline: Pipeline, selected: list[str]) -> list[str]:
    """What selected steps wait for directly and is not selected, in the order of the definition."""
    dependencies = pipeline.graph.dependencies
    wanted = {each for name in selected for each in dependencies[name]} - set(selected)
    return [name for name in pipeline.steps if name in wanted]


def _check_gaps(pipeline: Pipeline, selected: list[str]) -> None:
    """A step between two selected ones is selected too: the selection is connected (developer guide)."""
    between = (pipeline.graph.downstream(selected) & _upstream(pipeline, selected)) - set(selected)
    if between:
        raise Unselectable(f"Invalid SelectedSteps: {_listed(sorted(between))} lie between selected steps.")


def _upstream(pipeline: Pipeline, names: list[str]) -> set[str]:
    """Everything that one of `names` waits for, directly or not."""
    seen: set[str] = set()
    frontier = list(names)
    while frontier:
        found = set(pipeline.graph.dependencies[frontier.pop()]) - seen
        seen |= found
        frontier += found
    return seen


def _check_branches(pipeline: Pipeline, selected: list[str], source: State) -> None:
    """A step would never start whose condition is taken over and took the other branch."""
    for name in selected:
        branch = pipeline.graph.branches.get(name)
        if branch is None or branch.condition in selected:
            continue
        if source.steps[branch.condition].outcome != branch.outcome:
            raise Unselectable(f"Step {name} is in the branch that {branch.condition} did not take.")


def _succeeded(source: State, name: str) -> bool:
    return name in source.steps and source.steps[name].status == "Succeeded"


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(names)}]"
