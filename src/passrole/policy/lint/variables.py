"""Rules about policy variables: where they are not allowed, and their syntax.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from passrole.policy.context_keys import context_keys
from passrole.policy.lint.findings import (
    DocumentRule,
    Element,
    Finding,
    StatementRule,
    condition_keys,
    listed,
)
from passrole.policy.lint.global_keys import MULTIVALUED_KEYS
from passrole.policy.syntax import VERSION, DocumentKind

_ESCAPES: Final = frozenset("*?$")
_ARN_COLONS: Final = 5


def _needs_the_newer_version(
    document: Element, statements: Sequence[Element], _kind: DocumentKind, code: str
) -> Iterator[Finding]:
    if document.get("Version") == VERSION:
        return
    resources = [
        {name: element[name] for name in ("Resource", "NotResource") if name in element}
        for element in statements
    ]
    if any(context_keys({"Version": VERSION, "Statement": resources})):
        message = f'without "Version": "{VERSION}" a policy variable is plain text and matches nothing'
        yield Finding("warning", None, None, message, code)


def _broken(element: Element, _kind: DocumentKind) -> Iterator[str]:
    texts = [
        *listed(element, "Resource", "NotResource"),
        *(v for entry in condition_keys(element) for v in entry.values),
    ]
    for text in texts:
        at = text.find("${")
        while at != -1:
            close = text.find("}", at)
            if close == -1:
                yield f"`${{` in `{text}` has no closing brace and is plain text; close it, or write `${{$}}`"
                break
            problem = _problem(text[at + 2 : close])
            if problem:
                yield f"`{text[at : close + 1]}` in `{text}` {problem}"
            at = text.find("${", close)


def _problem(inside: str) -> str | None:
    """The problem with the text between the braces, or None."""
    if inside in _ESCAPES and inside:
        return None
    key, comma, default = inside.partition(",")
    default = default.strip()
    if not key.strip():
        return "names no key and never has a value; name one"
    if " " in key.strip() or "${" in key:
        return "is no condition key and never has a value; a key has no spaces"
    if comma and not (len(default) >= 2 and default[0] == default[-1] == "'"):
        return "has a default without quotes, which does not count; write it as `, 'default'`"
    if key.strip().lower() in MULTIVALUED_KEYS:
        return "has many values and so none here; use it as a key of a condition"
    return None


def _before_the_name(element: Element, _kind: DocumentKind) -> Iterator[str]:
    """A variable is allowed in the name of a resource, not in the segments before it."""
    for text in listed(element, "Resource", "NotResource"):
        head = text.partition("${")[0]
        if head != text and head.count(":") < _ARN_COLONS and text.startswith("arn:"):
            yield (
                f"`{text}` has a variable before the fifth colon, where AWS documents none; write the"
                " value, or use a condition key"
            )


DOCUMENT_RULES: Final[Mapping[str, DocumentRule]] = {"PR341": _needs_the_newer_version}
RULES: Final[Mapping[str, StatementRule]] = {
    "PR342": _broken,
    "PR343": _before_the_name,
}
