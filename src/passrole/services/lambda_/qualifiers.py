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

    def version_for(self, draw: float) -> str:
        """The version of an invocation that drew a number from 0 to 1; 1 is always the main one."""
        reached = 0.0
        for version, weight in self.weights.items():
            reached += weight
            if draw < reached:
                return version
        return self.version


VERSIONS = Collection("function-version", Function, separator=":")
ALIASES = Collection("function-alias", Alias, separator=":")


def place(key: str, qualifier: str) -> str:
    """Where a version or an alias of the function under `key` is kept; versions in their order."""
    return VERSIONS.child(key, qualifier.zfill(_DIGITS) if names.is_version(qualifier) else qualifier)


def versions(tx: Tx, key: str, *, after: str = "", limit: int | None = None) -> list[Function]:
    """The published versions of a function, the oldest first, those whose keys are beyond `after`."""
    return [version for _, version in VERSIONS.children(tx, key, after=after, limit=limit)]


def aliases(tx: Tx, key: str) -> list[Alias]:
    """The aliases of a function by name."""
    return [alias for _, alias in ALIASES.children(tx, key)]


def version(tx: Tx, key: str, number: str) -> Function | None:
    """$LATEST or a published version."""
    return FUNCTIONS.get(tx, key) if number == LATEST else VERSIONS.get(tx, place(key, number))


def resolve(tx: Tx, key: str, qualifier: str | None, draw: float = 1.0) -> Function | None:
    """What is run where the function under `key` is called so; `draw` decides between an alias's versions."""
    if qualifier is None or qualifier == LATEST or names.is_version(qualifier):
        return version(tx, key, qualifier or LATEST)
    alias = ALIASES.get(tx, place(key, qualifier))
    return None if alias is None else version(tx, key, alias.version_for(draw))


def draw() -> float:
    """A number from 0 to 1, by which an invocation gets one of an alias's versions."""
    return random.random()  # noqa: S311 (it shares load and protects nothing)


async def find(
    ctx: Context, function_name: str, qualifier: str | None = None, *, draw: float = 1.0
) -> Function:
    """The function, or the version of it, that a call addresses. Raises Fault."""
    named = names.parse(ctx, function_name, qualifier)
    key = names.key(ctx, named)
    function = await ctx.store.read(lambda tx: resolve(tx, key, named.qualifier, draw))
    if function is None:
        raise refusals.not_found(named.arn)
    return function
