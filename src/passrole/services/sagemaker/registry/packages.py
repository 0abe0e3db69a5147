"""Packages of the registry: CreateModelPackage, DescribeModelPackage, UpdateModelPackage, ListModelPackages,
DeleteModelPackage.

A version has the tags of its group, and cannot be given any.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from passrole import arns
from passrole.policy.request import Values
from passrole.policy.sagemaker_keys import current_package_keys, sagemaker_keys
from passrole.services.context import Context
from passrole.services.operation import KEPT, Parameters, operation
from passrole.services.sagemaker import artefacts, kms_keys
from passrole.services.sagemaker.client_request_tokens import Request, once
from passrole.services.sagemaker.listing import Listing, listed
from passrole.services.sagemaker.paging import Orders
from passrole.services.sagemaker.registry import changes
from passrole.services.sagemaker.registry.names import (
    find_package,
    group_arn,
    invalid,
    package_arn,
    require_group,
    require_package,
)
from passrole.services.sagemaker.registry.records import APPROVED, PACKAGES, Package, versions_of
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Tx

_INFERENCE = "InferenceSpecification"
_KEPT = (
    *("ModelPackageDescription", "ModelPackageRegistrationType", _INFERENCE, "CertifyForMarketplace"),
    *("ValidationSpecification", "SourceAlgorithmSpecification"),
    *("ModelApprovalStatus", "MetadataProperties", "ModelMetrics", "Domain", "Task", "SamplePayloadUrl"),
    *("CustomerMetadataProperties", "DriftCheckBaselines", "AdditionalInferenceSpecifications"),
    *("SkipModelValidation", "SourceUri", "SecurityConfig", "ModelCard", "ModelLifeCycle"),
    *("ManagedStorageType",),
)
_CHANGED = (
    *("ModelApprovalStatus", "ApprovalDescription", "ModelPackageRegistrationType", _INFERENCE),
    *("CustomerMetadataProperties", "CustomerMetadataPropertiesToRemove", "SourceUri", "ModelCard"),
    *("AdditionalInferenceSpecificationsToAdd", "ModelLifeCycle"),
)
_UNSUPPORTED = ("ValidationSpecification", "SourceAlgorithmSpecification")


def _new(ctx: Context, parameters: Parameters) -> str:
    """The ARN of a package that is still to be created; a version has none yet."""
    group, name = parameters.get("model_package_group_name"), parameters.get("model_package_name")
    if group:
        named = group_arn(ctx, group).rpartition("/")[2]
        return arns.model_package(ctx.region, ctx.account, f"{named}/*")
    return arns.model_package(ctx.region, ctx.account, name or "*")


def _listed(ctx: Context, parameters: Parameters) -> str:
    return _new(ctx, {"model_package_group_name": parameters.get("model_package_group_name")})


def named(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the package that a call is about."""
    return package_arn(ctx, parameters.get("model_package_name") or parameters["model_package_arn"])


def _new_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    own = sagemaker_keys("sagemaker:CreateModelPackage", parameters[KEPT])
    return {**own, **TAGS.request_keys(ctx, parameters)}


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": "CreateModelPackage"}


async def current_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """What the package has now."""
    name = parameters.get("model_package_name") or parameters["model_package_arn"]
    package = await ctx.store.read(lambda tx: find_package(tx, ctx, name))
    return {} if package is None else current_package_keys(package.request)


async def changed_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """What UpdateModelPackage is asked for beside what the package has now."""
    own = sagemaker_keys("sagemaker:UpdateModelPackage", parameters[KEPT])
    return {**await current_keys(ctx, parameters), **own}


@operation(
    "sagemaker:CreateModelPackage",
    resource=_new,
    keys=_new_keys,
    also=tagging("sagemaker:AddTags", _new, _tag_keys),
    keeps=_KEPT,
)
async def create_model_package(
    ctx: Context,
    *,
    kept: Mapping[str, Any],
    model_package_name: str | None = None,
    model_package_group_name: str | None = None,
    tags: TagList = (),
    client_token: str | None = None,
) -> dict[str, Any]:
    """Create the next version of a group, or a package of its own; it is Completed at once.

    Raises ValidationException, also for an artefact that is not there; AccessDeniedException for a key that
    the caller may not use.
    """
    _check_names(model_package_name, model_package_group_name, tags)
    _check(kept)
    await _check_artefacts(ctx, kept)
    await kms_keys.check_package(ctx, kept)
    own_tags = TAGS.read(tags)
    named = {"group": model_package_group_name, "name": model_package_name}

    def create(tx: Tx) -> dict[str, Any]:
        if model_package_group_name:
            group = require_group(tx, ctx, model_package_group_name)
            package = changes.add_version(tx, ctx, group, kept)
        else:
            package = changes.add_alone(tx, ctx, model_package_name or "", kept, own_tags)
        return {"ModelPackageArn": package.arn}

    request = Request("CreateModelPackage", client_token, {**named, "request": kept, "tags": tags})
    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: create(tx)))


