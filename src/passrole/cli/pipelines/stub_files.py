"""Files of `run --stub`: what a step came to, for steps that are not to run, or cannot on this machine."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from passrole.cli.errors import Misuse
from passrole.cli.options import Assignment, unique_assignments
from passrole.definition import CallbackStep, ConditionStep, LambdaStep, Pipeline
from passrole.engine.stubs import problem_of

Stubs = Mapping[str, Mapping[str, Any]]

_OWN = frozenset({"Properties", "Outputs", "Outcome", "PropertyFiles", "FailureReason"})


def read_files(options: Iterable[Assignment]) -> Stubs:
    """The JSON objects of the files by the names of their steps. Raises Misuse."""
    return {step: _read(file) for step, file in unique_assignments(options, "--stub").items()}


def for_pipeline(files: Stubs, pipeline: Pipeline) -> Stubs:
    """The stubs of the pipeline's steps. Raises Misuse for one that cannot stand for its step.

    A file has a stub's own members (engine/stubs.py), or at once the outputs of a Lambda or Callback step,
    and of other steps the properties.
    """
    stubs = {step: _stub(content, pipeline, step) for step, content in files.items()}
    problem = problem_of(stubs, pipeline)
    if problem is not None:
        raise Misuse(problem)
    return stubs


def _read(file: str) -> Mapping[str, Any]:
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"`{file}` cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise Misuse(f"`{file}` line {error.lineno} column {error.colno}: {error.msg}") from error
    if not isinstance(content, dict):
        raise Misuse(f"`{file}` must be a JSON object: the properties of the step, or its outputs by name")
    return content


def _stub(content: Mapping[str, Any], pipeline: Pipeline, step: str) -> Mapping[str, Any]:
    found = pipeline.find(step)
    if (content and _OWN.issuperset(content)) or isinstance(found, ConditionStep):
        return content
    return {"Outputs" if isinstance(found, LambdaStep | CallbackStep) else "Properties": content}
