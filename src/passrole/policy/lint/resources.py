"""Rules about resources: unusual spellings of `sagemaker`, short ARNs, several partitions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from passrole.policy.lint.findings import DocumentRule, Element, Finding, StatementRule, listed
from passrole.policy.scope import split_arn
from passrole.policy.syntax import DocumentKind

SPELLINGS: Final = ("sagemaker", "sageMaker", "SageMaker")
"""The spellings in AWS's managed policies; names are compared case-sensitively."""

_ARN_SEGMENTS: Final = 6


def _strange_spellings(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for text in listed(element, "Resource", "NotResource"):
        name = text.split(":", 5)[-1]
        at = name.lower().find("sagemaker")
        found = name[at : at + len("sagemaker")]
        if at != -1 and found not in SPELLINGS:
            known = ", ".join(f"`{each}`" for each in SPELLINGS)
            yield f"`{found}` in `{text}` matches only that letter case; AWS's managed policies use {known}"


def _incomplete(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for text in listed(element, "Resource", "NotResource"):
        segments = split_arn(text)
        if segments[0] == "arn" and len(segments) < _ARN_SEGMENTS:
            yield (
                f"`{text}` lacks {_ARN_SEGMENTS - len(segments)} of an ARN's six parts, which AWS fills with"
                " wildcards and refuses in session policies; write them"
            )


def _several_partitions(
    _document: Element, statements: Sequence[Element], _kind: DocumentKind, code: str
) -> Iterator[Finding]:
    every = (text for element in statements for text in listed(element, "Resource", "NotResource"))
    found = sorted({split_arn(text)[1] for text in every if text.startswith("arn:")} - {"*"})
    if len(found) > 1:
        names = " and ".join(f"`{each}`" for each in found)
        message = f"it has ARNs of {names}; an account is in one partition, and refuses those of others"
        yield Finding("warning", None, None, message, code)


RULES: Final[Mapping[str, StatementRule]] = {
    "PR321": _strange_spellings,
    "PR322": _incomplete,
}
DOCUMENT_RULES: Final[Mapping[str, DocumentRule]] = {"PR323": _several_partitions}
