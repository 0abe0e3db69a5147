"""Checks policy documents against IAM's grammar, with AWS's messages.

It compiles nothing. Each check takes a statement and returns AWS's message or None; the checks of a kind of
document are in one tuple, in the order in which AWS reports the first error of any statement.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

CreatePolicy and PutRolePolicy (identity) report nearly every error as a syntax error; CreateRole (trust) and
the services with resource-based policies name the field.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from passrole.policy.condition_syntax import has_dates_only, has_good_tag_keys, is_condition
from passrole.policy.elements import Statement, statements, texts
from passrole.policy.principal_syntax import (
    foreign_principal,
    no_allow_by_exception,
    no_exception,
    required_principal,
)
from passrole.policy.resource_syntax import LEGACY, OWN_PARTITION, foreign, malformed, unparsable

DocumentKind = Literal["identity", "managed", "session", "resource", "trust"]
"""`identity` is an inline policy, a boundary or an SCP; managed and session policies have stricter rules."""

Check = Callable[[Statement], str | None]

VERSION: Final = "2012-10-17"
VERSIONS: Final = frozenset({"2008-10-17", VERSION})
_ARN_COLONS: Final = 5

_SYNTAX: Final = "Syntax errors in policy."
_DUPLICATE_SID: Final = "Statement IDs (SID) in a single policy must be unique."
_SID: Final = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression"
    " [0-9A-Za-z]*"
)
_VERSION: Final = "Policy document must be version 2012-10-17 or greater."
_PRINCIPAL_KIND: Final[frozenset[DocumentKind]] = frozenset({"resource", "trust"})
_NOT_JSON: Final = "This policy contains invalid Json"
_NO_STATEMENT: Final = "Could not parse the policy: Statement is empty!"

_DOCUMENT_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS: Final = frozenset(
    [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ]
)
_ALPHANUMERIC: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_VENDOR_LETTERS: Final = _ALPHANUMERIC | frozenset("-.")


class MalformedPolicyDocument(Exception):
    """The document is not a policy of its kind; `message` is AWS's text for MalformedPolicyDocument."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def read_json(text: str, kind: DocumentKind) -> Statement:
    """Parse a document. Raises MalformedPolicyDocument, also if a key occurs twice in an object."""
    refusal = MalformedPolicyDocument(_NOT_JSON if kind in _PRINCIPAL_KIND else _SYNTAX)
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise refusal from error
    if not isinstance(document, dict):
        raise refusal
    return document


def check(document: Statement, kind: DocumentKind, partitions: frozenset[str] = OWN_PARTITION) -> None:
    """Raises MalformedPolicyDocument for the first error, with AWS's message for this kind of document.

    `partitions` are those allowed in the ARNs of resources and principals.
    """
    if not document.keys() <= _DOCUMENT_ELEMENTS or not _is_version(document.get("Version")):
        raise MalformedPolicyDocument(_SYNTAX)
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicyDocument(_SYNTAX)
    listed = statements(document)
    if not listed:
        raise MalformedPolicyDocument(_NO_STATEMENT if kind in _PRINCIPAL_KIND else _SYNTAX)
    _refuse_first(listed, _CHECKS)
    if kind == "managed" and document.get("Version") != VERSION:
        raise MalformedPolicyDocument(_VERSION)
    _refuse_first(listed, _LEGACY_CHECKS[kind])
    sids = [sid for statement in listed if (sid := statement.get("Sid"))]
    if len(sids) != len(set(sids)):
        raise MalformedPolicyDocument(_DUPLICATE_SID)
    _refuse_first(listed, _CHECKS_BY_KIND[kind])
    find = foreign_principal if kind in _PRINCIPAL_KIND else _foreign_resource
    _refuse_first(listed, [lambda statement: find(statement, partitions)])


def _refuse_first(listed: Sequence[Statement], checks: Sequence[Check]) -> None:
    for find_problem in checks:
        for statement in listed:
            problem = find_problem(statement)
            if problem is not None:
                raise MalformedPolicyDocument(problem)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"`{name}` is not JSON")


def _is_version(version: object) -> bool:
    return version is None or (isinstance(version, str) and version in VERSIONS)


def _elements(statement: Statement) -> str | None:
    known = statement.keys() <= _STATEMENT_ELEMENTS
    return None if known and isinstance(statement.get("Sid", ""), str) else _SYNTAX


def _effect(statement: Statement) -> str | None:
    return None if statement.get("Effect") in ("Allow", "Deny") else _SYNTAX


