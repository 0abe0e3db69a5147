"""A definition's JSON text becomes a Pipeline, or a list of problems.

Knows no account, no role and no resource: a missing function or queue is no problem of the definition (AWS's
own integration tests create pipelines with invented ARNs).

There are three passes, each only if the one before found no problem: the JSON, each object by its schema
(`node.py`), then references between names.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from passrole import exact_json
from passrole.definition import graph, property_files
from passrole.definition import problems as problem
from passrole.definition.experiment import Experiment, Mlflow, read_experiment, read_mlflow
from passrole.definition.expressions import (
    ExperimentRef,
    Expression,
    ItemRef,
    Json,
    JsonGet,
    ParameterRef,
    Reference,
    StepRef,
    references,
)
from passrole.definition.graph import Graph
from passrole.definition.kinds import expressions_in, is_offered, kind_of, read_steps, with_its_body
from passrole.definition.kinds.unsupported import UnsupportedStep
from passrole.definition.loops import Body, bodies_of, clashing_names, gets_of, iteration_of
from passrole.definition.node import Node
from passrole.definition.parameters import Parameter, read_parameters
from passrole.definition.problems import DefinitionError, Problem
from passrole.definition.steps import Step

CHARACTERS_MAX = 1_048_576
DEPTH_MAX = 100

_VERSION = "2020-12-01"
_IGNORED = ("Metadata",)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A valid definition: steps by name in document order, those of a branch after their Condition step."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    graph: Graph
    json_gets: Mapping[str, tuple[JsonGet, ...]]
    """The JsonGets of each step that has any."""
    experiment: Experiment = field(default_factory=dict)
    mlflow: Mlflow = field(default_factory=dict)
    tolerated: tuple[Problem, ...] = ()
    """Problems for which a new definition is refused, and a stored one is not."""
    bodies: Mapping[str, Body] = field(default_factory=dict)
    """The steps inside loops by the names of these: they are no steps of the pipeline."""
    inside: Mapping[str, str] = field(default_factory=dict)
    """The loop of each step in a body."""

    @property
    def all_steps(self) -> Iterator[Step]:
        """The steps, and those inside loops after their own."""
        return (each for step in self.steps.values() for each in with_its_body(step))

    def find(self, name: str) -> Step | None:
        """The step of this name: of the pipeline, inside a loop, or as what an iteration runs it."""
        iteration = iteration_of(name, self.inside)
        inner = iteration.step if iteration else name
        if inner in self.inside:
            return self.bodies[self.inside[inner]].steps[inner]
        return self.steps.get(name)

    def refused(self, stubbed: Container[str] = ()) -> tuple[Problem, ...]:
        """What a new definition is refused for; the types of steps that are `stubbed` do not matter."""
        types = {
            f"{step.where}.Type"
            for step in self.all_steps
            if isinstance(step, UnsupportedStep) and step.name in stubbed
        }
        return tuple(each for each in self.tolerated if each.where not in types)


def parse(text: str, stubbed: Container[str] = ()) -> Pipeline:
    """Parse a new definition; steps that are `stubbed` may be of types that passrole does not run.

    Raises DefinitionError with all its problems.
    """
    pipeline = parse_stored(text)
    _raise_if(pipeline.refused(stubbed))
    return pipeline


def parse_stored(text: str) -> Pipeline:
    """Parse a definition that may have been accepted by an earlier version. Raises DefinitionError."""
    found: list[Problem] = []
    document = load(text)
    root = Node(document, "", found)
    root.choice("Version", (_VERSION,))
    root.allow(*_IGNORED)
    experiment, mlflow = read_experiment(root), read_mlflow(root)
    parameters = read_parameters(root.objects("Parameters", required=False))
    steps = tuple(read_steps(root.objects("Steps")))
    root.close()
    tolerated = tuple(each for each in found if each.tolerated)
    _raise_if(found if len(found) > len(tolerated) else ())
    dangling: list[Problem] = []
    steps = property_files.look_up(steps, dangling)
    by_name = {step.name: step for step in steps}
    more = [
        *_duplicates(each for step in steps for each in with_its_body(step)),
        *clashing_names(steps),
        *dangling,
        *_dangling(by_name, parameters, experiment),
        *_unknown_parameters("PipelineExperimentConfig", experiment, parameters),
        *_unknown_parameters("MlflowConfig", mlflow, parameters),
    ]
    _raise_if([*tolerated, *more] if more else ())
    bodies = bodies_of(steps)
    pipeline = Pipeline(
        parameters,
        by_name,
        graph.build(by_name),
        _json_gets(steps),
        experiment,
        mlflow,
        tolerated,
        bodies,
        {name: loop for loop, body in bodies.items() for name in body.steps},
    )
    cycles = [each.cycle() for each in (pipeline.graph, *(body.graph for body in bodies.values()))]
    found = [problem.cycle(names) for names in cycles if names]
    _raise_if([*tolerated, *found] if found else [])
    return pipeline


def load(text: str) -> dict[str, Json]:
    """Parse the JSON object within the limits of size and depth. Raises DefinitionError."""
    if len(text) > CHARACTERS_MAX:
        raise DefinitionError([problem.too_long(len(text), CHARACTERS_MAX)])
    try:
        document: Json = exact_json.loads(text)
    except orjson.JSONDecodeError as error:
        raise DefinitionError([problem.malformed_json(error.pos, error.msg)]) from None
    if not isinstance(document, dict):
        raise DefinitionError([problem.wrong_type("", "PipelineDefinition", "Object")])
    if _depth(document) > DEPTH_MAX:
        raise DefinitionError([problem.too_deep(DEPTH_MAX)])
    return document


def _json_gets(steps: Iterable[Step]) -> dict[str, tuple[JsonGet, ...]]:
    by_step = {each.name: gets_of(each) for step in steps for each in with_its_body(step)}
    return {name: gets for name, gets in by_step.items() if gets}


def _raise_if(found: Sequence[Problem]) -> None:
    if found:
        raise DefinitionError(found)


def _depth(document: Json) -> int:
    """The nesting depth, without recursion, since this protects later recursive code."""
    level: list[Json] = [document]
    depth = 0
    while level:
        depth += 1
        inner: list[Json] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        level = inner
    return depth


def _duplicates(steps: Iterable[Step]) -> Iterator[Problem]:
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            yield problem.duplicate_name(step.where, "Step name", step.name)
        seen.add(step.name)


def _dangling(
    steps: Mapping[str, Step], parameters: Mapping[str, Parameter], experiment: Experiment
) -> Iterator[Problem]:
    inside = {each.name: step.name for step in steps.values() for each in with_its_body(step)[1:]}
    for outer in steps.values():
        own, *body = with_its_body(outer)
        names = _Names(steps, inside, parameters, experiment)
        yield from names.problems_of(own)
        seen = replace(names, steps={**steps, **{each.name: each for each in body}}, in_body=True)
        for reference in kind_of(outer).references_to_body(outer):
            yield from seen.problems_of_reference(own, reference)
        for each in body:
            yield from seen.problems_of(each)


@dataclass(frozen=True, slots=True)
class _Names:
    """What a step may name; `inside` has the loops of the steps that it may not."""

    steps: Mapping[str, Step]
    inside: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    experiment: Experiment
    in_body: bool = False

    def problems_of(self, step: Step) -> Iterator[Problem]:
        for needed in step.depends_on:
            if needed not in self.steps:
                yield self._unknown(step, needed)
            elif kind_of(self.steps[needed]).ends_execution:
                yield problem.depends_on_fail_step(step.where, step.name, needed)
        for expression in expressions_in(step):
            for reference in references(expression):
                yield from self.problems_of_reference(step, reference)

    def problems_of_reference(self, step: Step, reference: Reference) -> Iterator[Problem]:
        match reference:
            case ParameterRef(name=name) if name not in self.parameters:
                yield problem.no_such_parameter(step.where, name)
            case ExperimentRef(name=name) if name not in self.experiment:
                yield problem.bad_expression(step.where, f"PipelineExperimentConfig.{name}")
            case ItemRef(text=text) if not self.in_body:
                yield problem.bad_expression(step.where, text)
            case StepRef(step=name) if name not in self.steps:
                yield self._unknown(step, name)
            case StepRef(step=name) if kind_of(self.steps[name]).ends_execution:
                yield problem.depends_on_fail_step(step.where, step.name, name)
            case StepRef(step=name, path=path, text=text) if not is_offered(self.steps[name], path):
                yield problem.no_such_output(step.where, step.name, text)

    def _unknown(self, step: Step, named: str) -> Problem:
        if named in self.inside:
            return problem.inside_a_loop(step.where, step.name, named, self.inside[named])
        return problem.no_such_step(step.where, step.name, named)


def _unknown_parameters(
    where: str, members: Mapping[str, Expression], parameters: Mapping[str, Parameter]
) -> Iterator[Problem]:
    for expression in members.values():
        for reference in references(expression):
            if isinstance(reference, ParameterRef) and reference.name not in parameters:
                yield problem.no_such_parameter(where, reference.name)
