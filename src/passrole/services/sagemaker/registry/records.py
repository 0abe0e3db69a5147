"""Groups and packages as they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Account, Location, Region
from passrole.members import without_none
from passrole.store import Collection, Tx

APPROVED, PENDING = "Approved", "PendingManualApproval"
COMPLETED = "Completed"
ANSWERS_KEPT = 100


@dataclass(frozen=True)
class Group:
    """A group; `last_version` counts also the packages that were deleted."""

    name: str
    account: Account
    region: Region
    created: float
    created_by: Mapping[str, Any]
    description: str | None = None
    last_version: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Location:
        """Where the group is."""
        return Location(self.account, self.region)

    @property
    def key(self) -> str:
        """The group's key in GROUPS, and the parent of its versions in PACKAGES."""
        return self.place.key(self.name)

    @property
    def arn(self) -> str:
        """The group's ARN."""
        return arns.model_package_group(self.region, self.account, self.name)

    def summary(self) -> dict[str, Any]:
        """The group as List shows it."""
        return {
            "ModelPackageGroupName": self.name,
            "ModelPackageGroupArn": self.arn,
            **without_none(ModelPackageGroupDescription=self.description),
            "CreationTime": self.created,
            "ModelPackageGroupStatus": COMPLETED,
        }


@dataclass(frozen=True)
class Package:
    """A version of a group, or a package that stands alone: `group` and `version` are None.

    `request` has the members that CreateModelPackage and UpdateModelPackage were given, in AWS's spelling;
    the approval is among them. `name` is `group/version` for a version. `created_by` is AWS's UserContext.
    `answers` are the latest ANSWERS_KEPT changes of the approval, each with Status, Time, By and Comment.
    """

    name: str
    account: Account
    region: Region
    created: float
    created_by: Mapping[str, Any]
    request: Mapping[str, Any]
    group: str | None = None
    version: int | None = None
    modified: float | None = None
    modified_by: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    answers: Sequence[Mapping[str, Any]] = ()

    @property
    def place(self) -> Location:
        """Where the package is."""
        return Location(self.account, self.region)

    @property
    def key(self) -> str:
        """The package's key in PACKAGES."""
        return package_key(self.place, self.group or self.name, self.version)

    @property
    def arn(self) -> str:
        """The package's ARN."""
        return arns.model_package(self.region, self.account, self.name)

    @property
    def approval(self) -> str | None:
        """Approved, Rejected or PendingManualApproval; None for a package that stands alone."""
        status = self.request.get("ModelApprovalStatus")
        return None if status is None else str(status)

    def description(self) -> dict[str, Any]:
        """DescribeModelPackage's answer."""
        return {
            "ModelPackageName": self.name,
            **without_none(ModelPackageGroupName=self.group, ModelPackageVersion=self.version),
            "ModelPackageArn": self.arn,
            "CertifyForMarketplace": False,
            **self.request,
            "CreationTime": self.created,
            "CreatedBy": self.created_by,
            "ModelPackageStatus": COMPLETED,
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            **without_none(LastModifiedTime=self.modified, LastModifiedBy=self.modified_by),
        }

    def summary(self) -> dict[str, Any]:
        """The package as List shows it; a version has no name there.

        https://github.com/aws/sagemaker-python-sdk/issues/5606
        """
        described = self.description()
        if self.version is not None:
            del described["ModelPackageName"]
        return {name: described[name] for name in _IN_SUMMARIES if name in described}


_IN_SUMMARIES = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
GROUPS = Collection("model-package-group", Group)
PACKAGES = Collection("model-package", Package)
_VERSION_DIGITS = 9


def package_key(place: Location, name: str, version: int | None) -> str:
    """The key of a package; the versions of a group are its children, in their order."""
    own = place.key(name)
    return own if version is None else PACKAGES.child(own, f"{version:0{_VERSION_DIGITS}d}")


def versions_of(tx: Tx, group: Group) -> list[Package]:
    """The packages of a group, oldest first."""
    return [each for _, each in PACKAGES.children(tx, group.key)]
