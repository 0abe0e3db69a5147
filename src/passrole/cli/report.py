"""What `check` found, as text, JSON, SARIF or JUnit's XML.

It judges nothing. Text from a definition loses what is not printable, so that it cannot steer a terminal or
break a document.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from xml.etree import ElementTree

import click

from passrole.needs import Answer, Need, RawStep, Unused

_WHOLE = "the role itself"
_CALLER = "whoever creates and starts the pipeline"
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Report:
    """`caller_answers` is empty where no caller was given; then `caller_needs` are listed unjudged."""

    file: str
    answers: Sequence[Answer]
    caller_needs: Sequence[Need]
    caller_answers: Sequence[Answer]
    unknown: Sequence[RawStep]
    unused: Sequence[Unused]
    warnings: Sequence[str]

    @property
    def counted(self) -> list[Answer]:
        """Every verdict but on what is asked only if there are tags."""
        every = (*self.answers, *self.caller_answers)
        return [answer for answer in every if answer.need.when != "if tagged"]

    @property
    def ok(self) -> bool:
        """Whether nothing that is known to be needed is missing."""
        return all(answer.allowed for answer in self.counted)


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
    lines.append(click.style(_CALLER, bold=True))
    for answer in report.caller_answers:
        lines += _answer_lines(answer)
    if not report.caller_answers:
        lines += [f"  needs    {needed(need)}" for need in report.caller_needs]
    lines += [click.style("warning", fg="yellow") + f": {printable(each)}" for each in report.warnings]
    return "\n".join([*lines, _count(report)])


def as_json(report: Report) -> str:
    """One object, see docs/reference/cli.md."""
    judged = [answer_json(answer) for answer in report.caller_answers]
    found = {
        "ok": report.ok,
        "needs": [answer_json(answer) for answer in report.answers],
        "caller": judged or [_need_json(need) for need in report.caller_needs],
        "unknown": [{"step": step.name, "type": step.type} for step in report.unknown],
        "unused": [asdict(each) for each in report.unused],
        "warnings": list(report.warnings),
    }
    return json.dumps(found, indent=2)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0: an error for each missing permission, by action, and the warnings."""
    missing = [answer for answer in report.counted if not answer.allowed]
    results = [
        _sarif_result(report, answer.need.action, "error", f"{_subject(answer)}: {_why(answer)}")
        for answer in missing
    ]
    results += [_sarif_result(report, "warning", "warning", each) for each in report.warnings]
    rules = [{"id": id_} for id_ in dict.fromkeys(result["ruleId"] for result in results)]
    run = {"tool": {"driver": {"name": "passrole", "rules": rules}}, "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def as_junit(report: Report) -> str:
    """A test case for each need; what is missing is a failure, and an unknown step is skipped."""
    counted = report.counted
    suite = ElementTree.Element(
        "testsuite",
        name=printable(report.file),
        tests=str(len(counted) + len(report.unknown)),
        failures=str(sum(not answer.allowed for answer in counted)),
        errors="0",
        skipped=str(len(report.unknown)),
    )
    for answer in counted:
        case = _junit_case(suite, _subject(answer), needed(answer.need))
        if not answer.allowed:
            failure = ElementTree.SubElement(case, "failure", message=printable(answer.reason or ""))
            failure.text = printable(_why(answer))
    for step in report.unknown:
        case = _junit_case(suite, step.name, f"type {step.type}")
        ElementTree.SubElement(case, "skipped", message="what this type of step needs is not known")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def needed(need: Need) -> str:
    """`action on resource`, with what is special about it; printable."""
    notes = [f"for {value}" for key, value in need.context.items() if key == "iam:PassedToService"]
    if need.is_pattern:
        notes.append("known only at run time")
    if need.when == "if tagged":
        notes.append("only if it is given tags")
    note = f" ({', '.join(notes)})" if notes else ""
    return printable(f"{need.action} on {need.resource}{note}")


def answer_json(answer: Answer) -> dict[str, Any]:
    """As `needs` in the JSON of `check`, see docs/reference/cli.md."""
    return _need_json(answer.need) | {
        "allowed": answer.allowed,
        "layer": answer.decision.layer,
        "reason": answer.reason,
        "near_misses": list(answer.near_misses),
        "grant": answer.grant,
    }


def printable(text: str) -> str:
    """The text without what could steer a terminal: each such letter is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
}


def _answer_lines(answer: Answer) -> Iterator[str]:
    if answer.allowed:
        yield f"  {click.style('allowed', fg='green')}  {needed(answer.need)}"
        return
    yield f"  {click.style('missing', fg='red')}  {needed(answer.need)}"
    for sentence in answer.near_misses or (_cause(answer),):
        yield f"           {printable(sentence)}"


def _count(report: Report) -> str:
    counted = report.counted
    allowed = sum(answer.allowed for answer in counted)
    unknown = f"; {len(report.unknown)} of the steps not known" if report.unknown else ""
    text = f"{allowed} of {len(counted)} allowed{unknown}"
    return click.style(text, fg="green" if report.ok else "red", bold=True)


def _cause(answer: Answer) -> str:
    """AWS's sentence from its cause on."""
    return f"because {(answer.reason or '').partition(' because ')[2]}"


def _why(answer: Answer) -> str:
    return "; ".join(answer.near_misses) or answer.reason or ""


def _subject(answer: Answer) -> str:
    if answer.need.step is not None:
        return answer.need.step
    return _CALLER if answer.need.when in ("deploy", "if tagged") else _WHOLE


def _need_json(need: Need) -> dict[str, Any]:
    return {
        "step": need.step,
        "action": need.action,
        "resource": need.resource,
        "context": dict(need.context),
        "why": need.why,
        "when": need.when,
        "is_pattern": need.is_pattern,
        "allowed": None,
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
