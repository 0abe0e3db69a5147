"""What CreatePipeline refuses in a definition, by the parser that the service has."""

from collections.abc import Iterator

from passrole.definition import DefinitionError, parse
from passrole.needs.advice import Warned
from passrole.needs.document import Definition, RawStep


def refusals(text: str, definition: Definition) -> Iterator[Warned]:
    """The problems of the text of a definition, each with its step.

    Steps of SageMaker's types that passrole does not run are let be: AWS takes them, and PR201 tells of them.
    """
    try:
        parse(text, stubbed=[step.name for step in definition.steps])
    except DefinitionError as error:
        for problem in error.problems:
            at = f" (at {problem.where})" if problem.where else ""
            message = f"CreatePipeline refuses this: {problem.message}{at}"
            yield Warned("PR212", _step_at(problem.where, definition), message)


def _step_at(where: str, definition: Definition) -> str | None:
    """The innermost step that the path leads into."""
    inside = [
        step for step in definition.steps if f"{where}.".startswith((f"{_path(step)}.", f"{_path(step)}["))
    ]
    return max(inside, key=lambda step: len(step.path)).name if inside else None


def _path(step: RawStep) -> str:
    """As the parser writes it."""
    parts = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in step.path)
    return "".join(parts).removeprefix(".")
