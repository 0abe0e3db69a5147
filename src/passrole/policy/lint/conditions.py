"""Rules about conditions: values that no request can have, unknown keys, unsuitable operators.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from passrole.policy.conditions import Many
from passrole.policy.lint.access import PASSED_TO, PASSING
from passrole.policy.lint.findings import ConditionKey, Element, StatementRule, allows, condition_keys, listed
from passrole.policy.lint.global_keys import (
    ADDRESS_KEYS,
    ALWAYS_THERE,
    DATE_KEYS,
    GLOBAL_KEYS,
    MULTIVALUED_KEYS,
    TAGGED_KEYS,
)
from passrole.policy.scope import split_arn
from passrole.policy.syntax import DocumentKind
from passrole.policy.values import network, number, octets, truth

_STRINGS: Final = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
_ARN_SEGMENTS: Final = 6


def _is_arn(value: str) -> bool:
    segments = split_arn(value)
    runs_on = value.endswith("*")
    return value.startswith(("*", "${")) or (
        segments[0] == "arn" and (len(segments) == _ARN_SEGMENTS or runs_on or "${" in value)
    )


# The valid values of each family of operators; those that allow variables may have one in any value.
_FAMILIES: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "Numeric": ("number", lambda value: number(value) is not None),
    "Bool": ("`true` or `false`", lambda value: truth(value) is not None or "${" in value),
    "Binary": ("text in base64", lambda value: octets(value) is not None),
    "IpAddress": ("address or range (CIDR)", lambda value: network(value) is not None),
    "NotIpAddress": ("address or range (CIDR)", lambda value: network(value) is not None),
    "Arn": ("whole ARN", _is_arn),
}


def _wrong_values(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for entry in condition_keys(element):
        wanted, fits = _family(entry)
        for value in entry.values:
            if not fits(value):
                variable = ", which takes no policy variables" if "${" in value else ""
                yield (
                    f"`{value}` is no {wanted}, as `{entry.operator}` wants it for `{entry.key}`{variable};"
                    " no request matches it; correct it"
                )


def _family(entry: ConditionKey) -> tuple[str, Callable[[str], bool]]:
    if entry.use.operator is None:
        return "`true` or `false`", lambda value: truth(value) is not None
    name = entry.use.operator.name
    found = next((name_ for name_ in _FAMILIES if name.startswith(name_)), None)
    return _FAMILIES[found] if found else ("", lambda _value: True)


def _no_values(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for entry in condition_keys(element):
        if not entry.values:
            yield f"`{entry.operator}` of `{entry.key}` has an empty list of values; add values or remove it"


def _wrong_operators(element: Element, _kind: DocumentKind) -> Iterator[str]:
    """String operators on keys that are not text, and wildcards that are plain letters."""
    for entry in condition_keys(element):
        name = entry.use.operator.name if entry.use.operator else ""
        key = entry.key.lower()
        if name.startswith(("String", "Numeric")) and (key in ADDRESS_KEYS or key in DATE_KEYS):
            better = "IpAddress" if key in ADDRESS_KEYS else "the Date operators"
            if not (name.startswith("Numeric") and key == "aws:epochtime"):
                yield f"`{entry.operator}` compares `{entry.key}` as it is written; use {better}"
        elif name in _STRINGS and any("*" in value.replace("${*}", "") for value in entry.values):
            yield f"the `*` under `{entry.operator}` of `{entry.key}` is a letter; use a Like operator"


def _strange_keys(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for entry in condition_keys(element):
        key = entry.key.lower()
        prefix, slash, _ = key.partition("/")
        if not key.startswith("aws:"):
            continue
        if prefix in TAGGED_KEYS and not slash:
            yield f"`{entry.key}` lacks the key of a tag, as in `{entry.key}/team`"
        elif key not in GLOBAL_KEYS and prefix not in TAGGED_KEYS:
            near = get_close_matches(key, GLOBAL_KEYS, n=1, cutoff=0.8)
            advice = f"; did you mean `{GLOBAL_KEYS[near[0]]}`?" if near else ""
            yield f"there is no global condition key `{entry.key}`{advice}"


def _keys_twice(element: Element, _kind: DocumentKind) -> Iterator[str]:
    counted = Counter((entry.operator.lower(), entry.key.lower()) for entry in condition_keys(element))
    for (operator, key), times in counted.items():
        if times > 1:
            yield f"`{key}` occurs in several letter cases under `{operator}`, but it is one key; merge them"


def _set_operators(element: Element, _kind: DocumentKind) -> Iterator[str]:
    conditions = list(condition_keys(element))
    present = {entry.key.lower() for entry in conditions if _asks_for_presence(entry)}
    for entry in conditions:
        key, many = entry.key.lower(), entry.use.many
        if many is Many.ALL and allows(element) and key not in present:
            yield (
                f"`{entry.operator}` holds for requests without `{entry.key}`, which the Allow lets through;"
                f' add "Null": {{"{entry.key}": "false"}}'
            )
        if many is not None and key in GLOBAL_KEYS and key not in MULTIVALUED_KEYS:
            yield f"`{entry.key}` has one value, so `{entry.operator}` may hold too often; drop the prefix"
        if many is None and entry.use.operator is not None and key in MULTIVALUED_KEYS:
            yield f"`{entry.key}` is multivalued; use ForAnyValue or ForAllValues with `{entry.operator}`"


def _asks_for_presence(entry: ConditionKey) -> bool:
    if entry.use.operator is None:
        return entry.values == ("false",)
    return entry.use.many is Many.ANY and not entry.use.if_exists


def _denies_that_lapse(element: Element, _kind: DocumentKind) -> Iterator[str]:
    """A Deny does not apply to requests without the key of its condition."""
    if element.get("Effect") != "Deny":
        return
    passes = [each.lower() for each in listed(element, "Action")] == [PASSING]
    present = ALWAYS_THERE | ({PASSED_TO} if passes else set())
    for entry in condition_keys(element):
        operator = entry.use.operator
        if operator is None or entry.use.if_exists or entry.use.many is Many.ALL:
            continue
        if operator.negated and entry.use.many is None:
            continue
        if entry.key.lower() not in present:
            yield (
                f"the Deny does not hold for requests without `{entry.key}`; "
                f"where they must be denied too, use {entry.operator}IfExists"
            )


RULES: Final[Mapping[str, StatementRule]] = {
    "PR331": _wrong_values,
    "PR332": _no_values,
    "PR333": _wrong_operators,
    "PR334": _strange_keys,
    "PR335": _keys_twice,
    "PR336": _set_operators,
    "PR337": _denies_that_lapse,
}
