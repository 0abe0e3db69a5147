"""Which layer, or which version of one, a call means: by name, or by ARN."""

import string
from typing import NamedTuple

from passrole import arns
from passrole.arns import Account, InvalidPart, Region
from passrole.services.context import Context
from passrole.services.lambda_ import refusals
from passrole.services.operation import Parameters

NAME_LENGTH_MAX = 64
_LEGAL = frozenset(string.ascii_letters + string.digits + "-_")
_LAYER = "layer"


class NamedLayer(NamedTuple):
    """A layer as it was addressed; `version` is its number, where that was given."""

    region: Region
    account: Account
    name: str
    version: int | None = None

    @property
    def unqualified(self) -> str:
        """The ARN of the layer itself."""
        return arns.layer(self.region, self.account, self.name)

    @property
    def arn(self) -> str:
        """The ARN of what is meant."""
        return self.unqualified if self.version is None else f"{self.unqualified}:{self.version}"


def parse(ctx: Context, text: str, version: int | None = None) -> NamedLayer:
    """The layer behind a LayerName. Raises ValidationException."""
    if not text.startswith("arn:"):
        return NamedLayer(ctx.region, ctx.account, _checked(text, text), version)
    found = version_named(text)
    if found is None or found.version is not None:
        raise refusals.constraint(text, "layerName", "be a layer's name or ARN")
    return found._replace(version=version)


def parse_version(text: str) -> NamedLayer:
    """The version behind an ARN. Raises ValidationException."""
    found = version_named(text)
    if found is None or found.version is None:
        raise refusals.constraint(text, "arn", "be the ARN of a layer's version")
    return found


def version_named(arn: str) -> NamedLayer | None:
    """The layer or version of an ARN; None where it is no such ARN."""
    parsed = arns.parse(arn)
    kind, _, rest = ("", "", "") if parsed is None else parsed.resource.partition(":")
    name, _, number = rest.partition(":")
    if parsed is None or (parsed.partition, parsed.service, kind) != (arns.PARTITION, "lambda", _LAYER):
        return None
    if not name or not set(name) <= _LEGAL or (number and not (number.isascii() and number.isdecimal())):
        return None
    try:
        region, account = Region(parsed.region), Account(parsed.account)
    except InvalidPart:
        return None
    return NamedLayer(region, account, name, int(number) if number else None)


def layer_arn(ctx: Context, parameters: Parameters) -> str:
    """The resource of operations on a layer."""
    return parse(ctx, parameters["layer_name"]).arn


def version_arn(ctx: Context, parameters: Parameters) -> str:
    """The resource of operations on a version of a layer."""
    return parse(ctx, parameters["layer_name"], parameters["version_number"]).arn


def given_arn(_ctx: Context, parameters: Parameters) -> str:
    """The resource of GetLayerVersionByArn."""
    return parse_version(parameters["arn"]).arn


def key(ctx: Context, named: NamedLayer) -> str:
    """The key of the layer in the store.

    Raises AccessDeniedException for another account, ResourceNotFoundException for another region.
    """
    if named.account != ctx.account:
        raise refusals.other_account()
    if named.region != ctx.region:
        raise refusals.nothing_there()
    return ctx.key(named.name)


def _checked(name: str, text: str) -> str:
    if not name or not set(name) <= _LEGAL:
        raise refusals.constraint(text, "layerName", "be a layer's name or ARN")
    if len(name) > NAME_LENGTH_MAX:
        rule = f"have length less than or equal to {NAME_LENGTH_MAX}"
        raise refusals.constraint(name, "layerName", rule)
    return name
