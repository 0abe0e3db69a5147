"""The findings in a report of `check`: missing permissions and warnings, each with its rule and its place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from passrole.cli.documents.places import START
from passrole.cli.permissions.findings import Finding, finding
from passrole.cli.permissions.pipeline_files import PipelineFile
from passrole.cli.permissions.report import Report, needed, subject_of_need, why
from passrole.cli.permissions.selection import Selection
from passrole.cli.permissions.step_places import StepPlaces
from passrole.cli.permissions.suppressions import Suppression, in_comments, in_texts
from passrole.needs import Answer, Definition, Need
from passrole.policy.trust import ASSUME_ROLE

# By whose role it is, and the verdict (of what is optional: `optional`).
_CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "role": {"denied": "PR101", "maybe": "PR102", "optional": "PR103"},
    "job": {"denied": "PR105", "maybe": "PR106", "optional": "PR107"},
    "caller": {"denied": "PR109", "maybe": "PR109", "optional": "PR103"},
}
_VERDICTS: Final = {"denied": "missing", "maybe": "possibly missing"}


def with_findings(
    report: Report, file: PipelineFile | None, definition: Definition, selection: Selection
) -> Report:
    """The report with the findings that are chosen, and those that are not."""
    places = StepPlaces(file, definition)
    found = list(_findings(report, places))
    kept, gone = selection.of(found, report.file, list(_marks(file, definition, places)))
    return replace(report, findings=kept, suppressed=gone)


def _findings(report: Report, places: StepPlaces) -> Iterator[Finding]:
    for answer in report.counted:
        if not answer.allowed:
            yield _of_answer(answer, report.file, places)
    if not report.job_answers:
        for need in report.job_needs:
            text = f"{subject_of_need(need)}: needs {needed(need)}"
            yield _of_need("PR108", text, need, report.file, places)
    for warned in report.warnings:
        place, path = places.of_step(warned.step)
        yield finding(
            warned.code,
            warned.message,
            report.file,
            place=place,
            path=path,
            subject=warned.step or "",
            key=warned.message,
        )


def _of_answer(answer: Answer, label: str, places: StepPlaces) -> Finding:
    need = answer.need
    whose = "job" if need.role is not None else "caller" if need.when in ("deploy", "if tagged") else "role"
    verdict = answer.verdict if answer.counts_against else "optional"
    code = "PR104" if need.action == ASSUME_ROLE else _CODES[whose][verdict]
    subject = subject_of_need(need)
    text = f"{subject}: {needed(need)} is {_VERDICTS[answer.verdict]}: {why(answer)}"
    return _of_need(code, text, need, label, places)


def _of_need(code: str, text: str, need: Need, label: str, places: StepPlaces) -> Finding:
    place, path = places.of_need(need)
    key = "\0".join((need.role or "", need.action, need.resource))
    return finding(code, text, label, place=place, path=path, subject=need.step or "", key=key, need=need)


def _marks(file: PipelineFile | None, definition: Definition, places: StepPlaces) -> Iterator[Suppression]:
    """The suppressions in the file: comments of a program, and texts of the definition."""
    if file is None:
        return
    if file.program is not None:
        yield from in_comments(file.program)
    yield from in_texts(definition.metadata, START, None)
    for step in definition.steps:
        text = step.members.get("Description")
        if isinstance(text, str) and "passrole" in text:
            yield from in_texts(text, places.of_step(step.name)[0], step.name)
