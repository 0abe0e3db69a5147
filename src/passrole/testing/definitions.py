"""The forms in which tests give a pipeline's definition."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

NAME = "pipeline"
"""The name of a pipeline whose definition gives none."""


class SdkPipeline(Protocol):
    """A Pipeline of the SageMaker SDK."""

    name: Any

    def definition(self) -> str:
        """The JSON text."""


Definition: TypeAlias = str | Path | Mapping[str, Any] | SdkPipeline


class Read(NamedTuple):
    """A definition's text, and the name of its pipeline."""

    name: str
    text: str


def read(definition: Definition, name: str | None = None) -> Read:
    """The text of a definition, and the `name` or one that the definition suggests."""
    if isinstance(definition, Mapping):
        return Read(name or NAME, json.dumps(definition))
    if isinstance(definition, str) and definition.lstrip().startswith("{"):
        return Read(name or NAME, definition)
    if isinstance(definition, str | Path):
        path = Path(definition)
        return Read(name or _of_file(path), path.read_text(encoding="utf-8"))
    return Read(name or str(definition.name), definition.definition())


def _of_file(path: Path) -> str:
    return (
        "".join(each if each.isascii() and each.isalnum() else "-" for each in path.stem).strip("-") or NAME
    )
