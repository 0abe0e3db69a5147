"""Which group or package a name or an ARN means, and how calls about them are refused."""

from typing import NamedTuple

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.sagemaker.registry.records import (
    GROUPS,
    PACKAGES,
    Group,
    Package,
    package_key,
)
from passrole.store import Tx

GROUP, PACKAGE = "model-package-group", "model-package"


class PackageName(NamedTuple):
    """`name`, or version `version` of the group `name`."""

    name: str
    version: int | None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}/{self.version}"


def invalid(message: str) -> Fault:
    """A refusal of the request as it stands."""
    return Fault("ValidationException", message)


def group_arn(ctx: Context, text: str) -> str:
    """The ARN that a group's name or ARN means; an ARN of another place or kind is itself."""
    name = _own(ctx, GROUP, text)
    return text if name is None else arns.model_package_group(ctx.region, ctx.account, name)


def package_arn(ctx: Context, text: str) -> str:
    """The ARN that a package's name or ARN means: versions have no leading zeros."""
    name = _own(ctx, PACKAGE, text)
    return text if name is None else arns.model_package(ctx.region, ctx.account, str(_parsed(name)))


def group_name(ctx: Context, text: str) -> str:
    """The name in a group's name or ARN. Raises ValidationException for an ARN of another place or kind."""
    name = _own(ctx, GROUP, text)
    if name is None:
        raise invalid(f"{text} is not a model package group of {ctx.account} in {ctx.region}.")
    return name


def require_group(tx: Tx, ctx: Context, text: str) -> Group:
    """The group that a name or an ARN means. Raises ValidationException."""
    unknown = invalid(f"ModelPackageGroup {group_arn(ctx, text)} does not exist.")
    return GROUPS.require(tx, ctx.key(group_name(ctx, text)), lambda: unknown)


def require_package(tx: Tx, ctx: Context, text: str) -> Package:
    """The package that a name or an ARN means. Raises ValidationException."""
    name = _own(ctx, PACKAGE, text)
    if name is None:
        raise invalid(f"{text} is not a model package of {ctx.account} in {ctx.region}.")
    parsed, unknown = _parsed(name), invalid(f"ModelPackage {package_arn(ctx, text)} does not exist.")
    return PACKAGES.require(tx, package_key(ctx.location, *parsed), lambda: unknown)


def find_package(tx: Tx, ctx: Context, text: str) -> Package | None:
    """The package that a name or an ARN means, if there is one."""
    name = _own(ctx, PACKAGE, text)
    return None if name is None else PACKAGES.get(tx, package_key(ctx.location, *_parsed(name)))


def _own(ctx: Context, kind: str, text: str) -> str | None:
    """The name in a name or an ARN; None for an ARN of another place or kind."""
    arn = arns.parse(text)
    if arn is None:
        return text
    own = (arns.PARTITION, "sagemaker", ctx.region, ctx.account)
    found, _, name = arn.resource.partition("/")
    return name if arn[:4] == own and found == kind else None


def _parsed(name: str) -> PackageName:
    group, slash, version = name.partition("/")
    return PackageName(group, int(version)) if slash and version.isdecimal() else PackageName(name, None)
