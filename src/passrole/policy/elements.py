"""The elements of a document as JSON holds them: statements, and texts alone or in lists."""

from collections.abc import Mapping

Statement = Mapping[str, object]


def statements(document: Statement) -> list[Statement]:
    """The statements of a document, which may hold a single one without a list; empty if any is no object."""
    element = document.get("Statement")
    listed = element if isinstance(element, list | tuple) else [element]
    objects = [statement for statement in listed if isinstance(statement, Mapping)]
    return objects if len(objects) == len(listed) else []


def texts(value: object) -> list[str] | None:
    """An element that holds one text or a list of them; None where it holds anything else."""
    listed = value if isinstance(value, list | tuple) else [value]
    found = [text for text in listed if isinstance(text, str)]
    return found if len(found) == len(listed) else None
