"""Reads elements of a parsed document: its statements, and a string or a list of strings."""

from collections.abc import Mapping

Statement = Mapping[str, object]


def statements(document: Statement) -> list[Statement]:
    """The statements of a document (a list or a single one); empty if any is not an object."""
    element = document.get("Statement")
    listed = element if isinstance(element, list | tuple) else [element]
    objects = [statement for statement in listed if isinstance(statement, Mapping)]
    return objects if len(objects) == len(listed) else []


def texts(value: object) -> list[str] | None:
    """The strings of an element that is a string or a list of strings; None for anything else."""
    listed = value if isinstance(value, list | tuple) else [value]
    found = [text for text in listed if isinstance(text, str)]
    return found if len(found) == len(listed) else None
