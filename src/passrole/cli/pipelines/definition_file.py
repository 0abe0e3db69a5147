"""A pipeline's definition in a file: read before a server is asked, its problems with their place."""

import json
from collections.abc import Container, Iterator
from pathlib import Path

from passrole import exact_json
from passrole.cli.documents.places import json_offsets, place_at, shown
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
    """Line and column, and the path inside the document where it is JSON."""
    try:
        exact_json.loads(text)
    except json.JSONDecodeError as error:
        return f" line {error.lineno} column {error.colno}"
    if not problem.where:
        return ""
    offsets = {shown(path): offset for path, offset in json_offsets(text).items()}
    place = place_at(text, next(offsets[each] for each in _upwards(problem.where) if each in offsets))
    return f" line {place.line} column {place.column} ({problem.where})"


def _upwards(where: str) -> Iterator[str]:
    """A path, and those around it, up to that of the document: a member that is missing has no place."""
    while where:
        yield where
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    yield where
