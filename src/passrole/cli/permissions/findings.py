"""A finding of `check` or `policy lint`: what is wrong, by which rule, and where."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from passrole.cli.documents import Place
from passrole.cli.documents.places import START
from passrole.cli.permissions.rules import Severity, rules
from passrole.cli.permissions.source_root import relative
from passrole.needs import Need


@dataclass(frozen=True)
class Finding:
    """`path` is the place inside the document, `Steps[2].FunctionArn`; `subject` the step or statement.

    `key` and `subject` tell findings of one rule and file apart, whatever their lines. `need` is the
    permission that is missing, where one is.
    """

    code: str
    message: str
    file: str
    severity: Severity
    place: Place = START
    path: str = ""
    subject: str = ""
    key: str = ""
    need: Need | None = None

    @cached_property
    def fingerprint(self) -> str:
        """The same as long as the finding is, wherever its lines move. Baselines and SARIF have it."""
        parts = (self.code, relative(self.file), self.subject, self.key)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    @property
    def where(self) -> str:
        """`file:line:column`."""
        return f"{self.file}:{self.place.line}:{self.place.column}"


@dataclass(frozen=True)
class Suppressed:
    """A finding that is not reported, who says so, and the reason."""

    finding: Finding
    by: str
    reason: str


def finding(code: str, message: str, file: str, **members: Any) -> Finding:
    """A finding with its rule's level."""
    return Finding(code, message, file, rules()[code].level, **members)


def finding_json(found: Finding) -> dict[str, Any]:
    """As `findings` in JSON, see docs/reference/cli.md."""
    return {
        "code": found.code,
        "name": rules()[found.code].name,
        "severity": found.severity,
        "file": found.file,
        "line": found.place.line,
        "column": found.place.column,
        "path": found.path,
        "subject": found.subject,
        "message": found.message,
        "fingerprint": found.fingerprint,
    }


def suppressed_json(found: Suppressed) -> dict[str, Any]:
    """As `suppressed` in JSON."""
    return {**finding_json(found.finding), "by": found.by, "reason": found.reason}


def fingerprints_in(text: str) -> frozenset[str]:
    """The fingerprints of an earlier report in JSON or SARIF. Raises ValueError where it is neither."""
    value = json.loads(text)
    if not isinstance(value, list) and not {"findings", "files", "runs"} & set(
        value if isinstance(value, dict) else ()
    ):
        raise ValueError("it is no report of `--format json` or `--format sarif`")
    return frozenset(_fingerprints(value))


def _fingerprints(value: Any) -> Iterator[str]:
    children: Iterable[Any] = ()
    if isinstance(value, dict):
        for name in ("fingerprint", "passroleFingerprint"):
            if isinstance(value.get(name), str):
                yield value[name]
        children = value.values()
    elif isinstance(value, list):
        children = value
    for child in children:
        yield from _fingerprints(child)
