"""What is wrong with a policy, and what is suspicious in it: AWS's refusals, and warnings for people.

It decides nothing about requests. A refusal has AWS's words; a warning is about a document that AWS takes,
and that does not do what its author will have meant. Only statements that can be read are warned of.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Final, Literal

from passrole.policy.conditions import Many, read_operator
from passrole.policy.context_keys import context_keys
from passrole.policy.matching import action_matcher
from passrole.policy.scope import split_arn
from passrole.policy.syntax import Kind, MalformedPolicyDocument, check, read_json, statements, texts

Level = Literal["error", "warning"]
Element = Mapping[str, object]

SPELLINGS: Final = ("sagemaker", "sageMaker", "SageMaker")
"""Those that AWS's managed policies know; names are compared letter by letter."""

_VARIABLES_SINCE: Final = "2012-10-17"
_PASSING: Final = "iam:passrole"
_PASSED_TO: Final = "iam:passedtoservice"
# Keys that every request of a signed caller carries.
_ALWAYS_THERE: Final = frozenset(
    {
        *("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid"),
        *("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:requestedregion"),
        *("aws:principalisawsservice", "aws:viaawsservice"),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect. `statement` is its index from 0, None for the document as a whole; `message` for people."""

    level: Level
    statement: int | None
    sid: str | None
    message: str


def lint(document: str, kind: Kind = "identity") -> list[Finding]:
    """Every finding in the text of a document: first what AWS refuses, else the warnings by statement."""
    try:
        elements = read_json(document, kind)
    except MalformedPolicyDocument as error:
        return [Finding("error", None, None, f"{error.message}{_where(document)}")]
    refused = list(_refused(elements, kind))
    return refused or list(_warnings(elements, kind))


@cache
def known_actions() -> Mapping[str, frozenset[str]]:
    """The actions of each service known here, by its lower-case prefix: what the reference listed in 2026-10.

    https://docs.aws.amazon.com/service-authorization/latest/reference/
    """
    file = resources.files("passrole.policy") / "data" / "actions.json"
    return {service: frozenset(actions) for service, actions in json.loads(file.read_text("utf-8")).items()}


def _where(document: str) -> str:
    """Where the JSON breaks off, which AWS does not tell."""
    try:
        json.loads(document)
    except json.JSONDecodeError as error:
        return f" (line {error.lineno}, column {error.colno}: {error.msg})"
    except (ValueError, RecursionError):
        return ""
    return " (the document is no JSON object)"


def _refused(document: Element, kind: Kind) -> Iterator[Finding]:
    """AWS names the first defect alone; here each statement's first, or the document's where none has any."""
    try:
        check(document, kind)
    except MalformedPolicyDocument as error:
        whole = error.message
    else:
        return
    found = False
    for index, element in enumerate(statements(document)):
        try:
            check({"Version": _VARIABLES_SINCE, "Statement": [element]}, kind)
        except MalformedPolicyDocument as error:
            found = True
            yield Finding("error", index, _sid(element), error.message)
    if not found:
        yield Finding("error", None, None, whole)


def _warnings(document: Element, kind: Kind) -> Iterator[Finding]:
    if document.get("Version") != _VARIABLES_SINCE and any(_variables(document)):
        yield Finding(
            "warning",
            None,
            None,
            f'without "Version": "{_VARIABLES_SINCE}" a policy variable is plain text and matches nothing',
        )
    for index, element in enumerate(statements(document)):
        for find in _WARNINGS:
            for message in find(element, kind):
                yield Finding("warning", index, _sid(element), message)


def _variables(document: Element) -> Iterator[str]:
    """The variables that the document would have in the newer version."""
    resources = [
        {name: element[name] for name in ("Resource", "NotResource") if name in element}
        for element in statements(document)
    ]
    for keys in context_keys({"Version": _VARIABLES_SINCE, "Statement": resources}):
        yield from keys


def _sid(element: Element) -> str | None:
    sid = element.get("Sid")
    return sid if isinstance(sid, str) and sid else None


def _allows_the_rest(element: Element, _kind: Kind) -> Iterator[str]:
    if element.get("Effect") != "Allow":
        return
    for name, rest in (("NotResource", "every resource"), ("NotAction", "every action")):
        if name in element:
            yield f"an Allow with {name} allows {rest} but those listed, also what comes to be later"


def _passes_any_role(element: Element, kind: Kind) -> Iterator[str]:
    if kind != "identity" or element.get("Effect") != "Allow" or "NotAction" in element:
        return
    covers = any(action_matcher(text)(_PASSING) for text in _texts(element, "Action"))
    conditions = element.get("Condition")
    keys = [key.lower() for block in _blocks(conditions) for key in block]
    if covers and _PASSED_TO not in keys and any(map(_is_every_role, _texts(element, "Resource"))):
        yield (
            "it allows iam:PassRole of every role to every service; name the roles, or add the condition "
            "iam:PassedToService"
        )


def _is_every_role(resource: str) -> bool:
    segments = split_arn(resource)
    return resource == "*" or (segments[2:3] in (["iam"], ["*"]) and segments[-1] in ("*", "role/*"))


def _strange_actions(element: Element, _kind: Kind) -> Iterator[str]:
    for text in (*_texts(element, "Action"), *_texts(element, "NotAction")):
        service, _, name = text.partition(":")
        actions = known_actions().get(service.lower())
        if actions is None or any(map(action_matcher(name), map(str.lower, actions))):
            continue
        lowered = {action.lower(): action for action in actions}
        near = get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
        advice = f"; did you mean `{service}:{lowered[near[0]]}`?" if near else ""
        yield f"there is no action `{text}`{advice}"


def _strange_spellings(element: Element, _kind: Kind) -> Iterator[str]:
    for text in (*_texts(element, "Resource"), *_texts(element, "NotResource")):
        name = text.split(":", 5)[-1]
        at = name.lower().find("sagemaker")
        found = name[at : at + len("sagemaker")]
        if at != -1 and found not in SPELLINGS:
            listed = ", ".join(f"`{each}`" for each in SPELLINGS)
            yield f"`{found}` in `{text}` fits that letter case alone; AWS's managed policies know {listed}"


def _denies_that_lapse(element: Element, _kind: Kind) -> Iterator[str]:
    """A Deny whose condition does not hold where the request has no such key denies nothing there."""
    conditions = element.get("Condition")
    if element.get("Effect") != "Deny" or not isinstance(conditions, Mapping):
        return
    present = _ALWAYS_THERE | (
        {_PASSED_TO} if [each.lower() for each in _texts(element, "Action")] == [_PASSING] else set()
    )
    for written, keys in conditions.items():
        use = read_operator(str(written))
        if use is None or use.operator is None or use.if_exists or use.many is Many.ALL:
            continue
        if use.operator.negated and use.many is None:
            continue
        for key in keys if isinstance(keys, Mapping) else ():
            if str(key).lower() not in present:
                yield (
                    f"the Deny does not hold for requests without `{key}`; "
                    f"where they must be denied too, use {written}IfExists"
                )


def _blocks(conditions: object) -> Iterator[Mapping[str, object]]:
    if isinstance(conditions, Mapping):
        yield from (block for block in conditions.values() if isinstance(block, Mapping))


def _texts(element: Element, name: str) -> list[str]:
    return (texts(element[name]) or []) if name in element else []


_WARNINGS: Final[tuple[Callable[[Element, Kind], Iterator[str]], ...]] = (
    _allows_the_rest,
    _passes_any_role,
    _strange_actions,
    _strange_spellings,
    _denies_that_lapse,
)
