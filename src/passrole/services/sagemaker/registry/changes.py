"""How packages change: a new version, another approval, other members; and the events that tell of it.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.sagemaker import state_events
from passrole.services.sagemaker.records import user_context
from passrole.services.sagemaker.registry.names import invalid
from passrole.services.sagemaker.registry.records import (
    ANSWERS_KEPT,
    GROUPS,
    PACKAGES,
    PENDING,
    Group,
    Package,
)
from passrole.store import Tx

EVENT = "SageMaker Model Package State Change"
_PROPERTIES, _REMOVED = "CustomerMetadataProperties", "CustomerMetadataPropertiesToRemove"
_SPECIFICATIONS, _ADDED = "AdditionalInferenceSpecifications", "AdditionalInferenceSpecificationsToAdd"
_PROPERTIES_MAX = 50
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html"""

_IN_EVENTS = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "MetadataProperties",
    "ModelMetrics",
    "CustomerMetadataProperties",
    "LastModifiedTime",
)


def add_version(tx: Tx, ctx: Context, group: Group, request: Mapping[str, Any]) -> Package:
    """Store the next version of a group; it waits for approval unless the request says otherwise."""
    version = group.last_version + 1
    GROUPS.put(tx, group.key, replace(group, last_version=version))
    approval = {"ModelApprovalStatus": request.get("ModelApprovalStatus", PENDING)}
    package = Package(
        name=f"{group.name}/{version}",
        account=ctx.account,
        region=ctx.region,
        created=ctx.clock(),
        created_by=user_context(ctx.principal),
        request={**request, **approval},
        group=group.name,
        version=version,
    )
    PACKAGES.put(tx, package.key, package)
    _emit_event(tx, package, package.created)
    return package


def add_alone(
    tx: Tx, ctx: Context, name: str, request: Mapping[str, Any], tags: Mapping[str, str]
) -> Package:
    """Store a package under a name; approval "does not apply to unversioned models"."""
    own = {member: value for member, value in request.items() if member != "ModelApprovalStatus"}
    user = user_context(ctx.principal)
    package = Package(name, ctx.account, ctx.region, ctx.clock(), user, own, tags=tags)
    if not PACKAGES.add(tx, package.key, package):
        raise invalid(f"Model Package already exists: {package.arn}")
    _emit_event(tx, package, package.created)
    return package


def update(tx: Tx, ctx: Context, package: Package, given: Mapping[str, Any]) -> None:
    """Store what UpdateModelPackage was given; another approval makes an event.

    Raises ValidationException.
    """
    if package.version is None and "ModelApprovalStatus" in given:
        raise invalid(f"{package.arn} has no version, and so no approval status.")
    request = {**package.request, **{name: value for name, value in given.items() if name not in _SPECIAL}}
    if _PROPERTIES in given or _REMOVED in given:
        request[_PROPERTIES] = _properties(package, given)
    if _ADDED in given:
        request[_SPECIFICATIONS] = _specifications(package, given[_ADDED])
    now = ctx.clock()
    changed = replace(package, request=request, modified=now, modified_by=user_context(ctx.principal))
    if changed.approval == package.approval:
        PACKAGES.put(tx, changed.key, changed)
        return
    answers = (*package.answers, _answer(ctx, given, now))[-ANSWERS_KEPT:]
    PACKAGES.put(tx, changed.key, replace(changed, answers=answers))
    _emit_event(tx, changed, now)


_SPECIAL = (_PROPERTIES, _REMOVED, _ADDED)


def _answer(ctx: Context, given: Mapping[str, Any], at: float) -> dict[str, Any]:
    """Who approved or rejected: AWS tells only who changed the package last, whatever that was."""
    said = without_none(Comment=given.get("ApprovalDescription"))
    return {"Status": given["ModelApprovalStatus"], "Time": at, "By": ctx.principal.arn, **said}


def _properties(package: Package, given: Mapping[str, Any]) -> dict[str, str]:
    """Properties are added in place of those with the same keys, then those to remove are gone."""
    merged = {**package.request.get(_PROPERTIES, {}), **given.get(_PROPERTIES, {})}
    gone = frozenset(given.get(_REMOVED, ()))
    left = {key: value for key, value in merged.items() if key not in gone}
    if len(left) > _PROPERTIES_MAX:
        raise invalid(f"A model package has at most {_PROPERTIES_MAX} {_PROPERTIES}.")
    return left


def _specifications(package: Package, added: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found = [*package.request.get(_SPECIFICATIONS, ()), *added]
    names = [each["Name"] for each in found]
    if len(set(names)) < len(names):
        raise invalid(f"The names of {_SPECIFICATIONS} are unique in a model package.")
    return found


def _emit_event(tx: Tx, package: Package, at: float) -> None:
    """Times are numbers here, in milliseconds, unlike those of other events: seen in a public project.

    https://github.com/aws-samples/amazon-sagemaker-drift-detection
    """
    described = package.description()
    detail = {name: described[name] for name in _IN_EVENTS if name in described}
    state_events.emit(tx, package.place, at, EVENT, package.arn, detail, state_events.as_number)
