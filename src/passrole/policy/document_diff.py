"""The difference of two versions of a policy, permission by permission.

Documents are compared as written. A permission is one action on one resource under one condition, so that
regrouping statements is no difference.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from passrole.policy.conditions import read_operator
from passrole.policy.elements import statements, texts

Element = Mapping[str, object]


class _Permission(NamedTuple):
    effect: str
    action: str
    resource: str
    condition: str


@dataclass(frozen=True, slots=True)
class Part:
    """Permissions with the same effect and condition: every action on every resource."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, object]


def only_in(document: Element, other: Element | None) -> list[Part]:
    """The permissions in `document` that are not in `other`, grouped; all of them if `other` is None."""
    there = set(_permissions(other)) if other is not None else set()
    found = dict.fromkeys(permission for permission in _permissions(document) if permission not in there)
    actions: dict[tuple[str, str, str], list[str]] = {}
    for effect, action, resource, condition in found:
        actions.setdefault((effect, resource, condition), []).append(action)
    resources: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for (effect, resource, condition), listed in actions.items():
        resources.setdefault((effect, tuple(listed), condition), []).append(resource)
    return [
        Part(effect, listed, tuple(own), json.loads(condition))
        for (effect, listed, condition), own in resources.items()
    ]


def _permissions(document: Element) -> Iterator[_Permission]:
    for element in statements(document):
        for action in _listed(element, "Action"):
            for resource in _listed(element, "Resource"):
                for condition in _alternatives(element.get("Condition", {})):
                    yield _Permission(str(element.get("Effect")), action, resource, condition)


def _listed(element: Element, name: str) -> list[str]:
    if f"Not{name}" in element:
        return [f"{_BUT}{', '.join(texts(element[f'Not{name}']) or [])}"]
    return texts(element.get(name, [])) or []


def _alternatives(block: object) -> Iterator[str]:
    """The values of an operator's only key are ORed, so each value is a separate permission."""
    if isinstance(block, Mapping) and len(block) == 1:
        ((operator, keys),) = block.items()
        use = read_operator(str(operator))
        if isinstance(keys, Mapping) and len(keys) == 1 and use and use.operator and not use.operator.negated:
            ((key, values),) = keys.items()
            if use.many is None:
                for value in values if isinstance(values, list) else [values]:
                    yield json.dumps({operator: {key: value}}, sort_keys=True)
                return
    yield json.dumps(block, sort_keys=True)


_BUT: Final = "everything but "
