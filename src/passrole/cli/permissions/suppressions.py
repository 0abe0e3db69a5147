"""Findings that people suppress, each with a reason: in the file itself, or in pyproject.toml.

In a program or YAML a comment does it, on the line of the finding or alone on the line above:
`# passrole: ignore[PR101] the queue is renamed in March`, and `ignore-file` for the whole file. JSON has no
comments: there the Description of a step does, and for the whole definition any text in its Metadata; AWS
accepts and ignores both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePath
from typing import Any, Final

from passrole.cli.documents import Place
from passrole.cli.permissions.findings import Finding, Suppressed, finding
from passrole.cli.permissions.rules import covers
from passrole.cli.permissions.source_root import relative

_MARK: Final = re.compile(
    r"passrole:\s*ignore(?P<file>-file)?\[(?P<codes>[A-Z0-9,\s]+)\][ \t:]*(?P<reason>[^\n]*)"
)
_COMMENT: Final = "#"


@dataclass(frozen=True)
class Suppression:
    """What a mark says. It is for a line, for a step, or with neither for the whole file."""

    codes: tuple[str, ...]
    reason: str
    place: Place
    line: int | None = None
    step: str | None = None

    def covers(self, found: Finding) -> bool:
        """Whether the mark is for the finding."""
        if not covers(self.codes, found.code):
            return False
        if self.line is not None:
            return found.place.line == self.line
        return self.step is None or found.subject == self.step


def in_comments(text: str) -> Iterator[Suppression]:
    """The marks in comments of a program or of YAML."""
    for number, line in enumerate(text.splitlines(), 1):
        at = line.find(_COMMENT)
        for mark in _MARK.finditer(line, at) if at != -1 else ():
            alone = not line[:at].strip()
            target = None if mark["file"] else number + alone
            yield Suppression(_codes(mark), mark["reason"].strip(), Place(number, at + 1), target)


def in_texts(value: Any, place: Place, step: str | None) -> Iterator[Suppression]:
    """The marks in a text of a definition, or in all texts of a value: of a step, or of the whole."""
    if isinstance(value, str):
        for mark in _MARK.finditer(value):
            of_step = None if mark["file"] else step
            yield Suppression(_codes(mark), mark["reason"].strip(), place, step=of_step)
    elif isinstance(value, dict):
        for each in value.values():
            yield from in_texts(each, place, step)


def without_reason(file: str, marks: Sequence[Suppression]) -> Iterator[Finding]:
    """A finding for each mark that gives no reason."""
    for mark in marks:
        if not mark.reason:
            codes = ", ".join(mark.codes)
            message = f"{codes} is ignored without a reason; write it behind the bracket"
            yield finding("PR002", message, file, place=mark.place, key=codes, subject=mark.step or "")


def suppress(
    found: Sequence[Finding], marks: Sequence[Suppression], by_file: Mapping[str, Mapping[str, str]]
) -> tuple[list[Finding], list[Suppressed]]:
    """The findings that stay, and those that are suppressed; `by_file` has reasons by pattern and code."""
    kept: list[Finding] = []
    gone: list[Suppressed] = []
    for each in found:
        mark = next((mark for mark in marks if mark.covers(each)), None)
        if mark is not None:
            gone.append(Suppressed(each, f"line {mark.place.line}", mark.reason))
            continue
        reason = _reason(each, by_file)
        if reason is not None:
            gone.append(Suppressed(each, "pyproject.toml", reason))
        else:
            kept.append(each)
    return kept, gone


def _codes(mark: re.Match[str]) -> tuple[str, ...]:
    return tuple(code for each in mark["codes"].split(",") if (code := each.strip()))


def _reason(found: Finding, by_file: Mapping[str, Mapping[str, str]]) -> str | None:
    file = relative(found.file) if by_file else ""
    for pattern, reasons in by_file.items():
        fits, _, subject = pattern.partition("#")
        if not (fnmatch(file, fits) or fnmatch(PurePath(file).name, fits)) or subject not in (
            "",
            found.subject,
        ):
            continue
        for code, reason in reasons.items():
            if covers([code], found.code):
                return reason
    return None