@operation(
    "sagemaker:DescribeModelPackage",
    resource=named,
    keys=current_keys,
)
async def describe_model_package(
    ctx: Context, *, model_package_name: str, included_data: str = "AllData"
) -> dict[str, Any]:
    """Everything about a package; a model card's content only with AllData.

    Raises ValidationException for an unknown name.
    """
    package = await ctx.store.read(lambda tx: require_package(tx, ctx, model_package_name))
    described = package.description()
    if included_data == "MetadataOnly" and "ModelCard" in described:
        card: Mapping[str, Any] = described["ModelCard"]
        described["ModelCard"] = {name: card[name] for name in card if name != "ModelCardContent"}
    return described


@operation("sagemaker:UpdateModelPackage", resource=named, keys=changed_keys, keeps=_CHANGED)
async def update_model_package(
    ctx: Context, *, model_package_arn: str, kept: Mapping[str, Any], client_token: str | None = None
) -> dict[str, Any]:
    """Approve or reject a version, or change other members of a package. Raises ValidationException."""
    await _check_artefacts(ctx, kept)

    def update(tx: Tx) -> dict[str, Any]:
        package = require_package(tx, ctx, model_package_arn)
        changes.update(tx, ctx, package, kept)
        return {"ModelPackageArn": package.arn}

    request = Request("UpdateModelPackage", client_token, {"arn": model_package_arn, "request": kept})
    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: update(tx)))


@operation("sagemaker:DeleteModelPackage", resource=named, keys=current_keys)
async def delete_model_package(ctx: Context, *, model_package_name: str) -> None:
    """Delete a package; its version is not given again. Raises ValidationException for an unknown name."""

    def delete(tx: Tx) -> None:
        PACKAGES.delete(tx, require_package(tx, ctx, model_package_name).key)

    await ctx.store.write(delete)


@operation("sagemaker:ListModelPackages", resource=_listed)
async def list_model_packages(
    ctx: Context,
    *,
    model_package_group_name: str | None = None,
    model_package_type: str | None = None,
    model_approval_status: str | None = None,
    **asked: Unpack[Listing],
) -> dict[str, Any]:
    """Packages, oldest first unless another order is asked for: a group's, else those that stand alone."""
    type_ = model_package_type or ("Versioned" if model_package_group_name else "Unversioned")

    def takes(package: Package) -> bool:
        return type_ in (
            "Both",
            "Unversioned" if package.version is None else "Versioned",
        ) and model_approval_status in (None, package.approval)

    def found(tx: Tx) -> dict[str, Any]:
        packages = filter(takes, _packages(tx, ctx, model_package_group_name))
        shown, more = listed(packages, _ORDERS, asked, "Ascending")
        return {"ModelPackageSummaryList": [each.summary() for each in shown], **more}

    return await ctx.store.read(found)


def require_deployable(tx: Tx, ctx: Context, name: str) -> Package:
    """The package that a model is made of. Raises ValidationException, also for one that is not Approved."""
    package = require_package(tx, ctx, name)
    if package.version is not None and package.approval != APPROVED:
        raise invalid(
            f"ModelPackage {package.arn} is {package.approval}; a model needs one that is Approved."
        )
    return package


def _packages(tx: Tx, ctx: Context, group: str | None) -> Sequence[Package]:
    if group:
        return versions_of(tx, require_group(tx, ctx, group))
    return [each for _, each in PACKAGES.within(tx, *ctx.location)]


def _check_names(name: str | None, group: str | None, tags: TagList) -> None:
    """https://github.com/getmoto/moto/pull/7165 has AWS's words for both names and for none."""
    if name and group:
        message = "Both ModelPackageName and ModelPackageGroupName are provided in the input."
        raise invalid(f"{message} Cannot determine which one to use.")
    if not name and not group:
        raise invalid("Missing ARN.")
    if group and tags:
        raise invalid("A model package in a group has the tags of its group; Tags cannot be given.")


def _check(request: Mapping[str, Any]) -> None:
    for member in _UNSUPPORTED:
        if member in request:
            raise invalid(f"passrole does not support {member}")


async def _check_artefacts(ctx: Context, request: Mapping[str, Any]) -> None:
    """Look at the artefacts as the caller; what the caller may not see is not checked.

    Raises ValidationException in AWS's words, seen as the reason of a RegisterModel step.
    """
    for container in _containers(request):
        try:
            await artefacts.check(ctx, container, ctx.principal)
        except artefacts.Unreadable:
            continue
        except artefacts.Missing as missing:
            bucket, key = missing.place
            message = (
                f"Cannot find S3 object: {key} in bucket {bucket}. Please check if your S3 object exists and "
                "has proper permissions for SageMaker."
            )
            raise invalid(message) from missing


def _containers(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    specifications = [
        request.get(_INFERENCE),
        *request.get("AdditionalInferenceSpecifications", ()),
        *request.get("AdditionalInferenceSpecificationsToAdd", ()),
    ]
    return [each for found in specifications if found for each in found["Containers"]]


_ORDERS: Orders[Package] = {
    "CreationTime": (lambda package: (package.created, package.key), (float, str)),
    "Name": (lambda package: (package.key,), (str,)),
}
