"""`lint`: AWS's errors in a document, or else the warnings of the rules."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from passrole.policy.elements import statements
from passrole.policy.lint import access, actions, conditions, escalation, resources, variables
from passrole.policy.lint.findings import DocumentRule, Element, Finding, StatementRule, sid_of
from passrole.policy.positions import repeated_key
from passrole.policy.resource_syntax import PARTITIONS
from passrole.policy.syntax import VERSION, DocumentKind, MalformedPolicyDocument, check, read_json

MALFORMED: Final = "PR300"
"""The code of what AWS refuses."""


def lint(document: str, kind: DocumentKind = "identity") -> list[Finding]:
    """All findings in the text of a document: AWS's errors, or else warnings by statement."""
    try:
        elements = read_json(document, kind)
    except MalformedPolicyDocument as error:
        return [Finding("error", None, None, f"{error.message}{_where(document)}", MALFORMED)]
    refused = list(_refused(elements, kind))
    return refused or list(_warnings(elements, kind))


def _where(document: str) -> str:
    """The position of an error in the JSON, which AWS does not tell."""
    try:
        json.loads(document)
    except json.JSONDecodeError as error:
        return f" (line {error.lineno}, column {error.colno}: {error.msg})"
    except (ValueError, RecursionError):
        return ""
    repeated = repeated_key(document)
    if repeated is None:
        return " (the document is not a JSON object)"
    key, position = repeated
    return (
        f" (line {position.line}, column {position.column}: the key `{key}` occurs twice in one object, and"
        " parsers differ in which value they use; remove one)"
    )


def _refused(document: Element, kind: DocumentKind) -> Iterator[Finding]:
    """The first error of each statement, or else of the document; AWS reports only the first of all."""
    try:
        check(document, kind, PARTITIONS)
    except MalformedPolicyDocument as error:
        whole = error.message
    else:
        return
    found = False
    for index, element in enumerate(statements(document)):
        try:
            check({"Version": VERSION, "Statement": [element]}, kind, PARTITIONS)
        except MalformedPolicyDocument as error:
            found = True
            yield Finding("error", index, sid_of(element), error.message, MALFORMED)
    if not found:
        yield Finding("error", None, None, whole, MALFORMED)


def _warnings(document: Element, kind: DocumentKind) -> Iterator[Finding]:
    listed = statements(document)
    for code, find in _DOCUMENT_RULES.items():
        yield from find(document, listed, kind, code)
    for index, element in enumerate(listed):
        for code, tell in _STATEMENT_RULES.items():
            for message in tell(element, kind):
                yield Finding("warning", index, sid_of(element), message, code)


_DOCUMENT_RULES: Final[Mapping[str, DocumentRule]] = {
    **variables.DOCUMENT_RULES,
    **resources.DOCUMENT_RULES,
    **escalation.DOCUMENT_RULES,
}
_STATEMENT_RULES: Final[Mapping[str, StatementRule]] = {
    **access.RULES,
    **actions.RULES,
    **resources.RULES,
    **conditions.RULES,
    **variables.RULES,
}

CODES: Final = (MALFORMED, *_DOCUMENT_RULES, *_STATEMENT_RULES)
"""The codes of all findings."""
