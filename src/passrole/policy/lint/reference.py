"""Data of the service authorization reference, as of 2026-10: prefixes, actions and their resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/

Prefixes are known for all services, actions and resources for those that passrole runs. Two differences: the
reference has no resource for RunJobFlow, but EMR authorises it on `cluster/*`; and none for the actions of
EMR Serverless that are about all applications, where the policies of its guide name `/*`.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def known_services() -> frozenset[str]:
    """The service prefixes of actions."""
    return frozenset(_data("services"))


@cache
def known_actions() -> Mapping[str, frozenset[str]]:
    """The actions of each known service, by prefix."""
    return {service: frozenset(actions) for service, actions in known_resources().items()}


@cache
def known_resources() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The ARNs that each action is condition_keys on, as patterns, by service and action; none where it is
    `*`.
    """
    return {
        service: {action: tuple(group["on"]) for group in groups for action in group["actions"]}
        for service, groups in _data("actions").items()
    }


def _data(name: str) -> Any:
    file = resources.files("passrole.policy") / "data" / f"{name}.json"
    return json.loads(file.read_text("utf-8"))
