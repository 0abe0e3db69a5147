"""What `check` found in one pipeline, as text, JSON or JUnit's XML.

It judges nothing. Text from a definition loses what is not printable, so that it cannot steer a terminal or
break a document.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Final
from xml.etree import ElementTree

import click

from passrole.cli.permissions.findings import Finding, Suppressed, finding_json, suppressed_json
from passrole.cli.permissions.step_images import StepImage
from passrole.needs import Answer, Need, RawStep, Unused, Warned
from passrole.policy.request import Values

Keys = Mapping[str, Values]

_WHOLE = "the role itself"
_CALLER = "whoever creates and starts the pipeline"
_JOB_ROLE = "the job's own role"
_IMAGES = "how the images of its jobs are run here"
_LABELS: Final = {"allowed": ("allowed", "green"), "maybe": ("maybe", "yellow"), "denied": ("missing", "red")}


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
    warnings: Sequence[Warned]
    images: Sequence[StepImage]
    keys: Keys
    said: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    suppressed: Sequence[Suppressed] = ()

    @property
    def counted(self) -> list[Answer]:
        """All verdicts except on permissions that only tags need."""
        every = (*self.answers, *self.job_answers, *self.caller_answers)
        return [answer for answer in every if answer.need.when != "if tagged"]

    @property
    def ok(self) -> bool:
        """Whether no error is found: no permission that is known to be needed is missing."""
        return not any(each.severity == "error" for each in self.findings)

    def finding(self, need: Need) -> Finding | None:
        """The finding about a need, if it is reported."""
        return self._found.get(id(need))

    def ignored(self, need: Need) -> Suppressed | None:
        """The finding about a need, if it is suppressed."""
        return self._suppressed.get(id(need))

    @cached_property
    def _found(self) -> Mapping[int, Finding]:
        return {id(each.need): each for each in self.findings if each.need is not None}

    @cached_property
    def _suppressed(self) -> Mapping[int, Suppressed]:
        return {id(each.finding.need): each for each in self.suppressed if each.finding.need is not None}


def as_text(report: Report) -> str:
    """Grouped by step; the reason under each refusal, the count last. click drops colours off a terminal."""
    lines: list[str] = []
    heading = None
    for answer in report.answers:
        title = answer.need.step if answer.need.step is not None else _WHOLE
        if title != heading:
            lines += [click.style(printable(title), bold=True)]
            heading = title
        lines += _answer_lines(answer, report)
    lines += _job_lines(report)
    lines.append(click.style(_CALLER, bold=True))
    for answer in report.caller_answers:
        lines += _answer_lines(answer, report)
    if not report.caller_answers:
        lines += _need_lines(report.caller_needs)
    lines += _image_lines(report.images)
    lines += _warning_lines(report)
    return "\n".join([*lines, _count(report)])


def as_json(report: Report) -> str:
    """One object, see docs/reference/cli.md."""
    return json.dumps(report_json(report), indent=2)


def report_json(report: Report) -> dict[str, Any]:
    """The object of `as_json`."""
    judged = [answer_json(answer, report.keys) for answer in report.caller_answers]
    of_jobs = [answer_json(answer, report.keys) for answer in report.job_answers]
    return {
        "ok": report.ok,
        "needs": [answer_json(answer, report.keys) for answer in report.answers],
        "caller": judged or [_need_json(need, report.keys) for need in report.caller_needs],
        "job_roles": of_jobs or [_need_json(need, report.keys) for need in report.job_needs],
        "unknown": [{"step": step.name, "type": step.type} for step in report.unknown],
        "unused": [asdict(each) for each in report.unused],
        "warnings": [each.message for each in report.warnings],
        "images": [asdict(each) for each in report.images],
        "file": report.file,
        "role": list(report.said),
        "findings": [finding_json(each) for each in report.findings],
        "suppressed": [suppressed_json(each) for each in report.suppressed],
    }


def as_junit(report: Report) -> str:
    """The test suite of `junit_suite` as a document."""
    suite = junit_suite(report)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def junit_suite(report: Report) -> ElementTree.Element:
    """A test case for each need; what is missing is a failure. Skipped are unknown steps, what is suppressed,
    what a run can do without, and what the jobs' own roles need where nobody judged it.
    """
    suite = ElementTree.Element("testsuite", name=printable(report.file))
    for answer in report.counted:
        case = _junit_case(suite, subject_of_need(answer.need), needed(answer.need))
        found, ignored = report.finding(answer.need), report.ignored(answer.need)
        if found is not None and found.severity == "error":
            failure = ElementTree.SubElement(case, "failure", message=printable(answer.reason or ""))
            failure.text = printable(f"{why(answer)} ({found.code}, {found.where})")
        elif not answer.allowed:
            reason = f"{ignored.by}: {ignored.reason}" if ignored else answer.need.optional
            ElementTree.SubElement(case, "skipped", message=printable(f"missing, but {reason}"))
    for need in [] if report.job_answers else report.job_needs:
        case = _junit_case(suite, subject_of_need(need), needed(need))
        ElementTree.SubElement(case, "skipped", message="give the job's own role with --job-role")
    for step in report.unknown:
        case = _junit_case(suite, step.name, f"type {step.type}")
        ElementTree.SubElement(case, "skipped", message="what this type of step needs is not known")
    counts = {"tests": len(suite), "failures": len(suite.findall("testcase/failure")), "errors": 0}
    counts["skipped"] = len(suite.findall("testcase/skipped"))
    for name, count in counts.items():
        suite.set(name, str(count))
    return suite


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


def why(answer: Answer) -> str:
    """The nearest misses, else AWS's message."""
    return "; ".join(answer.near_misses) or answer.reason or ""


