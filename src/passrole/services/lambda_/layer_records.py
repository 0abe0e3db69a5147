"""Layers and their versions as they are stored, and how they are shown."""

from dataclasses import dataclass, field
from typing import Any

from passrole.arns import Account, Region
from passrole.services.lambda_ import refusals
from passrole.services.lambda_.layer_names import NamedLayer
from passrole.services.lambda_.records import moment
from passrole.store import Collection, Tx

_DIGITS = 19


@dataclass(frozen=True)
class Layer:
    """A layer. `last` is the number of its newest version, which is not used again where that is deleted."""

    name: str
    last: int


@dataclass(frozen=True)
class LayerVersion:
    """A version of a layer. `created` is epoch seconds; `digest` is the content (store/contents.py) of its
    archive, and names the folder where it is unpacked; `unpacked` is the size of that in bytes, `size` the
    archive's.
    """

    account: Account
    region: Region
    name: str
    number: int
    description: str
    created: float
    code_sha256: str
    size: int
    digest: str
    unpacked: int
    runtimes: list[str] = field(default_factory=list)
    architectures: list[str] = field(default_factory=list)
    licence: str | None = None
    revision: str = ""

    @property
    def named(self) -> NamedLayer:
        """Its name."""
        return NamedLayer(self.region, self.account, self.name, self.number)


LAYERS = Collection("layer", Layer)
LAYER_VERSIONS = Collection("layer-version", LayerVersion, separator=":")


def version_key(key: str, number: int) -> str:
    """The key of a version of the layer under `key`; versions sort by number."""
    return LAYER_VERSIONS.child(key, str(number).zfill(_DIGITS))


def existing_version(tx: Tx, key: str, number: int) -> LayerVersion:
    """The version of the layer under `key`. Raises ResourceNotFoundException."""
    return LAYER_VERSIONS.require(tx, version_key(key, number), refusals.nothing_there)


def listed(version: LayerVersion) -> dict[str, Any]:
    """A LayerVersionsListItem in AWS's spelling."""
    shown: dict[str, Any] = {
        "LayerVersionArn": version.named.arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": moment(version.created),
    }
    if version.runtimes:
        shown["CompatibleRuntimes"] = version.runtimes
    if version.architectures:
        shown["CompatibleArchitectures"] = version.architectures
    if version.licence is not None:
        shown["LicenseInfo"] = version.licence
    return shown


def described(version: LayerVersion) -> dict[str, Any]:
    """GetLayerVersion's response. The archive cannot be fetched, so that its content has no Location."""
    return {
        **listed(version),
        "LayerArn": version.named.unqualified,
        "Content": {"CodeSha256": version.code_sha256, "CodeSize": version.size},
    }
