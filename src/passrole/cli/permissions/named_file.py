"""`FILE` or `FILE:NAME` on the command line: a file, and one of the things in it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from click import Context, Parameter

STANDARD_INPUT = "-"


class NamedFile(NamedTuple):
    """A file and, where one was given, the name of what is meant in it; `-` is standard input."""

    path: Path
    name: str | None = None

    @property
    def label(self) -> str:
        """The file's name, for messages."""
        return "standard input" if str(self.path) == STANDARD_INPUT else self.path.name


class NamedFileType(click.ParamType[NamedFile]):
    """Parses FILE or FILE:NAME; the file must be there."""

    name = "FILE[:NAME]"

    def convert(self, value: Any, param: "Parameter | None", ctx: "Context | None") -> NamedFile:
        """Raises BadParameter."""
        if isinstance(value, NamedFile):
            return value
        found = named_file(str(value))
        if found is None:
            self.fail(f"File '{value}' does not exist.", param, ctx)
        return found


def named_file(text: str) -> NamedFile | None:
    """The file of a text, up to the first colon behind which the rest is a name; None where there is none."""
    if text == STANDARD_INPUT or _is_file(text):
        return NamedFile(Path(text))
    at = text.find(":")
    while at != -1:
        if _is_file(text[:at]) and text[at + 1 :]:
            return NamedFile(Path(text[:at]), text[at + 1 :])
        at = text.find(":", at + 1)
    return None


def _is_file(text: str) -> bool:
    path = Path(text)
    return path.exists() and not path.is_dir()
