"""The findings of `policy lint`: in policy documents, and in every policy of a file that has roles."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from passrole.cli.documents import (
    Document,
    Path,
    UnreadableDocument,
    read_document,
    read_limited,
    shown,
)
from passrole.cli.documents.places import place_in
from passrole.cli.errors import Misuse
from passrole.cli.permissions.findings import Finding, finding, finding_json
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.role_files.described import Policy
from passrole.cli.permissions.role_files.forms import UnknownForm, read_role_file
from passrole.cli.permissions.selection import Selection
from passrole.cli.permissions.suppressions import in_comments
from passrole.config import Config
from passrole.needs import Place
from passrole.policy.lint import Finding as Linted
from passrole.policy.lint import lint
from passrole.policy.syntax import DocumentKind

_NEVER_MATCH: Final = "PR313"
_UNKNOWN: Final = "arn:*:unknown:::"


@dataclass(frozen=True)
class LintedFinding:
    """A finding with the statement that it is about; `policy` names one of several in a file."""

    found: Finding
    linted: Linted
    policy: str

    @property
    def json(self) -> dict[str, Any]:
        """See docs/reference/cli.md."""
        about = {"level": self.found.severity, "statement": self.linted.statement, "sid": self.linted.sid}
        return {**about, **finding_json(self.found), "policy": self.policy}


@dataclass(frozen=True)
class _PolicyText:
    name: str
    text: str
    kind: DocumentKind
    document: Document | None
    path: Path


def findings_in(
    given: NamedFile, kind: DocumentKind, config: Config, selection: Selection
) -> list[LintedFinding]:
    """The findings that are chosen, in the order of the policies. Raises Misuse for a file that has none."""
    text = read_limited(given.path)
    label = given.path.as_posix()
    listed: list[LintedFinding] = []
    for policy in _policies(given, text, kind, config):
        listed += [
            _located(label, policy, each)
            for each in lint(policy.text, policy.kind)
            if not (each.code == _NEVER_MATCH and _UNKNOWN in policy.text)  # what is unknown may match
        ]
    marks = list(in_comments(text)) if text.lstrip()[:1] not in ("{", "[") else []
    kept, _gone = selection.of([each.found for each in listed], label, marks)
    by_fingerprint = {each.found.fingerprint: each for each in listed}
    extra = Linted("warning", None, None, "", "PR002")
    return [
        replace(by_fingerprint.get(each.fingerprint, LintedFinding(each, extra, "")), found=each)
        for each in kept
    ]


def _policies(given: NamedFile, text: str, kind: DocumentKind, config: Config) -> Iterator[_PolicyText]:
    """Each policy of the file once. A text that is none of the forms is looked at as a document."""
    try:
        document = read_document(text, given.path.name)
        found = read_role_file(document, Place(config.region, config.account))
    except (UnreadableDocument, UnknownForm) as error:
        if text.lstrip()[:1] not in ("{", ""):
            raise Misuse(f"`{given.path}` is no policy: {error}") from error
        yield _PolicyText("", text, kind, None, ())
        return
    seen: set[Path] = set()
    trusts = [role.trust for role in found.roles if role.trust is not None]
    bounds = [role.boundary for role in found.roles if isinstance(role.boundary, Policy)]
    own = [policy for role in found.roles for policy in role.policies]
    for policy in (*own, *bounds, *found.policies, *trusts):
        named = given.name in (None, policy.name, policy.arn)
        if policy.path not in seen and named and policy.document is not None:
            seen.add(policy.path)
            is_plain = not policy.path and document.yaml_places is None
            content = text if is_plain else json.dumps(policy.document)
            own_kind: DocumentKind = "trust" if policy in trusts else kind
            yield _PolicyText(policy.name, content, own_kind, document, policy.path)


def _located(label: str, policy: _PolicyText, linted: Linted) -> LintedFinding:
    inner: Path = () if linted.statement is None else ("Statement", linted.statement)
    place = place_in(linted.message)
    if policy.document is not None:
        place = policy.document.place((*policy.path, *inner))
    subject = linted.sid or ("" if linted.statement is None else f"statement {linted.statement + 1}")
    found = finding(
        linted.code,
        linted.message,
        label,
        place=place,
        path=shown((*policy.path, *inner)),
        subject=f"{policy.name} {subject}".strip(),
        key=linted.message,
    )
    return LintedFinding(found, linted, policy.name)
