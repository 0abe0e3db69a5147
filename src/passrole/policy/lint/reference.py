"""What the service authorization reference lists, as of 2026-10: prefixes, actions and their resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/

Actions and resources are known of the services that passrole runs, prefixes of all. EMR is an exception: the
reference has no resource for RunJobFlow, and EMR asks for it on `cluster/*`.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def known_services() -> frozenset[str]:
    """The prefixes that actions may have."""
    return frozenset(_data("services"))


@cache
def known_actions() -> Mapping[str, frozenset[str]]:
    """The actions of each service known here, by its prefix."""
    return {service: frozenset(actions) for service, actions in known_resources().items()}


@cache
def known_resources() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The ARNs that each action is asked on, as patterns, by service and action; none where it is `*`."""
    return {
        service: {action: tuple(group["on"]) for group in groups for action in group["actions"]}
        for service, groups in _data("actions").items()
    }


def _data(name: str) -> Any:
    file = resources.files("passrole.policy") / "data" / f"{name}.json"
    return json.loads(file.read_text("utf-8"))
