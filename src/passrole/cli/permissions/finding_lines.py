"""Findings as lines: for people and editors, and as annotations of GitHub's workflows."""

from collections.abc import Sequence
from typing import Final

import click

from passrole.cli.permissions.findings import Finding
from passrole.cli.permissions.report import printable
from passrole.cli.permissions.rules import rules
from passrole.cli.permissions.source_root import relative

_COLOURS: Final = {"error": "red", "warning": "yellow", "note": "cyan"}
_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def as_lines(findings: Sequence[Finding]) -> str:
    """`file:line:column: CODE message`, a line for each."""
    return "\n".join(f"{printable(each.where)}: {_code(each)} {printable(each.message)}" for each in findings)


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands, from which GitHub makes annotations.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    return "\n".join(map(_annotation, findings))


def _code(found: Finding) -> str:
    return click.style(found.code, fg=_COLOURS[found.severity])


def _annotation(found: Finding) -> str:
    rule = rules()[found.code]
    properties = {
        "file": relative(found.file),
        "line": str(found.place.line),
        "col": str(found.place.column),
        "title": f"{rule.code} {rule.name}",
    }
    listed = ",".join(f"{name}={_escaped(value, ',:')}" for name, value in properties.items())
    return f"::{_COMMANDS[found.severity]} {listed}::{_escaped(printable(found.message))}"


def _escaped(text: str, also: str = "") -> str:
    for letter in "%\r\n" + also:  # the percent sign first
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
