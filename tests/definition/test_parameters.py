from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.definition import DefinitionError, Parameter, effective
from passrole.definition.expressions import Scalar
from passrole.definition.node import Node
from passrole.definition.parameters import ParameterType, read_parameters, read_typed

READ: list[tuple[ParameterType, str, Scalar | None]] = [
    ("String", "", ""),
    ("String", "True", "True"),
    ("Integer", "0", 0),
    ("Integer", "-7", -7),
    ("Integer", "+7", 7),
    ("Integer", "1.0", None),
    ("Integer", "", None),
    ("Integer", "-", None),
    ("Integer", " 1", None),
    ("Integer", "1_0", None),
    ("Integer", "٣", None),
    ("Integer", "9223372036854775807", 2**63 - 1),
    ("Integer", "9223372036854775808", 2**63),  # an output may have it, a parameter not
    ("Integer", "9" * 5000, None),
    ("Float", "0.5", 0.5),
    ("Float", "3", 3.0),
    ("Float", "1e-3", 0.001),
    ("Float", "nan", None),
    ("Float", "inf", None),
    ("Float", "1e999", None),
    ("Float", "1_0", None),
    ("Float", "x", None),
    ("Boolean", "True", True),
    ("Boolean", "true", True),
    ("Boolean", "False", False),
    ("Boolean", "1", None),
]


@pytest.mark.parametrize(("type_", "text", "value"), READ, ids=[f"{t} {x[:20]}" for t, x, _ in READ])
def test_the_text_of_the_api_becomes_a_typed_value(
    type_: ParameterType, text: str, value: Scalar | None
) -> None:
    read = read_typed(type_, text)
    assert (type(read), read) == (type(value), value)


@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_what_the_sdk_sends_with_str_comes_back(integer: int, number: float, flag: bool) -> None:
    sent: list[tuple[str, Scalar]] = [("Integer", integer), ("Float", number), ("Boolean", flag)]
    assert [read_typed(type_, str(value)) for type_, value in sent] == [value for _, value in sent]


def test_overrides_win_over_defaults_in_the_order_of_declaration() -> None:
    declared = {
        "a": Parameter("a", "Integer", 1),
        "b": Parameter("b", "String", "x"),
        "c": Parameter("c", "Float"),
    }
    assert list(effective(declared, {"c": "2", "a": "0"}).items()) == [("a", 0), ("b", "x"), ("c", 2.0)]


@pytest.mark.parametrize("value", ["9223372036854775808", "-9223372036854775809"])
def test_an_integer_of_a_parameter_has_64_bits(value: str) -> None:
    with pytest.raises(DefinitionError):
        effective({"a": Parameter("a", "Integer")}, {"a": value})


def test_falsy_defaults_are_defaults() -> None:
    declared = {
        "a": Parameter("a", "Integer", 0),
        "b": Parameter("b", "Boolean", False),
        "c": Parameter("c", "String", ""),
    }
    assert effective(declared, {}) == {"a": 0, "b": False, "c": ""}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"n": "1", "x": "1"}, "Pipeline parameter 'x' is not declared in the pipeline definition."),
        ({}, "Pipeline parameter 'n' has no default value and none was given."),
        ({"n": "one"}, "Value 'one' for pipeline parameter 'n' is not of type Integer."),
        (
            {"n": "3"},
            "Unable to parse pipeline definition. Model Validation failed: "
            "Value '3' for 'n' failed to satisfy enum value set: [1, 2]",
        ),
    ],
)
def test_a_value_that_cannot_be_is_a_problem(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        effective({"n": Parameter("n", "Integer", None, (1, 2))}, overrides)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("declared", "parameter"),
    [
        ({"Name": "P", "Type": "Float", "DefaultValue": 1}, Parameter("P", "Float", 1.0)),
        ({"Name": "P", "Type": "String"}, Parameter("P", "String")),
        ({"Name": "P", "Type": "Boolean", "DefaultValue": False}, Parameter("P", "Boolean", False)),
        (
            {"Name": "P", "Type": "String", "EnumValues": ["x", "y"]},
            Parameter("P", "String", None, ("x", "y")),
        ),
    ],
)
def test_declarations_are_read(declared: dict[str, Any], parameter: Parameter) -> None:
    node = Node(declared, "Parameters[0]", [])
    assert read_parameters((node,)) == {"P": parameter}
    assert not node.found
