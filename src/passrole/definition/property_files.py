"""Looks up the property file of each JsonGet: the output that it is in, and its path below that.

Only Processing steps declare property files.
https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-propertyfile.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from passrole.definition import problems as problem
from passrole.definition.expressions import (
    PROPERTY_FILES,
    Constant,
    Expression,
    JsonGet,
    StepRef,
    json_gets,
    rewritten,
)
from passrole.definition.kinds import expressions_in, kind_of
from passrole.definition.kinds.processing import ProcessingStep
from passrole.definition.problems import Problem
from passrole.definition.steps import Step

_Place: TypeAlias = tuple[Expression, str]
_NOWHERE: _Place = (Constant(""), "")


def look_up(steps: Iterable[Step], found: list[Problem]) -> tuple[Step, ...]:
    """The steps, with a reference to the output in place of each to a property file.

    What is not declared is appended to `found`; a step that does not exist is left to the check of all
    references.
    """
    steps = tuple(steps)
    by_name = {step.name: step for step in steps}
    return tuple(_with_body(_looked_up(step, by_name, found), by_name, found) for step in steps)


def _with_body(step: Step, steps: Mapping[str, Step], found: list[Problem]) -> Step:
    """Those in its body may read the files of each other too."""
    kind = kind_of(step)
    body = kind.body(step)
    if kind.with_body is None:
        return step
    seen = {**steps, **{each.name: each for each in body}}
    inside: Step = kind.with_body(step, tuple(_looked_up(each, seen, found) for each in body))
    return inside


def _looked_up(step: Step, steps: Mapping[str, Step], found: list[Problem]) -> Step:
    references = [each for each in dict.fromkeys(_references(step)) if each.step in steps]
    places = {each: _place(step, each, steps[each.step], found) for each in references}
    return _replaced(step, places) if places else step


def _references(step: Step) -> Iterator[StepRef]:
    for expression in expressions_in(step):
        for get in json_gets(expression):
            if isinstance(get.s3_uri, StepRef) and get.s3_uri.path[0] == PROPERTY_FILES:
                yield get.s3_uri


def _place(step: Step, reference: StepRef, target: Step, found: list[Problem]) -> _Place:
    """The expression for the output's URI, and the path below it."""
    if not isinstance(target, ProcessingStep):
        found.append(problem.property_file_of_other_type(step.where, step.name, reference.text))
        return _NOWHERE
    name = str(reference.path[1])
    file = next((each for each in target.property_files if each.name == name), None)
    if file is None:
        found.append(problem.no_such_property_file(step.where, step.name, name, target.name))
        return _NOWHERE
    path = ("ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri")
    if not kind_of(target).offers(target, path):
        found.append(problem.no_such_output_of_file(step.where, file.output_name, name, target.name))
        return _NOWHERE
    text = f"Steps.{target.name}.ProcessingOutputConfig.Outputs['{file.output_name}'].S3Output.S3Uri"
    return StepRef(target.name, path, text), file.path


def _replaced(step: Step, places: Mapping[StepRef, _Place]) -> Step:
    """The step with the places."""

    def place(part: object) -> object | None:
        if isinstance(part, JsonGet) and isinstance(part.s3_uri, StepRef) and part.s3_uri in places:
            s3_uri, file = places[part.s3_uri]
            return replace(part, s3_uri=s3_uri, file=file)
        return None

    found: Step = rewritten(step, place)
    return found
