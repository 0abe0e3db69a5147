"""A file's text, or standard input's, as a document in JSON or YAML."""

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, Final

from passrole import exact_json
from passrole.cli.documents.places import START, Path, Place, json_offsets, place_at
from passrole.cli.documents.yaml_text import UnreadableYaml, read_yaml
from passrole.cli.errors import Misuse

STANDARD_INPUT: Final = "-"

_BYTES_MAX: Final = 64 * 1024 * 1024  # the authorization details of a large account
_DEPTH_MAX: Final = 200
_YAML_ENDINGS: Final = (".yaml", ".yml")
_JSON_ENDINGS: Final = (".json", ".tfplan", ".template")


class UnreadableDocument(Exception):
    """The text is no document; the message says why and, where it can, at which line and column."""


@dataclass(frozen=True)
class Document:
    """What a text says. `name` is the file's, for messages."""

    name: str
    text: str
    value: Any
    yaml_places: dict[Path, Place] | None = None

    def place(self, path: Path) -> Place:
        """Where the value at a path stands, or the nearest value around it."""
        for length in range(len(path), -1, -1):
            found = self._place(path[:length])
            if found is not None:
                return found
        return START

    def _place(self, path: Path) -> Place | None:
        if self.yaml_places is not None:
            return self.yaml_places.get(path)
        offset = self._offsets.get(path)
        return None if offset is None else place_at(self.text, offset)

    @cached_property
    def _offsets(self) -> dict[Path, int]:
        return json_offsets(self.text)


def read_limited(file: FilePath) -> str:
    """The text of a file, or of standard input for `-`. Raises Misuse."""
    shown = "standard input" if str(file) == STANDARD_INPUT else f"`{file}`"
    try:
        if str(file) == STANDARD_INPUT:
            data = sys.stdin.buffer.read(_BYTES_MAX + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(_BYTES_MAX + 1)
        if len(data) > _BYTES_MAX:
            raise Misuse(
                f"{shown} is larger than {_BYTES_MAX // 1024**2} MiB, which is the most that is read"
            )
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{shown} cannot be read: {error}") from error


def read_document(text: str, name: str) -> Document:
    """The document of a text: YAML by the ending of its file's name, or by its content. Raises
    UnreadableDocument.
    """
    ending = FilePath(name).suffix.lower()
    is_json = ending in _JSON_ENDINGS or (
        ending not in _YAML_ENDINGS and text.lstrip()[:1] in ("{", "[", '"')
    )
    document = _json(text, name) if is_json else _yaml(text, name)
    if exact_json.depth(document.value) > _DEPTH_MAX:
        raise UnreadableDocument(f"it nests deeper than {_DEPTH_MAX} levels")
    return document


def _json(text: str, name: str) -> Document:
    if text.lstrip()[:1] not in ("{", "[", '"', ""):  # a template.json may be YAML as well
        try:
            return _yaml(text, name)
        except UnreadableDocument:
            pass
    try:
        return Document(name, text, json.loads(text, object_pairs_hook=_object))
    except json.JSONDecodeError as error:
        raise UnreadableDocument(
            f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableDocument(str(error)) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for at, key in enumerate(keys) if key in keys[:at])
        raise ValueError(f"the key `{twice}` occurs twice in one object")
    return found


def _yaml(text: str, name: str) -> Document:
    try:
        value, places = read_yaml(text)
    except UnreadableYaml as error:
        raise UnreadableDocument(f"it is not usable YAML: {error}") from error
    return Document(name, text, value, places)
