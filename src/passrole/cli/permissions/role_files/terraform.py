"""Roles and policies in what `terraform show -json` (or `tofu`) prints of a state or a plan.

A plan does not know the names and ARNs of what is new. Which role a policy is for is then read from the
configuration's references, and a document from the data source `aws_iam_policy_document`.
https://developer.hashicorp.com/terraform/internals/json-format
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from passrole.cli.documents import Path
from passrole.cli.permissions.role_files.described import Policy, Role, RoleFile, decoded
from passrole.cli.permissions.role_files.terraform_references import Configuration, Target

_INDEX: Final = re.compile(r"\[[^\]]*\]")
_DOCUMENT: Final = "aws_iam_policy_document"
_UNKNOWN_ARN: Final = "arn:*:unknown:::{{{name}}}"


@dataclass(frozen=True)
class _Resource:
    address: str
    type: str
    values: Mapping[str, Any]
    path: Path

    @property
    def target(self) -> Target:
        """The address without the indices of its modules and its own."""
        parts = _INDEX.sub("", self.address).split(".")
        modules: list[str] = []
        while parts[0] == "module" and len(parts) > 2:
            modules.append(parts[1])
            parts = parts[2:]
        return Target(tuple(modules), ".".join(parts))

    @property
    def index(self) -> str:
        """The index of `count` or `for_each`, or nothing."""
        found = _INDEX.findall(self.address)
        return found[-1] if found and self.address.endswith(found[-1]) else ""


@dataclass
class _Resources:
    """All resources of a file, by type, and what the configuration says they refer to."""

    listed: list[_Resource]
    configuration: Configuration
    notes: list[str] = field(default_factory=list)

    def of(self, *types: str) -> Iterator[_Resource]:
        """Those of the given types."""
        return (each for each in self.listed if each.type in types)

    def referred(self, resource: _Resource, member: str, *types: str) -> list[_Resource]:
        """The resources to which a member's expression refers."""
        targets = self.configuration.targets(resource.target, member)
        found = [each for each in self.of(*types) if each.target in targets]
        return [each for each in found if each.index == resource.index] or found


def show(value: dict[str, Any], form: str) -> RoleFile:
    """The roles of a state or a plan, each with the policies that are attached to it."""
    resources = _Resources(list(_all_resources(value)), Configuration(value.get("configuration") or {}))
    roles = [_role(each, resources) for each in resources.of("aws_iam_role")]
    policies = [
        policy
        for each in resources.of("aws_iam_policy", "aws_iam_role_policy")
        if (policy := _policy(each, resources)) is not None
    ]
    return RoleFile(form, tuple(roles), tuple(policies), tuple(dict.fromkeys(resources.notes)))


def _all_resources(value: dict[str, Any]) -> Iterator[_Resource]:
    """Of a plan: what it will be, then the data sources that were read before."""
    is_plan = "planned_values" in value
    root: Path = ("planned_values" if is_plan else "values", "root_module")
    found = {each.address: each for each in _of_module(_at(value, root), root)}
    if is_plan:
        prior: Path = ("prior_state", "values", "root_module")
        for each in _of_module(_at(value, prior), prior):
            if each.target.address.startswith("data."):
                found.setdefault(each.address, each)
        for at, change in enumerate(value.get("resource_changes") or []):
            after = (change.get("change") or {}).get("after")
            if change.get("mode") == "data" and isinstance(after, dict):
                path: Path = ("resource_changes", at, "change", "after")
                found.setdefault(change["address"], _Resource(change["address"], change["type"], after, path))
    yield from found.values()


def _at(value: Any, path: Path) -> Mapping[str, Any]:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _of_module(module: Mapping[str, Any], path: Path) -> Iterator[_Resource]:
    for at, each in enumerate(module.get("resources") or []):
        values = each.get("values")
        yield _Resource(
            str(each.get("address")),
            str(each.get("type")),
            values if isinstance(values, dict) else {},
            (*path, "resources", at, "values"),
        )
    for at, inner in enumerate(module.get("child_modules") or []):
        yield from _of_module(inner, (*path, "child_modules", at))