def _not_both(statement: Statement) -> str | None:
    pairs = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
    return _SYNTAX if any(a in statement and b in statement for a, b in pairs) else None


def _lists(statement: Statement) -> str | None:
    names = ("Action", "NotAction", "Resource", "NotResource")
    broken = any(name in statement and texts(statement[name]) is None for name in names)
    return _SYNTAX if broken else None


def _condition(statement: Statement) -> str | None:
    good = is_condition(statement.get("Condition", {}))
    return None if good and has_good_tag_keys(statement.get("Condition", {})) else _SYNTAX


def _dates(statement: Statement) -> str | None:
    return None if has_dates_only(statement.get("Condition", {})) else LEGACY


def _legacy_resources(statement: Statement) -> str | None:
    return LEGACY if any(map(unparsable, _listed(statement, "Resource"))) else None


def _complete_resources(statement: Statement) -> str | None:
    """Session policies "do not support incomplete ARNs".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    listed = [text for text in _listed(statement, "Resource") if text != "*"]
    return LEGACY if any(text.count(":") < _ARN_COLONS for text in listed) else None


def _sid(statement: Statement) -> str | None:
    return None if _ALPHANUMERIC.issuperset(str(statement.get("Sid", ""))) else _SID


def _no_principal(statement: Statement) -> str | None:
    present = "Principal" in statement or "NotPrincipal" in statement
    return "Policy document should not specify a principal." if present else None


def _actions(statement: Statement) -> str | None:
    if not _listed(statement, "Action"):
        return "Policy statement must contain actions."
    return next((problem for action in _listed(statement, "Action") if (problem := _action(action))), None)


def _action(action: str) -> str | None:
    if action == "*":
        return None
    vendor, colon, name = action.partition(":")
    if not colon:
        return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    if not vendor or not _VENDOR_LETTERS.issuperset(vendor):
        return f"Vendor {vendor} is not valid"
    return "Actions/Condition can contain only one colon." if ":" in name else None


def _resources(statement: Statement) -> str | None:
    if not _listed(statement, "Resource"):
        return "Policy statement must contain resources."
    problems = map(malformed, _listed(statement, "Resource"))
    return next((problem for problem in problems if problem is not None), None)


def _foreign_resource(statement: Statement, partitions: frozenset[str]) -> str | None:
    problems = (foreign(text, partitions) for text in _listed(statement, "Resource"))
    return next((problem for problem in problems if problem is not None), None)


def _listed(statement: Statement, element: str) -> list[str]:
    """The texts of `element` or of its negation (`NotAction` of `Action`)."""
    return texts(statement.get(element, statement.get(f"Not{element}", []))) or []


def _no_resource(statement: Statement) -> str | None:
    for element in ("Resource", "NotResource"):
        if element in statement:
            return f"Has prohibited field {element}"
    return None


def _required_action(statement: Statement) -> str | None:
    return None if _listed(statement, "Action") else "Missing required field Action"


def _only_sts_actions(statement: Statement) -> str | None:
    # Observed: `*` is refused like any action outside sts.
    allowed = all(action.lower().startswith("sts:") for action in _listed(statement, "Action"))
    return None if allowed else "AssumeRole policy may only specify STS AssumeRole actions."


def _required_resource(statement: Statement) -> str | None:
    return None if _listed(statement, "Resource") else "Missing required field Resource"


_CHECKS: Final[tuple[Check, ...]] = (_elements, _effect, _not_both, _lists, _condition)
_LEGACY_CHECKS: Final[Mapping[DocumentKind, tuple[Check, ...]]] = {
    "identity": (_dates, _legacy_resources, _sid),
    "managed": (_dates, _legacy_resources, _sid),
    "session": (_dates, _legacy_resources, _sid),
    # Queues, buckets and functions allow hyphens, spaces and more in a Sid.
    "resource": (_dates,),
    "trust": (_dates, _sid),
}
_IDENTITY: Final[tuple[Check, ...]] = (_no_principal, _actions, _resources)
_CHECKS_BY_KIND: Final[Mapping[DocumentKind, tuple[Check, ...]]] = {
    "identity": _IDENTITY,
    "managed": _IDENTITY,
    "session": (*_IDENTITY, _complete_resources),
    # The resource's own service decides which ARNs and short names it accepts, so they are not checked here.
    "resource": (
        no_allow_by_exception,
        required_principal,
        _required_action,
        _actions,
        _required_resource,
    ),
    "trust": (
        no_allow_by_exception,
        no_exception,
        _no_resource,
        required_principal,
        _required_action,
        _actions,
        _only_sts_actions,
    ),
}
