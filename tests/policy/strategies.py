"""Policies and requests of a vocabulary so small that they meet: for properties that hold of all of them."""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from passrole.policy import CompiledPolicy, PolicySet, Principal, Request
from passrole.policy.document import DocumentKind, compile_document
from passrole.policy.evaluate import Layer, NamedPolicy
from passrole.policy.request import Values, service_principal

A, B = "111122223333", "444455556666"
ROLE, SESSION = f"arn:aws:iam::{A}:role/R", f"arn:aws:sts::{A}:assumed-role/R/S"
PRINCIPALS = (
    Principal("user", f"arn:aws:iam::{A}:user/ann", A, "AIDAX", "ann", tags={"team": "q"}),
    Principal("role", SESSION, A, "AROAX:S", "R", ROLE, "S"),
    Principal("root", f"arn:aws:iam::{A}:root", A, A, "root"),
    Principal("user", f"arn:aws:iam::{B}:user/bob", B, "AIDAB", "bob"),
    service_principal("events.amazonaws.com", A),
)
ACTIONS = ("sqs:SendMessage", "sqs:DeleteQueue", "iam:PassRole", "sts:AssumeRole")
RESOURCES = (
    f"arn:aws:sqs:us-east-1:{A}:q",
    f"arn:aws:sqs:us-east-1:{A}:ann-q",
    f"arn:aws:iam::{A}:role/R",
    "*",
)
ACTION_PATTERNS = (*ACTIONS, "*", "sqs:*", "SQS:Send*", "sqs:?e*e", "iam:*")
RESOURCE_PATTERNS = (
    *RESOURCES,
    "arn:aws:sqs:*:*:*q*",
    "arn:aws:sqs:*:*:Q",
    "arn:aws:sqs:eu-west-1:*:q",
    "arn:aws:sqs:*",
    "arn:aws:sqs",
    f"arn:aws:sqs:us-east-1:{A}",
    "arn:aws:iam::*:role/?",
    "arn:aws:sqs:*:*:${aws:username}-q",
    "arn:aws:sqs:*:*:${aws:PrincipalTag/team}",
)
NAMED = ("*", {"AWS": A}, {"AWS": ROLE}, {"AWS": [SESSION, B]}, {"Service": "events.amazonaws.com"})
OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringLikeIfExists",
    "StringNotLike",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringLike",
    "Null",
    "NumericLessThan",
    "ArnLike",
    "Bool",
    "DateGreaterThan",
    "NotIpAddress",
)
KEYS = ("k:one", "k:many", "aws:username", "aws:PrincipalTag/team", "aws:PrincipalArn")
VALUES = ("q", "a*", "true", "5", "2026-01", "10.0.0.0/8", "${aws:username}", "arn:aws:iam::*:role/*")

Raw = Mapping[str, Any]
RawPolicy = tuple[Raw, ...]

# The policies of each layer that is there, by level (only SCPs have several) and number in the level.
RawSet = Mapping[Layer, tuple[tuple[RawPolicy, ...], ...]]

_DROPPED: Mapping[DocumentKind, tuple[str, ...]] = {
    "identity": ("Principal", "NotPrincipal"),
    "trust": ("Resource", "NotResource"),
    "resource": (),
}


def compiled(policy: RawPolicy, kind: DocumentKind = "identity") -> CompiledPolicy:
    """A policy of these statements, without the elements that its kind does not have."""
    kept = [{name: one[name] for name in one if name not in _DROPPED[kind]} for one in policy]
    return compile_document({"Version": "2012-10-17", "Statement": kept}, kind)


def policy_set(raw: RawSet) -> PolicySet:
    """As the evaluator takes it; the name of a policy is its level and its number, `0/1`."""
    levels: dict[Layer, tuple[tuple[NamedPolicy, ...], ...]] = {
        layer: tuple(_named(layer, level, policies) for level, policies in enumerate(levels))
        for layer, levels in raw.items()
    }

    def first(layer: Layer) -> tuple[NamedPolicy, ...]:
        return levels[layer][0] if layer in levels else ()

    def only(layer: Layer) -> CompiledPolicy | None:
        return first(layer)[0][1] if layer in levels else None

    boundary = first("boundary")[0] if "boundary" in levels else None
    resource, trust = only("resource"), only("trust")
    return PolicySet(first("identity"), resource, boundary, first("session"), levels.get("scp", ()), trust)


def changed(
    raw: RawSet, layer: Layer, change: Callable[[RawPolicy], RawPolicy], level: int = 0, number: int = 0
) -> RawSet:
    """The set with one of its policies changed."""
    levels = [list(policies) for policies in raw[layer]]
    levels[level][number] = change(levels[level][number])
    return {**raw, layer: tuple(map(tuple, levels))}


def few(values: tuple[Any, ...], most: int = 2) -> st.SearchStrategy[list[Any]]:
    """One or a few of them."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique_by=str)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Raw:
    """A statement with every element, its Principal among them."""
    often = st.sampled_from((False, False, False, True))
    element = {
        "Effect": effect or draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny"))),
        "NotAction" if draw(often) else "Action": draw(few(ACTION_PATTERNS)),
        "NotResource" if draw(often) else "Resource": draw(few(RESOURCE_PATTERNS)),
        "NotPrincipal" if draw(often) else "Principal": draw(st.sampled_from(NAMED)),
    }
    if draw(often):
        key = draw(st.sampled_from(KEYS))
        element["Condition"] = {draw(st.sampled_from(OPERATORS)): {key: draw(few(VALUES))}}
    return element


def policies() -> st.SearchStrategy[RawPolicy]:
    """One to three statements."""
    return st.lists(statements(), min_size=1, max_size=3).map(tuple)


def sets() -> st.SearchStrategy[RawSet]:
    """Policies of the caller's own, and of some of the other layers."""

    def levels(policies_max: int, levels_max: int = 1) -> st.SearchStrategy[Any]:
        level = st.lists(policies(), min_size=1, max_size=policies_max).map(tuple)
        return st.lists(level, min_size=1, max_size=levels_max).map(tuple)

    return st.fixed_dictionaries(
        {"identity": levels(2)},
        optional={
            "resource": levels(1),
            "boundary": levels(1),
            "session": levels(2),
            "scp": levels(2, levels_max=2),
            "trust": levels(1),
        },
    )


def requests() -> st.SearchStrategy[Request]:
    """Of any kind of principal, on a resource of either account."""
    context: st.SearchStrategy[dict[str, Values]] = st.fixed_dictionaries(
        {},
        optional={
            "k:one": st.sampled_from(("q", "5", "ann", "", "true", "2026-02-01T00:00:00Z", "192.0.2.1")),
            "k:many": st.lists(st.sampled_from(("q", "abc")), max_size=2).map(tuple),
        },
    )
    return st.builds(
        Request,
        st.sampled_from(PRINCIPALS),
        st.sampled_from(ACTIONS),
        st.sampled_from(RESOURCES),
        st.sampled_from((A, A, A, B)),
        context,
    )


def _named(layer: Layer, level: int, found: tuple[RawPolicy, ...]) -> tuple[NamedPolicy, ...]:
    kind: DocumentKind = layer if layer == "resource" or layer == "trust" else "identity"
    return tuple((f"{level}/{number}", compiled(policy, kind)) for number, policy in enumerate(found))
