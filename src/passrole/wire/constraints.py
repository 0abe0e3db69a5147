"""Checks parameters against the service descriptions (required, length, range, enum, pattern).

Rules of single operations are in their handlers. A check is compiled from each shape when it is first needed.
`value_constraints` checks one value; this module walks through structures and words the message as AWS does.

SQS has other messages: it names the first missing parameter and leaves the rest to its operations. S3 only
says that the request is malformed.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from passrole.faults import Fault
from passrole.wire.descriptions import members, service_model
from passrole.wire.shapes import Compiler
from passrole.wire.value_constraints import Failing, length_of, limits_of
from passrole.wire.xml_reader import malformed

Check = Callable[[Any, str, list[str]], None]
"""Takes a value and its path, and appends a message for each constraint that the value violates."""

SHOWN_CHARS_MAX = 1024
PROBLEMS_MAX = 100
"""The number of reported problems; a list without a limit can have any number of invalid members."""

CODES = {
    "ecr": "InvalidParameterException",
    "emr": "ValidationException",
    "emr-serverless": "ValidationException",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "s3": "MalformedXML",
    "sagemaker": "ValidationException",
    "sagemaker-runtime": "ValidationError",
    "scheduler": "ValidationException",
    "sqs": "MissingParameter",
    "sts": "ValidationError",
}


def fault(service: str, operation: str, parameters: Mapping[str, Any]) -> Fault | None:
    """The service's fault for the parameters; None if they are valid."""
    found = problems(service, operation, parameters)
    if not found:
        return None
    if service == "sqs":
        return Fault(CODES[service], found[0])
    if service == "s3":
        return malformed()
    detected = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return Fault(CODES[service], detected + "; ".join(found))


