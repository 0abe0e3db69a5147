"""A pipeline's definition in a file: read before a server is asked, its problems with their place."""

import json
from collections.abc import Container
from pathlib import Path

from passrole import exact_json
from passrole.cli.errors import Misuse
from passrole.definition import DefinitionError, Pipeline, Problem, parse


def read_pipeline(file: Path, text: str, stubbed: Container[str] = ()) -> Pipeline:
    """The pipeline in the text of a file; steps that are `stubbed` may be of any type.

    Raises Misuse with the place of the first problem.
    """
    try:
        return parse(text, stubbed)
    except DefinitionError as error:
        raise Misuse(f"`{file}`{_place(text, error.problems[0])}: {error.message}") from error


def _place(text: str, problem: Problem) -> str:
    """Line and column of what is no JSON, else the path inside the document."""
    try:
        exact_json.loads(text)
    except json.JSONDecodeError as error:
        return f" line {error.lineno} column {error.colno}"
    return f" at {problem.where}" if problem.where else ""
