"""Every declaration against AWS's Service Authorization Reference: action, resource, keys, dependent actions.

What differs is in `accepted_differences.json` with its reason, and nothing else may be there: a row that is
no difference any more fails too. The reference is `authorization_reference.json`, which
`write_authorization_reference.py` writes.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.session import Session

from passrole.api import table
from passrole.policy.request import Request
from passrole.policy.scope import Scope
from passrole.wire.descriptions import snake_case

HERE = Path(__file__).parent
REFERENCE: Mapping[str, Any] = json.loads((HERE / "authorization_reference.json").read_text())
ACCEPTED: Mapping[str, Any] = json.loads((HERE / "accepted_differences.json").read_text())
OWN_SERVICE = "passrole"  # AWS has no such operations
TAG = "team"
PLACEHOLDER = re.compile(r"\$\{[A-Za-z]+\}|<key>")
OPERATIONS = sorted(
    (service, name)
    for (service, name), operation in table.operations().items()
    if operation.action is not None and service != OWN_SERVICE
)


class Difference(NamedTuple):
    """`operation` is `service.name`, with the action behind it where a further permission differs."""

    operation: str
    kind: str
    item: str


def differences(service: str, name: str, asked: Any) -> Iterator[Difference]:
    operation = f"{service}.{name}"
    yield from of_request(operation, asked.own)
    actions = {request.action for request in asked.further} - {asked.own.action}
    dependent = set(REFERENCE["actions"][asked.own.action]["dependent"])
    yield from (Difference(operation, "no dependent action", each) for each in dependent - actions)
    yield from (Difference(operation, "further action", each) for each in actions - dependent)
    for request in asked.further:
        yield from of_request(f"{operation} > {request.action}", request)


def of_request(operation: str, request: Request) -> Iterator[Difference]:
    action = REFERENCE["actions"].get(request.action)
    if action is None:
        yield Difference(operation, "unknown action", request.action)
        return
    kinds = REFERENCE["resource_types"][request.action.partition(":")[0]]
    fitting = [kind for kind in action["resources"] if fits(kinds[kind]["arn"], request.resource)]
    if not fitting and (action["resources"] or request.resource != "*"):
        yield Difference(operation, "resource", request.resource)
    keys = {*action["keys"], *(key for kind in fitting for key in action["resources"][kind])}
    keys |= {key for kind in fitting for key in kinds[kind]["keys"]}
    scope = Scope(request)
    for key in keys:
        if scope.value(PLACEHOLDER.sub(TAG, key).lower()) is None:
            yield Difference(operation, "no key", key)
    known = {PLACEHOLDER.sub(TAG, key) for key in keys}
    service_keys = {key for key in request.context if not is_global(key)}
    yield from (Difference(operation, "further key", key) for key in service_keys - known)


def is_global(key: str) -> bool:
    """Keys of every request; those of tags are of some alone."""
    return key.startswith("aws:") and not key.startswith(
        ("aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys")
    )


def fits(pattern: str, resource: str) -> bool:
    parts = [re.escape(part) for part in re.split(r"\$\{[A-Za-z]+\}", pattern)]
    return re.fullmatch(".*".join(parts), resource) is not None


def all_differences(world: Any) -> set[Difference]:
    return {
        difference
        for service, name in OPERATIONS
        for difference in differences(service, name, world.asked(service, name))
    }


def accepted(found: Iterable[Difference]) -> set[Difference]:
    """What the tables name: differences one by one, and keys that are filled by no operation of a service."""
    rows = {
        Difference(operation, row["kind"], item)
        for row in ACCEPTED["differences"]
        for operation in row["operations"]
        for item in row["items"]
    }
    nowhere = ACCEPTED["keys_nowhere_filled"]
    return rows | {each for each in found if any(is_lack_of(each, row) for row in nowhere)}


def is_lack_of(difference: Difference, row: Mapping[str, Any]) -> bool:
    """`service` in a row, as botocore names it, is the one whose operations it is about."""
    service = difference.operation.partition(".")[0]
    in_service = row.get("service", service) == service
    return difference.kind == "no key" and difference.item in row["keys"] and in_service


def test_declarations_are_those_of_the_reference(world: Any) -> None:
    found = all_differences(world)
    assert sorted(found - accepted(found)) == []


def test_no_accepted_difference_is_stale(world: Any) -> None:
    found = all_differences(world)
    assert sorted(accepted(found) - found) == []
    for row in ACCEPTED["keys_nowhere_filled"]:
        assert set(row["keys"]) == {each.item for each in found if is_lack_of(each, row)}, row
        assert filled(world, row) == set(), row


def filled(world: Any, row: Mapping[str, Any]) -> set[str]:
    """The keys with a value in some call of the row's service, in the reference's spelling."""
    calls = [world.asked(*each) for each in OPERATIONS if each[0] == row.get("service", each[0])]
    contexts = [request.context for call in calls for request in (call.own, *call.further)]
    names = {key for context in contexts for key in context}
    return {key for key in row["keys"] if PLACEHOLDER.sub(TAG, key) in names}


WITH_MEMBERS = [row for row in ACCEPTED["keys_nowhere_filled"] if "members" in row]


@pytest.mark.parametrize("row", WITH_MEMBERS, ids=lambda row: row["keys"][0])
def test_a_member_that_would_fill_a_key_is_refused(row: Mapping[str, Any]) -> None:
    """A call with it is refused before it is decided, so that it cannot get past a Deny on the key."""
    taken = {
        name for operation in table.operations().values() for name in operation.takes | operation.ignores
    }
    assert not taken & set(row["members"])
    assert set(row["members"]) <= aws_members()


def aws_members() -> set[str]:
    inputs = [
        model.operation_model(name).input_shape
        for model in map(Session().get_service_model, ("lambda", "s3"))
        for name in model.operation_names
    ]
    return {snake_case(member) for shape in inputs if shape for member in shape.members}


@pytest.mark.parametrize("rows", ACCEPTED.values(), ids=list(ACCEPTED))
def test_every_accepted_difference_has_a_reason(rows: list[Mapping[str, Any]]) -> None:
    assert all(len(row["reason"]) > 20 for row in rows)