def _role(role: _Resource, resources: _Resources) -> Role:
    values = role.values
    name = values.get("name")
    attached = list(values.get("managed_policy_arns") or [])
    policies = [
        Policy(
            str(each.get("name")), decoded(each.get("policy")), (*role.path, "inline_policy", at, "policy")
        )
        for at, each in enumerate(values.get("inline_policy") or [])
        if each.get("policy")
    ]
    for each in resources.of("aws_iam_role_policy"):
        if _is_for(each, "role", role, resources):
            policy = _policy(each, resources)
            policies += [policy] if policy else []
    for each in resources.of("aws_iam_role_policy_attachment", "aws_iam_policy_attachment"):
        member = "role" if each.type == "aws_iam_role_policy_attachment" else "roles"
        if _is_for(each, member, role, resources):
            own, arns = _attached(each, resources)
            policies += own
            attached += arns
    for each in resources.of("aws_iam_policy"):
        if each.values.get("arn") and each.values["arn"] in attached:
            policy = _policy(each, resources)
            policies += [policy] if policy and policy not in policies else []
            attached = [arn for arn in attached if arn != each.values["arn"]]
    return Role(
        tuple(str(text) for text in (role.address, name, values.get("arn")) if text),
        tuple(policies),
        tuple(dict.fromkeys(attached)),
        _document(role, "assume_role_policy", resources, "trust"),
        _boundary(role, resources),
        {str(key): str(tag) for key, tag in (values.get("tags_all") or values.get("tags") or {}).items()},
    )


def _boundary(role: _Resource, resources: _Resources) -> Policy | str | None:
    given = role.values.get("permissions_boundary")
    known = [
        each
        for each in resources.of("aws_iam_policy")
        if given is not None and each.values.get("arn") == given
    ]
    found = known or ([] if given else resources.referred(role, "permissions_boundary", "aws_iam_policy"))
    return (_policy(found[0], resources) if found else None) or given


def _is_for(resource: _Resource, member: str, role: _Resource, resources: _Resources) -> bool:
    """Whether a policy or an attachment is for the role, by its name or by a reference to it."""
    given = resource.values.get(member)
    names = given if isinstance(given, list) else [given]
    if any(name is not None and name in (role.values.get("name"), role.values.get("id")) for name in names):
        return True
    return given is None and role in resources.referred(resource, member, "aws_iam_role")


def _attached(attachment: _Resource, resources: _Resources) -> tuple[list[Policy], list[str]]:
    arn = attachment.values.get("policy_arn")
    if arn is not None:
        return [], [str(arn)]
    own = resources.referred(attachment, "policy_arn", "aws_iam_policy")
    found = [policy for each in own if (policy := _policy(each, resources)) is not None]
    if not own:
        resources.notes.append(
            f"the policy of `{attachment.address}` is known only after the plan is applied"
        )
    return found, []


def _policy(resource: _Resource, resources: _Resources) -> Policy | None:
    name = str(resource.values.get("name") or resource.address)
    return _document(resource, "policy", resources, name)


def _document(resource: _Resource, member: str, resources: _Resources, name: str) -> Policy | None:
    """The document in a member; of one that is not known yet, what its data source says."""
    given = resource.values.get(member)
    if given is not None:
        return Policy(name, decoded(given), (*resource.path, member), resource.values.get("arn"))
    sources = resources.referred(resource, member, _DOCUMENT)
    if not sources:
        resources.notes.append(
            f"`{member}` of `{resource.address}` is known only after the plan is applied, and is not counted;"
            " use the data source aws_iam_policy_document, or the state"
        )
        return None
    source = sources[0]
    if source.values.get("json"):
        return Policy(name, decoded(source.values["json"]), (*source.path, "json"))
    listed = source.values.get("statement") or []
    statements = [_statement(each, source, resources) for each in listed if isinstance(each, dict)]
    return Policy(name, {"Version": "2012-10-17", "Statement": statements}, (*source.path, "statement"))


_MEMBERS: Final = (
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
)


def _statement(block: Mapping[str, Any], source: _Resource, resources: _Resources) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": block.get("effect") or "Allow"}
    if block.get("sid"):
        found["Sid"] = block["sid"]
    for member, element in _MEMBERS:
        if block.get(member):
            found[element] = [each or _unknown(source, resources) for each in block[member]]
    principals: dict[str, Any] = {}
    for each in block.get("principals") or []:
        if each.get("type") == "*":
            found["Principal"] = "*"
        else:
            principals.setdefault(str(each.get("type")), []).extend(each.get("identifiers") or [])
    if principals:
        found["Principal"] = principals
    elif "Principal" not in found and not {"Resource", "NotResource"} & found.keys():
        found["Resource"] = [_unknown(source, resources)]
    conditions: dict[str, Any] = {}
    for each in block.get("condition") or []:
        values = each.get("values") or []
        conditions.setdefault(str(each.get("test")), {})[str(each.get("variable"))] = values
    return {**found, "Condition": conditions} if conditions else found


def _unknown(source: _Resource, resources: _Resources) -> str:
    resources.notes.append(
        f"a resource of `{source.address}` is known only after the plan is applied, and is taken for one that"
        " nothing has; use the state to check it"
    )
    return _UNKNOWN_ARN.format(name=source.address)
