"""What an expression in a Terraform plan's configuration refers to, through variables and outputs of modules.

https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_DEPTH_MAX: Final = 10


class Target(NamedTuple):
    """A resource of a module: `("roles",)`, `aws_iam_role.pipeline`; a data source begins with `data.`."""

    modules: tuple[str, ...]
    address: str


class Configuration:
    """The configuration of a plan; an empty one refers to nothing."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._root = value.get("root_module") or {}

    def targets(self, resource: Target, member: str) -> set[Target]:
        """The resources to which a member of a resource refers."""
        for each in self._module(resource.modules).get("resources") or []:
            if each.get("address") == resource.address:
                expression = (each.get("expressions") or {}).get(member)
                return set(self._of(_references(expression), resource.modules, 0))
        return set()

    def _module(self, modules: tuple[str, ...]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._root
        for name in modules:
            found = ((found.get("module_calls") or {}).get(name) or {}).get("module") or {}
        return found

    def _of(self, references: list[str], modules: tuple[str, ...], depth: int) -> Iterator[Target]:
        if depth > _DEPTH_MAX:
            return
        for reference in references:
            parts = [part.partition("[")[0] for part in reference.split(".")]
            if parts[0] == "var" and modules and len(parts) > 1:
                *outer, name = modules
                call = (self._module(tuple(outer)).get("module_calls") or {}).get(name) or {}
                expression = (call.get("expressions") or {}).get(parts[1])
                yield from self._of(_references(expression), tuple(outer), depth + 1)
            elif parts[0] == "module" and len(parts) > 2:
                inner = (*modules, parts[1])
                output = (self._module(inner).get("outputs") or {}).get(parts[2]) or {}
                yield from self._of(_references(output.get("expression")), inner, depth + 1)
            elif parts[0] == "data":
                yield Target(modules, ".".join(parts[:3]))
            elif len(parts) > 1:
                yield Target(modules, ".".join(parts[:2]))


def _references(expression: Any) -> list[str]:
    """The references of an expression; of a list of blocks, those of all."""
    if isinstance(expression, dict):
        if isinstance(expression.get("references"), list):
            return [str(each) for each in expression["references"]]
        return [found for inner in expression.values() for found in _references(inner)]
    if isinstance(expression, list):
        return [found for inner in expression for found in _references(inner)]
    return []
