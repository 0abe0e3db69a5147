"""The rules of `check` and `policy lint`, from one table: their codes, levels and texts."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal

Severity = Literal["error", "warning", "note"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The most severe first."""


@dataclass(frozen=True)
class Rule:
    """A rule; `level` is its severity where the settings do not change it, `see` AWS's page."""

    code: str
    name: str
    level: Severity
    summary: str
    why: str
    fix: str
    see: str


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by code."""
    file = resources.files("passrole.cli.permissions") / "rules.toml"
    return {code: Rule(code, **each) for code, each in tomllib.loads(file.read_text("utf-8")).items()}


def unknown_code(codes: Iterable[str]) -> str | None:
    """The first that is no rule's code and no beginning of one, such as `PR2`."""
    return next(
        (code for code in codes if not any(each.startswith(code) for each in rules()) or not code), None
    )


def covers(codes: Iterable[str], code: str) -> bool:
    """Whether one of the codes is the rule's, or the beginning of it."""
    return any(code.startswith(each) for each in codes)
