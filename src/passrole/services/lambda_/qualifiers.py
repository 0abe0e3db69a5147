"""Published versions and aliases as they are stored, and which of them a qualifier means."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from passrole import arns
from passrole.arns import Account, Region
from passrole.services.context import Context
from passrole.services.lambda_ import names, refusals
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.records import FUNCTIONS, Function
from passrole.store import Collection, Tx

_DIGITS = 10


@dataclass(frozen=True)
class Alias:
    """A name for a version, or for two: `weights` are the shares (0 to 1) of the additional ones."""

    account: Account
    region: Region
    function: str
    name: str
    version: str
    description: str
    revision: str
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The function's, qualified by the name."""
        return f"{arns.function(self.region, self.account, self.function)}:{self.name}"

    def version_for(self, traffic_fraction: float) -> str:
        """The version for a traffic fraction from 0 to 1; 1 is always the main one."""
        reached = 0.0
        for version, weight in self.weights.items():
            reached += weight
            if traffic_fraction < reached:
                return version
        return self.version


VERSIONS = Collection("function-version", Function, separator=":")
ALIASES = Collection("function-alias", Alias, separator=":")


def version_key(key: str, qualifier: str) -> str:
    """The key of a version or an alias of the function under `key`; versions sort by number."""
    return VERSIONS.child(key, qualifier.zfill(_DIGITS) if names.is_version(qualifier) else qualifier)


def versions(tx: Tx, key: str, *, after: str = "", limit: int | None = None) -> list[Function]:
    """The published versions of a function, the oldest first, those whose keys are beyond `after`."""
    return [version for _, version in VERSIONS.children(tx, key, after=after, limit=limit)]


def aliases(tx: Tx, key: str) -> list[Alias]:
    """The aliases of a function by name."""
    return [alias for _, alias in ALIASES.children(tx, key)]


def version(tx: Tx, key: str, number: str) -> Function | None:
    """$LATEST or a published version."""
    return FUNCTIONS.get(tx, key) if number == LATEST else VERSIONS.get(tx, version_key(key, number))


def resolve(tx: Tx, key: str, qualifier: str | None, traffic_fraction: float = 1.0) -> Function | None:
    """The function that an invocation runs; the fraction (0 to 1) chooses between an alias's versions."""
    if qualifier is None or qualifier == LATEST or names.is_version(qualifier):
        return version(tx, key, qualifier or LATEST)
    alias = ALIASES.get(tx, version_key(key, qualifier))
    return None if alias is None else version(tx, key, alias.version_for(traffic_fraction))


def traffic_fraction() -> float:
    """A random number from 0 to 1, which chooses between the versions of an alias."""
    return random.random()  # noqa: S311 (it shares load and protects nothing)


async def find(
    ctx: Context, function_name: str, qualifier: str | None = None, *, traffic_fraction: float = 1.0
) -> Function:
    """The function, or the version, that a call names. Raises ResourceNotFoundException."""
    named = names.parse(ctx, function_name, qualifier)
    key = names.key(ctx, named)
    function = await ctx.store.read(lambda tx: resolve(tx, key, named.qualifier, traffic_fraction))
    if function is None:
        raise refusals.not_found(named.arn)
    return function
