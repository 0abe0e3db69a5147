"""The parameters that a pipeline declares, and their values in an execution.

In the API every value is a string of at most 1,024 characters; here it is converted to the declared type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from passrole.definition import problems as problem
from passrole.definition.expressions import Json, Scalar
from passrole.definition.node import Node
from passrole.definition.problems import DefinitionError, Problem

ParameterType: TypeAlias = Literal["String", "Integer", "Float", "Boolean"]
_DEFAULT_MAX = 4096
_INTEGER_MAX = 2**63 - 1
_DIGITS_MAX = 1024
"""The maximum length of a value in the API."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; without a default every execution must give a value."""

    name: str
    type_: ParameterType
    default: Scalar | None = None
    enum_values: tuple[Scalar, ...] = ()


def effective(declared: Mapping[str, Parameter], overrides: Mapping[str, str]) -> dict[str, Scalar]:
    """The typed value of every declared parameter, in the order of declaration.

    Raises DefinitionError with a problem for each override that is undeclared, of the wrong type or
    outside the enumeration, and for each parameter left without a value.
    """
    found = [problem.undeclared_parameter(name) for name in overrides if name not in declared]
    values: dict[str, Scalar] = {}
    for parameter in declared.values():
        value = _value(parameter, overrides.get(parameter.name), found)
        if value is not None:
            values[parameter.name] = value
    if found:
        raise DefinitionError(found)
    return values


def read_typed(type_: str, text: str) -> Scalar | None:
    """Convert a string of the API to the type; None if it is not valid."""
    return _FROM_TEXT[type_](text)


def read_parameters(nodes: tuple[Node, ...]) -> dict[str, Parameter]:
    """The declared parameters by name."""
    parameters: dict[str, Parameter] = {}
    for node in nodes:
        parameter = _read_parameter(node)
        if parameter.name in parameters:
            node.found.append(problem.duplicate_name(node.where, "Parameter name", parameter.name))
        parameters[parameter.name] = parameter
    return parameters


def _value(parameter: Parameter, text: str | None, found: list[Problem]) -> Scalar | None:
    name = parameter.name
    if text is None:
        if parameter.default is None:
            found.append(problem.parameter_without_value(name))
        return parameter.default
    value = read_typed(parameter.type_, text)
    if value is None or not _is_in_range(value):
        found.append(problem.unreadable_parameter(name, text, parameter.type_))
    elif parameter.enum_values and value not in parameter.enum_values:
        found.append(problem.not_in_enum(name, text, name, parameter.enum_values))
    return value


def _read_parameter(node: Node) -> Parameter:
    name = node.name("Name")
    chosen = node.choice("Type", get_args(ParameterType))
    type_ = _TYPES.get(chosen or "", "String")
    enum_values = tuple(
        _typed(node, "EnumValues", type_, each) for each in node.list("EnumValues", required=False)
    )
    default = node.any("DefaultValue", required=False)
    typed = None if default is None else _typed(node, "DefaultValue", type_, default)
    node.close()
    if typed is not None and enum_values and typed not in enum_values:
        node.found.append(problem.not_in_enum(node.path("DefaultValue"), typed, "DefaultValue", enum_values))
    if isinstance(typed, str) and len(typed) > _DEFAULT_MAX:
        node.found.append(
            problem.too_many_characters(node.path("DefaultValue"), "DefaultValue", _DEFAULT_MAX)
        )
    return Parameter(name, type_, typed, enum_values)


def _typed(node: Node, key: str, type_: ParameterType, value: Json) -> Scalar:
    """JSON has one type of number, so an Integer is a valid Float; a boolean is never a number."""
    if type_ == "Float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is _PYTHON[type_] and isinstance(value, str | int | float | bool) and _is_in_range(value):
        return value
    node.found.append(problem.wrong_type(node.path(key), key, type_))
    return ""


def _is_in_range(value: Scalar) -> bool:
    """Whether an integer has at most 64 bits; integers in outputs may have more."""
    return not isinstance(value, int) or -_INTEGER_MAX - 1 <= value <= _INTEGER_MAX


def _integer(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("-", "+") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX else None


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    written_as_json_can = text.strip() == text and "_" not in text and text.isascii()
    return value if written_as_json_can and value - value == 0 else None  # neither infinite nor NaN


def _boolean(text: str) -> bool | None:
    """The SDK sends Python's `True`, JSON's users `true`."""
    return {"true": True, "false": False}.get(text.lower())


_TYPES: dict[str, ParameterType] = {type_: type_ for type_ in get_args(ParameterType)}
_PYTHON: dict[ParameterType, type] = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
_FROM_TEXT: dict[str, Callable[[str], Scalar | None]] = {
    "String": str,
    "Integer": _integer,
    "Float": _float,
    "Boolean": _boolean,
}
