"""Is this a policy document? The grammar of policies, refused in AWS's words.

It compiles nothing. Each check takes a statement and returns AWS's sentence or None; the checks of a kind of
document stand in one tuple, in the order in which AWS names the first defect it finds.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

CreatePolicy and PutRolePolicy (identity) word nearly every defect as a syntax error; CreateRole (trust) and
the services that keep resource-based policies name the field.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final, Literal

from passrole.policy.conditions import read_operator
from passrole.policy.principals import is_account_id

Kind = Literal["identity", "resource", "trust"]
Statement = Mapping[str, object]
Check = Callable[[Statement], str | None]

VERSIONS: Final = frozenset({"2008-10-17", "2012-10-17"})

_SYNTAX: Final = "Syntax errors in policy."
_DUPLICATE_SID: Final = "Statement IDs (SID) in a single policy must be unique."
_NOT_JSON: Final[Mapping[Kind, str]] = {
    "identity": _SYNTAX,
    "resource": "This policy contains invalid Json",
    "trust": "This policy contains invalid Json",
}
_NO_STATEMENT: Final[Mapping[Kind, str]] = {
    "identity": _SYNTAX,
    "resource": "Could not parse the policy: Statement is empty!",
    "trust": "Could not parse the policy: Statement is empty!",
}

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
_PRINCIPAL_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_VENDOR_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_UNIQUE_ID_PREFIXES: Final = ("AIDA", "AROA")


class MalformedPolicyDocument(Exception):
    """The document is not a policy of its kind; `message` is AWS's text for MalformedPolicyDocument."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def read_json(text: str, kind: Kind) -> Statement:
    """The document as an object, or MalformedPolicyDocument."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicyDocument(_NOT_JSON[kind]) from error
    if not isinstance(document, dict):
        raise MalformedPolicyDocument(_NOT_JSON[kind])
    return document


def check(document: Statement, kind: Kind) -> None:
    """Raise MalformedPolicyDocument for the first defect, in the words AWS uses for this kind of document."""
    if not document.keys() <= _DOCUMENT_ELEMENTS or not _is_version(document.get("Version")):
        raise MalformedPolicyDocument(_SYNTAX)
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicyDocument(_SYNTAX)
    listed = statements(document)
    if not listed:
        raise MalformedPolicyDocument(_NO_STATEMENT[kind])
    for statement in listed:
        for find_problem in (*_CHECKS, *_CHECKS_BY_KIND[kind]):
            problem = find_problem(statement)
            if problem is not None:
                raise MalformedPolicyDocument(problem)
    sids = [sid for statement in listed if (sid := statement.get("Sid"))]
    if len(sids) != len(set(sids)):
        raise MalformedPolicyDocument(_DUPLICATE_SID)


def statements(document: Statement) -> list[Statement]:
    """The statements of a document, which may hold a single one without a list; empty if any is no object."""
    element = document.get("Statement")
    listed = element if isinstance(element, list | tuple) else [element]
    objects = [statement for statement in listed if isinstance(statement, Mapping)]
    return objects if len(objects) == len(listed) else []


def texts(value: object) -> list[str] | None:
    """An element that holds one text or a list of them; None where it holds anything else."""
    listed = value if isinstance(value, list | tuple) else [value]
    found = [text for text in listed if isinstance(text, str)]
    return found if len(found) == len(listed) else None


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
    block = statement.get("Condition", {})
    if not isinstance(block, Mapping):
        return _SYNTAX
    for operator, keys in block.items():
        if read_operator(operator) is None or not isinstance(keys, Mapping):
            return _SYNTAX
        if not all(_is_scalar_list(values) for values in keys.values()):
            return _SYNTAX
    return None


def _is_scalar_list(values: object) -> bool:
    listed = values if isinstance(values, list | tuple) else [values]
    return all(isinstance(value, str | int | float) for value in listed)


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
    for resource in _listed(statement, "Resource"):
        if resource != "*" and not resource.startswith("arn:"):
            return f'Resource {resource} must be in ARN format or "*".'
    return None


def _listed(statement: Statement, element: str) -> list[str]:
    """What `element` or its Not- twin lists."""
    return texts(statement.get(element, statement.get(f"Not{element}", []))) or []


def _required_principal(statement: Statement) -> str | None:
    element = statement.get("Principal", statement.get("NotPrincipal"))
    if element is None:
        return "Missing required field Principal"
    if element in ("", [], {}):
        return "Missing required field Principal cannot be empty!"
    return _principal(element)


def _principal(element: object) -> str | None:
    if element == "*":
        return None
    if not isinstance(element, Mapping) or not element.keys() <= _PRINCIPAL_KINDS:
        return "Invalid principal in policy"
    for kind, value in element.items():
        names = texts(value)
        if names is None:
            return "Invalid principal in policy"
        for name in names:
            if kind == "AWS" and not _is_aws_principal(name):
                return f'Invalid principal in policy: "AWS":"{name}"'
    return None


def _is_aws_principal(name: str) -> bool:
    if name == "*" or is_account_id(name) or name.startswith(_UNIQUE_ID_PREFIXES):
        return True
    parts = name.split(":", 5)
    # "You cannot use a wildcard to match part of a principal name or ARN."
    return len(parts) == 6 and parts[0] == "arn" and parts[2] in ("iam", "sts") and "*" not in name


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
_CHECKS_BY_KIND: Final[Mapping[Kind, tuple[Check, ...]]] = {
    "identity": (_no_principal, _actions, _resources),
    # The resource's own service decides which ARNs and short names it accepts, so they are not checked here.
    "resource": (_required_principal, _required_action, _actions, _required_resource),
    "trust": (_no_resource, _required_principal, _required_action, _actions, _only_sts_actions),
}
