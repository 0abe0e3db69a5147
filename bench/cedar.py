"""IAM's identity policies said in Cedar, for the comparison with its evaluator.

It knows what the benchmark's policies contain: exact actions, patterns of resources whose only wildcard is
`*`, StringEquals. Cedar's `like` lets a star run over colons, which no request of the benchmark notices.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cedarpy

Asked = tuple[str, str, str | None]


def decider(documents: Iterable[Mapping[str, Any]]) -> Callable[[Asked], bool]:
    """Whether the documents allow an action on a resource, a role being passed to a service or to none.

    Policies and entities are read once, as its guide on speed advises.
    """
    said = [_said(statement) for document in documents for statement in document["Statement"]]
    policies = cedarpy.PolicySet.from_str("\n".join(said))
    nothing = cedarpy.Entities.from_json_str("[]")

    def allowed(asked: Asked) -> bool:
        action, resource, service = asked
        request = {
            "principal": 'Role::"worker"',
            "action": f'Action::"{action}"',
            "resource": 'Resource::"any"',
            "context": {"arn": resource, **({"iam:PassedToService": service} if service else {})},
        }
        return bool(cedarpy.is_authorized(request, policies, nothing).allowed)

    return allowed


def _said(statement: Mapping[str, Any]) -> str:
    actions = ", ".join(f"Action::{json.dumps(action)}" for action in _listed(statement["Action"]))
    likes = " || ".join(f"context.arn like {json.dumps(text)}" for text in _listed(statement["Resource"]))
    equals = statement.get("Condition", {}).get("StringEquals", {})
    tests = [f"({likes})", *(_among(key, _listed(values)) for key, values in equals.items())]
    return f"permit(principal, action in [{actions}], resource) when {{ {' && '.join(tests)} }};"


def _among(key: str, values: list[str]) -> str:
    name = json.dumps(key)
    return f"context has {name} && {json.dumps(values)}.contains(context[{name}])"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
