"""Rules about conditions: values that no request can have, keys that do not exist, operators that misfit.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from passrole.policy.conditions import Many
from passrole.policy.lint.access import PASSED_TO, PASSING
from passrole.policy.lint.findings import Asked, Element, StatementRule, allows, asked, listed
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


# What the values of a family of operators must be; those that take variables may have one in any value.
_FAMILIES: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "Numeric": ("number", lambda value: number(value) is not None),
    "Bool": ("`true` or `false`", lambda value: truth(value) is not None or "${" in value),
    "Binary": ("text in base64", lambda value: octets(value) is not None),
    "IpAddress": ("address or range (CIDR)", lambda value: network(value) is not None),
    "NotIpAddress": ("address or range (CIDR)", lambda value: network(value) is not None),
    "Arn": ("whole ARN", _is_arn),
}


def _wrong_values(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for each in asked(element):
        wanted, fits = _family(each)
        for value in each.values:
            if not fits(value):
                variable = ", which takes no policy variables" if "${" in value else ""
                yield (
                    f"`{value}` is no {wanted}, as `{each.operator}` wants it for `{each.key}`{variable};"
                    " it fits no request, so mend it"
                )


def _family(each: Asked) -> tuple[str, Callable[[str], bool]]:
    if each.use.operator is None:
        return "`true` or `false`", lambda value: truth(value) is not None
    name = each.use.operator.name
    found = next((name_ for name_ in _FAMILIES if name.startswith(name_)), None)
    return _FAMILIES[found] if found else ("", lambda _value: True)


def _no_values(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for each in asked(element):
        if not each.values:
            yield f"`{each.operator}` of `{each.key}` has an empty list of values; add values or remove it"


def _wrong_operators(element: Element, _kind: DocumentKind) -> Iterator[str]:
    """Keys whose values are not text, asked as text; and wildcards that are letters."""
    for each in asked(element):
        name = each.use.operator.name if each.use.operator else ""
        key = each.key.lower()
        if name.startswith(("String", "Numeric")) and (key in ADDRESS_KEYS or key in DATE_KEYS):
            better = "IpAddress" if key in ADDRESS_KEYS else "the Date operators"
            if not (name.startswith("Numeric") and key == "aws:epochtime"):
                yield f"`{each.operator}` compares `{each.key}` as it is written; use {better}"
        elif name in _STRINGS and any("*" in value.replace("${*}", "") for value in each.values):
            yield f"the `*` under `{each.operator}` of `{each.key}` is a letter; use a Like operator"


def _strange_keys(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for each in asked(element):
        key = each.key.lower()
        prefix, slash, _ = key.partition("/")
        if not key.startswith("aws:"):
            continue
        if prefix in TAGGED_KEYS and not slash:
            yield f"`{each.key}` lacks the key of a tag, as in `{each.key}/team`"
        elif key not in GLOBAL_KEYS and prefix not in TAGGED_KEYS:
            near = get_close_matches(key, GLOBAL_KEYS, n=1, cutoff=0.8)
            advice = f"; did you mean `{GLOBAL_KEYS[near[0]]}`?" if near else ""
            yield f"there is no global condition key `{each.key}`{advice}"


def _keys_twice(element: Element, _kind: DocumentKind) -> Iterator[str]:
    counted = Counter((each.operator.lower(), each.key.lower()) for each in asked(element))
    for (operator, key), times in counted.items():
        if times > 1:
            yield f"`{key}` is there in several letter cases under `{operator}`, which are one key; join them"


def _set_operators(element: Element, _kind: DocumentKind) -> Iterator[str]:
    conditions = list(asked(element))
    present = {each.key.lower() for each in conditions if _asks_for_presence(each)}
    for each in conditions:
        key, many = each.key.lower(), each.use.many
        if many is Many.ALL and allows(element) and key not in present:
            yield (
                f"`{each.operator}` holds for requests without `{each.key}`, which the Allow lets through;"
                f' add "Null": {{"{each.key}": "false"}}'
            )
        if many is not None and key in GLOBAL_KEYS and key not in MULTIVALUED_KEYS:
            yield f"`{each.key}` has one value, so `{each.operator}` may hold too often; drop the prefix"
        if many is None and each.use.operator is not None and key in MULTIVALUED_KEYS:
            yield f"`{each.key}` may have many values; use ForAnyValue or ForAllValues with `{each.operator}`"


def _asks_for_presence(each: Asked) -> bool:
    if each.use.operator is None:
        return each.values == ("false",)
    return each.use.many is Many.ANY and not each.use.if_exists


def _denies_that_lapse(element: Element, _kind: DocumentKind) -> Iterator[str]:
    """A Deny whose condition does not hold where the request has no such key denies nothing there."""
    if element.get("Effect") != "Deny":
        return
    passes = [each.lower() for each in listed(element, "Action")] == [PASSING]
    present = ALWAYS_THERE | ({PASSED_TO} if passes else set())
    for each in asked(element):
        operator = each.use.operator
        if operator is None or each.use.if_exists or each.use.many is Many.ALL:
            continue
        if operator.negated and each.use.many is None:
            continue
        if each.key.lower() not in present:
            yield (
                f"the Deny does not hold for requests without `{each.key}`; "
                f"where they must be denied too, use {each.operator}IfExists"
            )


RULES: Final[tuple[StatementRule, ...]] = (
    _wrong_values,
    _no_values,
    _wrong_operators,
    _strange_keys,
    _keys_twice,
    _set_operators,
    _denies_that_lapse,
)
