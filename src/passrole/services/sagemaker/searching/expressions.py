"""What a SearchExpression asks of a described resource: it is read once, and then decided for each.

Nothing here reads anything but its arguments.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchExpression.html
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from botocore.model import Shape

from passrole.faults import Fault
from passrole.services.sagemaker.searching.properties import Document, Property, Type, property_of
from passrole.wire.scalars import read_boolean, read_float, read_timestamp

Condition = Callable[[Document], bool]
Expression = Mapping[str, Any]
Value = str | float | bool
Test = Callable[[Any], bool]

PARTS_MAX = 50
"""Of an expression: its filters, nested filters and subexpressions, and those of all below."""
CONTAINS_MAX = 1
_LISTS = ("Filters", "NestedFilters", "SubExpressions")


def condition_of(expression: Expression, resource: Shape) -> Condition:
    """Whether a resource of this shape satisfies the expression. Raises ValidationException."""
    parts = _checked_parts(expression)
    if sum(part.get("Operator") == "Contains" for part in parts) > CONTAINS_MAX:
        raise _invalid(f"'CONTAINS' operator usage limit of {CONTAINS_MAX} exceeded.")
    return _compiled(expression, resource)


def require(resource: Shape, name: str) -> Property:
    """The property of that name. Raises ValidationException."""
    found = property_of(resource, name)
    if found is None:
        raise _invalid(f"Unknown property name: {name}. A {resource.name} has no such property.")
    return found


def sortable(resource: Shape, name: str) -> Property:
    """The property to sort by. Raises ValidationException for one that has no single value."""
    found = require(resource, name)
    if found.type is Type.GROUP:
        raise _invalid(f"Results cannot be sorted by {name}, which is no single value.")
    return found


def _checked_parts(expression: Expression) -> list[Mapping[str, Any]]:
    parts: list[Mapping[str, Any]] = []
    for part in _parts(expression):
        parts.append(part)
        if len(parts) > PARTS_MAX:
            message = (
                f"A SearchExpression has at most {PARTS_MAX} filters, nested filters and subexpressions."
            )
            raise _invalid(message)
    return parts


def _parts(expression: Expression) -> Iterator[Mapping[str, Any]]:
    """All parts below an expression, from above; who counts them stops before they are too deep."""
    for each in expression.get("Filters") or ():
        yield each
    for each in expression.get("NestedFilters") or ():
        yield each
        yield from each["Filters"]
    for each in expression.get("SubExpressions") or ():
        yield each
        yield from _parts(each)


def _compiled(expression: Expression, resource: Shape) -> Condition:
    if not any(expression.get(each) for each in _LISTS):
        raise _invalid("A SearchExpression needs at least one filter, nested filter or subexpression.")
    conditions: list[Condition] = [
        *(_filter(each, resource) for each in expression.get("Filters") or ()),
        *(_nested(each, resource) for each in expression.get("NestedFilters") or ()),
        *(_compiled(each, resource) for each in expression.get("SubExpressions") or ()),
    ]
    needed = any if expression.get("Operator") == "Or" else all
    return lambda document: needed(condition(document) for condition in conditions)


def _nested(given: Mapping[str, Any], resource: Shape) -> Condition:
    """One item of the list satisfies all the filters."""
    name = given["NestedPropertyName"]
    listed = require(resource, name)
    if listed.type is not Type.GROUP:
        raise _invalid(f"{name} is no list of structures; nested filters need one.")
    below = f"{name}."
    wrong = [each["Name"] for each in given["Filters"] if not each["Name"].startswith(below)]
    if wrong:
        raise _invalid(f"The name {wrong[0]} of a nested filter does not begin with {below}")
    filters = [
        _filter({**each, "Name": each["Name"].removeprefix(below)}, listed.shape) for each in given["Filters"]
    ]
    return lambda document: any(
        all(condition(item) for condition in filters) for item in listed.values(document)
    )


def _filter(given: Mapping[str, Any], resource: Shape) -> Condition:
    """AWS takes a Value without an Operator as Equals."""
    found, word = require(resource, given["Name"]), given.get("Operator") or "Equals"
    if word in ("Exists", "NotExists"):
        return lambda document: bool(found.values(document)) is (word == "Exists")
    if given.get("Value") is None:
        raise _invalid(f"The filter of {found.name} needs a Value, or the operator Exists or NotExists.")
    test = _test(found, "Equals" if word == "NotEquals" else word, given["Value"])
    satisfied = word != "NotEquals"
    return lambda document: any(map(test, found.values(document))) is satisfied


def _test(found: Property, word: str, text: str) -> Test:
    """What a single value must pass. Raises ValidationException where the operator is not for its type."""
    if word in _OF_TEXT:
        if found.type not in (Type.TEXT, Type.HYPERPARAMETER):
            raise _unfit(found, word)
        return partial(_OF_TEXT[word], text)
    if found.type is Type.GROUP or (word != "Equals" and found.type is Type.TEXT):
        raise _unfit(found, word)
    compare = _COMPARISONS[word]
    if found.type is Type.HYPERPARAMETER:
        return _hyperparameter_test(compare, text)
    wanted = _read(found, text)
    return lambda value: compare(value, wanted)


def _hyperparameter_test(compare: Callable[[Any, Any], bool], text: str) -> Test:
    """Hyperparameters are texts: compared as numbers if both are some, and cut to integers for an integer."""
    wanted = _number(text)
    is_integer = wanted is not None and text.strip().lstrip("+-").isdigit()

    def test(value: str) -> bool:
        number = _number(value)
        if wanted is None or number is None:
            return compare is operator.eq and value == text
        return compare(int(number) if is_integer else number, wanted)

    return test


def _number(text: str) -> float | None:
    try:
        return read_float(text)
    except ValueError:
        return None


def _read(found: Property, text: str) -> Value:
    try:
        return _READ[found.type](text)
    except ValueError:
        raise _invalid(f"The value {text} is not a {found.type.value} value, as {found.name} has.") from None


def _unfit(found: Property, word: str) -> Fault:
    return _invalid(f"The operator {word} is not supported for the {found.type.value} property {found.name}.")


def _invalid(message: str) -> Fault:
    return Fault("ValidationException", message)


def _is_one_of(listed: str, value: str) -> bool:
    return value in [each.strip() for each in listed.split(",")]


def _contains(part: str, value: str) -> bool:
    return part in value


_OF_TEXT: Mapping[str, Callable[[str, str], bool]] = {"Contains": _contains, "In": _is_one_of}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_READ: Mapping[Type, Callable[[str], Value]] = {
    Type.TEXT: str,
    Type.NUMBER: read_float,
    Type.TIME: read_timestamp,
    Type.TRUTH: read_boolean,
}