def subject_of_need(need: Need) -> str:
    """The step, or whose permission it is."""
    if need.role is not None:
        return f"{need.step}: {_JOB_ROLE}"
    if need.step is not None:
        return need.step
    return _CALLER if need.when in ("deploy", "if tagged") else _WHOLE


def printable(text: str) -> str:
    """The text with a question mark for each character that could control a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _job_lines(report: Report) -> Iterator[str]:
    """What the jobs' own roles need, role by role and step by step."""
    heading = None
    answers: Sequence[Answer | None] = report.job_answers or [None] * len(report.job_needs)
    for need, answer in zip(report.job_needs, answers, strict=True):
        title = f"{need.step}: {_JOB_ROLE} {need.role}"
        if title != heading:
            yield click.style(printable(title), bold=True)
            heading = title
        yield from _need_lines([need]) if answer is None else _answer_lines(answer, report)


def _need_lines(needs: Sequence[Need]) -> list[str]:
    return [f"  needs    {needed(need)}" for need in needs]


def _answer_lines(answer: Answer, report: Report) -> Iterator[str]:
    label, colour = _LABELS[answer.verdict]
    found, ignored = report.finding(answer.need), report.ignored(answer.need)
    if not answer.allowed and not answer.need.is_required and answer.need.optional is not None:
        label, colour = "optional", "cyan"
    elif ignored is not None:
        label, colour = "ignored", "cyan"
    shown = replace(answer.need, optional=None) if answer.allowed else answer.need
    yield f"  {click.style(f'{label:8}', fg=colour)} {needed(shown)}"
    if not answer.allowed:
        for message in answer.near_misses or (_cause(answer),):
            yield f"           {printable(message)}"
    if found is not None:
        yield f"           {found.code} {printable(found.where)} {printable(found.path)}".rstrip()
    elif ignored is not None:
        yield f"           {ignored.finding.code} {printable(f'{ignored.by}: {ignored.reason}')}"


def _warning_lines(report: Report) -> Iterator[str]:
    """The warnings that are reported, and marks without a reason."""
    for each in report.findings:
        if each.need is None:
            label = click.style(each.severity, fg="red" if each.severity == "error" else "yellow")
            yield f"{label}: {printable(each.message)} ({each.code} {printable(each.where)})"


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


def _junit_case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=printable(classname), name=printable(name))