def problems(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """A message for each violated constraint, in the order of the description."""
    found: list[str] = []
    check = _operation_check(service, operation)
    if check is not None:
        check(parameters, "", found)
    return found


@cache
def _operation_check(service: str, operation: str) -> Check | None:
    shape = service_model(service).operation_model(operation).input_shape
    return _checks(service)(shape) if shape is not None else None


@cache
def _checks(service: str) -> Compiler[Check]:
    return Compiler(_SQS_CHECKS if service in ("s3", "sqs") else _CHECKS)


def _failed(value: str, path: str, constraint: str) -> str:
    return f"Value{value} at '{path}' failed to satisfy constraint: {constraint}"


def _null(path: str) -> str:
    return _failed(" null", path, "Member must not be null")


def _missing(path: str) -> str:
    return f"The request must contain the parameter {path}."


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _as_it_is(name: str) -> str:
    return name


def _structure(absent: Callable[[str], str], spelled: Callable[[str], str]) -> Callable[..., Check]:
    """The compiler for structures: `absent` words a missing member, `spelled` writes its name in a path."""

    def maker(shape: Shape, compiler: Compiler[Check]) -> Check:
        required = [(name, spelled(name)) for name in cast(StructureShape, shape).required_members]
        table: dict[str, tuple[str, Check]] = {}

        def check(value: Mapping[str, Any], path: str, found: list[str]) -> None:
            if not table:
                for name, member in members(shape).items():
                    table[name] = (spelled(name), compiler(member))
            prefix = f"{path}." if path else ""
            for name, wire_path in required:
                if value.get(name) is None:
                    found.append(absent(prefix + wire_path))
            for name, item in value.items():
                if item is not None and name in table and len(found) < PROBLEMS_MAX:
                    wire_path, checks = table[name]
                    checks(item, prefix + wire_path, found)

        return check

    return maker


def _list(between: str, *, says_sizes: bool) -> Callable[..., Check]:
    """The compiler for lists; `between` follows an item's number in a path, `says_sizes` checks lengths."""

    def maker(shape: Shape, compiler: Compiler[Check]) -> Check:
        member = cast(ListShape, shape).member
        sizes = length_of(shape) if says_sizes else None
        is_leaf = member.type_name not in ("structure", "list", "map")
        leaf = limits_of(member) if is_leaf and says_sizes else None

        def check(value: list[Any], path: str, found: list[str]) -> None:
            if sizes and _is_wrong_size(sizes, value, path, shape, found):
                return
            if is_leaf:
                _report_items(leaf, "Member", value, value, path, shape, found)
                return
            checks = compiler(member)
            for number, item in enumerate(value, 1):
                if len(found) >= PROBLEMS_MAX:
                    return
                if item is not None:
                    checks(item, f"{path}.{number}{between}", found)

        return check

    return maker


def _map(*, says_sizes: bool) -> Callable[..., Check]:
    """The compiler for maps."""

    def maker(shape: Shape, compiler: Compiler[Check]) -> Check:
        map_shape = cast(MapShape, shape)
        sizes = length_of(shape) if says_sizes else None
        is_leaf = map_shape.value.type_name not in ("structure", "list", "map")
        keys = limits_of(map_shape.key) if says_sizes else None
        values = limits_of(map_shape.value) if is_leaf and says_sizes else None

        def check(value: Mapping[str, Any], path: str, found: list[str]) -> None:
            if sizes and _is_wrong_size(sizes, value, path, shape, found):
                return
            _report_items(keys, "Map keys", list(value), value, path, shape, found)
            if is_leaf:
                _report_items(values, "Map value", list(value.values()), value, path, shape, found)
                return
            checks = compiler(map_shape.value)
            for key, item in value.items():
                if len(found) >= PROBLEMS_MAX:
                    return
                checks(item, f"{path}.{key}.member", found)

        return check

    return maker


def _scalar(shape: Shape, _compiler: Compiler[Check]) -> Check:
    constraints = limits_of(shape)
    if constraints is None:
        return _nothing
    failing = constraints

    def check(value: Any, path: str, found: list[str]) -> None:
        _report(failing(value), value, path, shape, found)

    return check


def _nothing(_value: Any, _path: str, _found: list[str]) -> None:
    """The check of an unconstrained shape."""


def _is_wrong_size(failing: Failing, value: Any, path: str, shape: Shape, found: list[str]) -> bool:
    """Whether a container has too many or too few members; then its members are not checked."""
    messages = failing(value)
    _report(messages, value, path, shape, found)
    return bool(messages)


def _report(messages: list[str], value: Any, path: str, shape: Shape, found: list[str]) -> None:
    found.extend(_failed(_shown(value, shape), path, message) for message in messages)


def _report_items(
    failing: Failing | None,
    subject: str,
    items: list[Any],
    value: Any,
    path: str,
    shape: Shape,
    found: list[str],
) -> None:
    """AWS reports the container, with all constraints that its first invalid item violates."""
    if failing is None or not any(item is not None and failing(item) for item in items):
        return
    messages = next(failing(item) for item in items if item is not None and failing(item))
    constraint = f"{subject} must satisfy constraint: [{', '.join(messages)}]"
    found.append(_failed(_shown(value, shape), path, constraint))


def _shown(value: Any, shape: Shape) -> str:
    """A value as AWS echoes it, in Java's format; sensitive values are not echoed."""
    if shape.metadata.get("sensitive") or isinstance(value, bytes):
        return ""
    text = value if isinstance(value, str) else "".join(islice(_java(value), SHOWN_CHARS_MAX + 1))
    return f" '{text if len(text) <= SHOWN_CHARS_MAX else text[:SHOWN_CHARS_MAX] + '...'}'"


def _java(value: Any) -> Iterator[str]:
    """A value in non-empty pieces, so that the caller formats only as much as it shows."""
    if isinstance(value, Mapping):
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield f"{', ' if number else ''}{key}="
            yield from _java(item)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, item in enumerate(value):
            if number:
                yield ", "
            yield from _java(item)
        yield "]"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    else:
        yield "null" if value is None else str(value)


def _unchecked(_shape: Shape, _compiler: Compiler[Check]) -> Check:
    return _nothing


_CHECKS: Mapping[str, Callable[[Shape, Compiler[Check]], Check]] = {
    **dict.fromkeys(("boolean", "timestamp"), _unchecked),
    **dict.fromkeys(("blob", "double", "float", "integer", "long", "string"), _scalar),
    "list": _list(".member", says_sizes=True),
    "map": _map(says_sizes=True),
    "structure": _structure(_null, _camel),
}
_SQS_CHECKS: Mapping[str, Callable[[Shape, Compiler[Check]], Check]] = {
    **dict.fromkeys(_CHECKS, _unchecked),
    "list": _list("", says_sizes=False),
    "map": _map(says_sizes=False),
    "structure": _structure(_missing, _as_it_is),
}
