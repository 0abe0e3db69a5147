"""The reports of `check` on one or several pipelines, in each format, and where they are written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import click

from passrole.cli.errors import Misuse
from passrole.cli.permissions import report
from passrole.cli.permissions.finding_lines import as_github, as_lines
from passrole.cli.permissions.findings import Finding, finding_json
from passrole.cli.permissions.report import Report
from passrole.cli.permissions.sarif import as_sarif


@dataclass(frozen=True)
class Checked:
    """The reports, and a finding for each file that could not be read; `single` is one file, named alone."""

    reports: Sequence[Report]
    unread: Sequence[Finding] = ()
    single: bool = True

    @property
    def findings(self) -> list[Finding]:
        """Of all files."""
        return [*(each for found in self.reports for each in found.findings), *self.unread]

    @property
    def ok(self) -> bool:
        """Whether no file has an error."""
        return all(each.ok for each in self.reports) and not self.unread


def rendered(checked: Checked, format_: str, *, quiet: bool) -> str:
    """The text of a format; `quiet` leaves everything but the findings out of the one for people."""
    return as_lines(checked.findings) if quiet and format_ == "text" else _FORMATS[format_](checked)


def write(text: str, file: Path | None) -> None:
    """To a file, without colours, or to standard output. Raises Misuse."""
    if file is None:
        if text:
            click.echo(text)
        return
    try:
        file.write_text(f"{click.unstyle(text)}\n" if text else "", encoding="utf-8")
    except OSError as error:
        raise Misuse(f"`{file}` cannot be written: {error.strerror}") from error


def _text(checked: Checked) -> str:
    if checked.single:
        return "\n".join(map(report.as_text, checked.reports))
    parts = [
        f"{click.style(report.printable(each.file), bold=True, underline=True)}\n{report.as_text(each)}\n"
        for each in checked.reports
    ]
    counted = [answer for each in checked.reports for answer in each.counted]
    allowed = sum(answer.allowed for answer in counted)
    bad = sum(not each.ok for each in checked.reports) + len(checked.unread)
    files = len(checked.reports) + len(checked.unread)
    total = f"{allowed} of {len(counted)} allowed in {files} files; {bad or 'none'} of them with errors"
    return "\n".join([*parts, click.style(total, fg="red" if bad else "green", bold=True)])


def _json(checked: Checked) -> str:
    if checked.single:
        return "\n".join(map(report.as_json, checked.reports))
    found = {
        "ok": checked.ok,
        "files": [report.report_json(each) for each in checked.reports],
        "findings": [finding_json(each) for each in checked.unread],
    }
    return json.dumps(found, indent=2)


def _junit(checked: Checked) -> str:
    if checked.single:
        return "\n".join(map(report.as_junit, checked.reports))
    suites = ElementTree.Element("testsuites")
    suites.extend(map(report.junit_suite, checked.reports))
    for each in checked.unread:
        file = report.printable(each.file)
        suite = ElementTree.SubElement(suites, "testsuite", name=file, tests="1", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname=file, name=each.code)
        ElementTree.SubElement(case, "error", message=report.printable(each.message))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


_FORMATS: Final[Mapping[str, Callable[[Checked], str]]] = {
    "text": _text,
    "json": _json,
    "sarif": lambda checked: as_sarif(checked.findings),
    "junit": _junit,
    "github": lambda checked: as_github(checked.findings),
}
