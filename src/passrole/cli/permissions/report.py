"""What `check` found, as text, JSON, SARIF or JUnit's XML.

It judges nothing. Text from a definition loses what is not printable, so that it cannot steer a terminal or
break a document.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from xml.etree import ElementTree

import click

from passrole.cli.permissions.step_images import StepImage
from passrole.needs import Answer, Need, RawStep, Unused
from passrole.policy.request import Values

Keys = Mapping[str, Values]

_WHOLE = "the role itself"
_CALLER = "whoever creates and starts the pipeline"
_JOB_ROLE = "the job's own role"
_IMAGES = "how the images of its jobs are run here"
_LABELS: Final = {"allowed": ("allowed", "green"), "maybe": ("maybe", "yellow"), "denied": ("missing", "red")}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Report:
    """`caller_answers` is empty where no caller was given; then `caller_needs` are listed unjudged. The same
    holds for the roles of the jobs. `keys` are the condition keys of every call, `said` what was taken of
    the files of roles.
    """

    file: str
    answers: Sequence[Answer]
    caller_needs: Sequence[Need]
    caller_answers: Sequence[Answer]
    job_needs: Sequence[Need]
    job_answers: Sequence[Answer]
    unknown: Sequence[RawStep]
    unused: Sequence[Unused]
    warnings: Sequence[str]
    images: Sequence[StepImage]
    keys: Keys
    said: Sequence[str] = ()

    @property
    def counted(self) -> list[Answer]:
        """All verdicts except on permissions that only tags need."""
        every = (*self.answers, *self.job_answers, *self.caller_answers)
        return [answer for answer in every if answer.need.when != "if tagged"]

    @property
    def ok(self) -> bool:
        """Whether no permission that is known to be needed is missing."""
        return not any(answer.counts_against for answer in self.counted)


def as_text(report: Report) -> str:
    """Grouped by step; the reason under each refusal, the count last. click drops colours off a terminal."""
    lines: list[str] = []
    heading = None
    for answer in report.answers:
        title = answer.need.step if answer.need.step is not None else _WHOLE
        if title != heading:
            lines += [click.style(printable(title), bold=True)]
            heading = title
        lines += _answer_lines(answer)
    lines += _job_lines(report)
    lines.append(click.style(_CALLER, bold=True))
    for answer in report.caller_answers:
        lines += _answer_lines(answer)
    if not report.caller_answers:
        lines += _need_lines(report.caller_needs)
    lines += _image_lines(report.images)
    lines += [click.style("warning", fg="yellow") + f": {printable(each)}" for each in report.warnings]
    return "\n".join([*lines, _count(report)])


def as_json(report: Report) -> str:
    """One object, see docs/reference/cli.md."""
    judged = [answer_json(answer, report.keys) for answer in report.caller_answers]
    of_jobs = [answer_json(answer, report.keys) for answer in report.job_answers]
    found = {
        "ok": report.ok,
        "needs": [answer_json(answer, report.keys) for answer in report.answers],
        "caller": judged or [_need_json(need, report.keys) for need in report.caller_needs],
        "job_roles": of_jobs or [_need_json(need, report.keys) for need in report.job_needs],
        "unknown": [{"step": step.name, "type": step.type} for step in report.unknown],
        "unused": [asdict(each) for each in report.unused],
        "warnings": list(report.warnings),
        "images": [asdict(each) for each in report.images],
    }
    return json.dumps(found, indent=2)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0: an error for each missing permission, by action, and the warnings; a note for what a run
    can do without, and for what the jobs' own roles need where nobody judged it.
    """
    missing = [answer for answer in report.counted if not answer.allowed]
    results = [
        _sarif_result(
            report,
            answer.need.action,
            "error" if answer.counts_against else "note",
            f"{_subject(answer.need)}: {_why(answer)}",
        )
        for answer in missing
    ]
    if not report.job_answers:
        results += [
            _sarif_result(report, need.action, "note", f"{_subject(need)}: needs {needed(need)}")
            for need in report.job_needs
        ]
    results += [_sarif_result(report, "warning", "warning", each) for each in report.warnings]
    rules = [{"id": id_} for id_ in dict.fromkeys(result["ruleId"] for result in results)]
    run = {"tool": {"driver": {"name": "passrole", "rules": rules}}, "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def as_junit(report: Report) -> str:
    """A test case for each need; what is missing is a failure. Skipped are unknown steps, what a run can do
    without, and what the jobs' own roles need where nobody judged it.
    """
    counted = report.counted
    bearable = [answer for answer in counted if not answer.allowed and not answer.counts_against]
    unjudged = [] if report.job_answers else report.job_needs
    skipped = len(report.unknown) + len(bearable) + len(unjudged)
    suite = ElementTree.Element(
        "testsuite",
        name=printable(report.file),
        tests=str(len(counted) + len(report.unknown) + len(unjudged)),
        failures=str(sum(answer.counts_against for answer in counted)),
        errors="0",
        skipped=str(skipped),
    )
    for answer in counted:
        case = _junit_case(suite, _subject(answer.need), needed(answer.need))
        if not answer.allowed and not answer.counts_against:
            ElementTree.SubElement(case, "skipped", message=printable(f"missing, but {answer.need.optional}"))
        elif not answer.allowed:
            failure = ElementTree.SubElement(case, "failure", message=printable(answer.reason or ""))
            failure.text = printable(_why(answer))
    for need in unjudged:
        case = _junit_case(suite, _subject(need), needed(need))
        ElementTree.SubElement(case, "skipped", message="give the job's own role with --job-role")
    for step in report.unknown:
        case = _junit_case(suite, step.name, f"type {step.type}")
        ElementTree.SubElement(case, "skipped", message="what this type of step needs is not known")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def needed(need: Need) -> str:
    """`action on resource` with its qualifiers; printable."""
    notes = [f"for {value}" for key, value in need.context.items() if key == "iam:PassedToService"]
    if need.is_pattern:
        notes.append("known only at run time")
    if need.when == "if tagged":
        notes.append("only if it is given tags")
    if need.optional is not None:
        notes.append(f"optional: {need.optional}")
    note = f" ({', '.join(notes)})" if notes else ""
    return printable(f"{need.action} on {need.resource}{note}")


def answer_json(answer: Answer, keys: Keys) -> dict[str, Any]:
    """As `needs` in the JSON of `check`, see docs/reference/cli.md."""
    return _need_json(answer.need, keys) | {
        "allowed": answer.allowed,
        "verdict": answer.verdict,
        "layer": answer.decision.layer,
        "reason": answer.reason,
        "near_misses": list(answer.near_misses),
        "grant": answer.grant,
    }


def printable(text: str) -> str:
    """The text with a question mark for each character that could control a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
}


def _job_lines(report: Report) -> Iterator[str]:
    """What the jobs' own roles need, role by role and step by step."""
    heading = None
    answers: Sequence[Answer | None] = report.job_answers or [None] * len(report.job_needs)
    for need, answer in zip(report.job_needs, answers, strict=True):
        title = f"{need.step}: {_JOB_ROLE} {need.role}"
        if title != heading:
            yield click.style(printable(title), bold=True)
            heading = title
        yield from _need_lines([need]) if answer is None else _answer_lines(answer)


def _need_lines(needs: Sequence[Need]) -> list[str]:
    return [f"  needs    {needed(need)}" for need in needs]


def _answer_lines(answer: Answer) -> Iterator[str]:
    label, colour = _LABELS[answer.verdict]
    if not answer.allowed and not answer.need.is_required and answer.need.optional is not None:
        label, colour = "optional", "cyan"
    shown = replace(answer.need, optional=None) if answer.allowed else answer.need
    yield f"  {click.style(f'{label:8}', fg=colour)} {needed(shown)}"
    if not answer.allowed:
        for message in answer.near_misses or (_cause(answer),):
            yield f"           {printable(message)}"


def _image_lines(images: Sequence[StepImage]) -> Iterator[str]:
    """How each job's image is run on this machine."""
    if images:
        yield click.style(_IMAGES, bold=True)
    for each in images:
        yield f"  {printable(each.step)}: {printable(each.image)}"
        yield f"           {printable(each.runs)}"
        if each.difference:
            yield f"           {click.style('differs', fg='yellow')}: {printable(each.difference)}"


def _count(report: Report) -> str:
    counted = report.counted
    allowed = sum(answer.allowed for answer in counted)
    unknown = f"; {len(report.unknown)} of the steps not known" if report.unknown else ""
    text = f"{allowed} of {len(counted)} allowed{unknown}"
    return click.style(text, fg="green" if report.ok else "red", bold=True)


def _cause(answer: Answer) -> str:
    """The part of AWS's message that begins with the cause."""
    return f"because {(answer.reason or '').partition(' because ')[2]}"


def _why(answer: Answer) -> str:
    return "; ".join(answer.near_misses) or answer.reason or ""


def _subject(need: Need) -> str:
    if need.role is not None:
        return f"{need.step}: {_JOB_ROLE}"
    if need.step is not None:
        return need.step
    return _CALLER if need.when in ("deploy", "if tagged") else _WHOLE


def _need_json(need: Need, keys: Keys) -> dict[str, Any]:
    return {
        "step": need.step,
        "action": need.action,
        "resource": need.resource,
        "context": {**keys, **need.context},
        "why": need.why,
        "when": need.when,
        "is_pattern": need.is_pattern,
        "required": need.is_required,
        "optional": need.optional,
        "role": need.role,
        "allowed": None,
        "verdict": None,
        "layer": None,
        "reason": None,
        "near_misses": [],
        "grant": None,
    }


def _sarif_result(report: Report, rule: str, level: str, text: str) -> dict[str, Any]:
    location = {"physicalLocation": {"artifactLocation": {"uri": report.file}}}
    return {"ruleId": rule, "level": level, "message": {"text": printable(text)}, "locations": [location]}


def _junit_case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=printable(classname), name=printable(name))
