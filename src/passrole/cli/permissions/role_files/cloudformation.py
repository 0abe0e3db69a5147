"""Roles and policies of a CloudFormation template, also of one that CDK or SAM wrote.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from passrole.cli.documents import Path
from passrole.cli.permissions.role_files.described import Policy, Role, RoleFile, tags_of
from passrole.cli.permissions.role_files.intrinsics import Values, unknown_in
from passrole.needs import Place

_ROLE: Final = "AWS::IAM::Role"
_MANAGED: Final = "AWS::IAM::ManagedPolicy"
_STANDALONE: Final[Mapping[str, str]] = {
    "AWS::IAM::Policy": "Roles",
    "AWS::IAM::RolePolicy": "RoleName",
    _MANAGED: "Roles",
}
"""Resources that attach a policy to roles, and the property that names those."""


@dataclass(frozen=True)
class _Resource:
    id: str
    type: str
    properties: Mapping[str, Any]
    path: Path
    cdk_path: str | None


@dataclass(frozen=True)
class _Attached:
    """A policy of a resource of its own, and the roles (by what Ref gives) that have it."""

    policy: Policy
    roles: frozenset[str]


def template(value: dict[str, Any], form: str, place: Place) -> RoleFile:
    """The roles of a template, each with the policies that the template attaches to it."""
    values = Values(value, place)
    resources = list(_resources(value, values))
    standalone = [_standalone(each, values) for each in resources if each.type in _STANDALONE]
    roles = [_role(each, standalone, values) for each in resources if each.type == _ROLE]
    found = RoleFile(form, tuple(roles), tuple(each.policy for each in standalone))
    unknown = dict.fromkeys(
        text
        for policy in (*found.policies, *(each for role in roles for each in role.policies))
        for text in unknown_in(policy.document)
    )
    notes = [
        f"`{text}` is known only when the template is deployed, and is taken for a name that nothing has;"
        " give the resource a name, or the parameter a default"
        for text in unknown
    ]
    return replace(found, notes=tuple(notes))


def is_cdk(value: Mapping[str, Any]) -> bool:
    """Whether CDK wrote the template: its command line adds paths, every stack a bootstrap's version."""
    return "BootstrapVersion" in (value.get("Parameters") or {}) or any(
        isinstance(each, dict)
        and (each.get("Type") == "AWS::CDK::Metadata" or "aws:cdk:path" in (each.get("Metadata") or {}))
        for each in (value.get("Resources") or {}).values()
    )


def _resources(value: Mapping[str, Any], values: Values) -> Iterator[_Resource]:
    for name, resource in value["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Properties") or {}, dict):
            continue
        if "Condition" in resource and not values.holds(resource["Condition"]):
            continue
        metadata = resource.get("Metadata") or {}
        path: Path = ("Resources", name, "Properties")
        cdk = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        yield _Resource(name, str(resource.get("Type")), resource.get("Properties") or {}, path, cdk)


def _standalone(resource: _Resource, values: Values) -> _Attached:
    named = "ManagedPolicyName" if resource.type == _MANAGED else "PolicyName"
    given = values.value(resource.properties.get(named))
    arn = values.value({"Ref": resource.id}) if resource.type == _MANAGED else None
    roles = values.value(resource.properties.get(_STANDALONE[resource.type]))
    listed = roles if isinstance(roles, list) else [roles]
    policy = Policy(
        resource.id,
        _document(resource.properties.get("PolicyDocument"), values),
        (*resource.path, "PolicyDocument"),
        arn,
    )
    if isinstance(given, str) and "{" not in given:
        policy = replace(policy, name=given)
    return _Attached(policy, frozenset(map(str, listed)))


def _role(resource: _Resource, standalone: list[_Attached], values: Values) -> Role:
    properties = resource.properties
    known = {each.policy.arn: each.policy for each in standalone if each.policy.arn is not None}
    name, arn = values.value({"Ref": resource.id}), values.value({"Fn::GetAtt": [resource.id, "Arn"]})
    managed = values.value(properties.get("ManagedPolicyArns") or [])
    attached = [str(each) for each in managed] if isinstance(managed, list) else []
    own = [each.policy for each in standalone if name in each.roles]
    bounded = values.value(properties.get("PermissionsBoundary"))
    boundary = str(bounded) if isinstance(bounded, str) else None
    trust = properties.get("AssumeRolePolicyDocument")
    names = (resource.id, name, arn, resource.cdk_path)
    return Role(
        tuple(dict.fromkeys(each for each in names if each and "{" not in each)),
        (*_inline(resource, values), *own, *(known[each] for each in attached if each in known)),
        tuple(each for each in attached if each not in known),
        None
        if trust is None
        else Policy("trust", _document(trust, values), (*resource.path, "AssumeRolePolicyDocument")),
        None if boundary is None else known.get(boundary, boundary),
        tags_of(values.value(properties.get("Tags") or [])),
    )


def _inline(resource: _Resource, values: Values) -> Iterator[Policy]:
    listed = resource.properties.get("Policies")
    for at, each in enumerate(listed if isinstance(listed, list) else []):
        found = values.value(each)
        if isinstance(found, dict):
            document = _document(each.get("PolicyDocument") if "PolicyDocument" in each else None, values)
            path = (*resource.path, "Policies", at, "PolicyDocument")
            yield Policy(
                str(found.get("PolicyName", resource.id)), document or found.get("PolicyDocument"), path
            )


def _document(node: Any, values: Values) -> Any:
    """The document; an unknown value that stands for a whole ARN becomes one that no resource has."""
    found = values.value(node)
    statements = found.get("Statement") if isinstance(found, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        for name in ("Resource", "NotResource"):
            if isinstance(statement, dict) and name in statement:
                statement[name] = _as_arns(statement[name])
    return found


def _as_arns(resources: Any) -> Any:
    if isinstance(resources, list):
        return [_as_arns(each) for each in resources]
    is_unknown = isinstance(resources, str) and resources.startswith("{")
    return f"arn:*:unknown:::{resources}" if is_unknown else resources
