"""Which function a call means: by name, partial ARN or ARN, each with or without a qualifier.

name                                             name:qualifier
account:name                                     account:name:qualifier
account:function:name                            account:function:name:qualifier
arn:aws:lambda:region:account:function:name      arn:aws:lambda:region:account:function:name:qualifier
"""

import string
from typing import NamedTuple

from passrole import arns
from passrole.arns import Account, InvalidPart, Region
from passrole.services.context import Context
from passrole.services.lambda_ import refusals
from passrole.services.operation import Parameters

LATEST = "$LATEST"
NAME_LENGTH_MAX = 64
_LEGAL = frozenset(string.ascii_letters + string.digits + "-_")


class Named(NamedTuple):
    """A function as it was addressed."""

    region: Region
    account: Account
    name: str
    qualifier: str | None

    @property
    def arn(self) -> str:
        """With the qualifier, if one was given: that is what Lambda authorises."""
        return f"{self.unqualified}:{self.qualifier}" if self.qualifier else self.unqualified

    @property
    def unqualified(self) -> str:
        """The ARN of the function itself."""
        return arns.function(self.region, self.account, self.name)


def parse(ctx: Context, text: str, qualifier: str | None = None) -> Named:
    """The function behind FunctionName and Qualifier. Raises ValidationException."""
    found = arns.function_name(text)
    if found is None or not found.name or not set(found.name) <= _LEGAL:
        raise refusals.constraint(text, "functionName", "be a function's name or ARN")
    given = found.qualifier
    if not set(given or qualifier or "") <= _LEGAL | {"$"}:
        raise refusals.constraint(given or qualifier, "qualifier", "be a version's number or an alias's name")
    if given and qualifier and given != qualifier:
        raise refusals.invalid(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return Named(*_where(ctx, text, found), found.name, given or qualifier)


def _where(ctx: Context, text: str, found: arns.FunctionName) -> tuple[Region, Account]:
    """Region and account of the function. Raises ValidationException."""
    try:
        if text.startswith("arn:") and not text.startswith(f"arn:{arns.PARTITION}:"):
            raise InvalidPart("another partition's function")
        return (
            ctx.region if found.region is None else Region(found.region),
            ctx.account if found.account is None else Account(found.account),
        )
    except InvalidPart:
        raise refusals.constraint(text, "functionName", "be a function's name or ARN") from None


def key(ctx: Context, named: Named) -> str:
    """The key of the function in the store, whatever the qualifier.

    Raises AccessDeniedException for another account, ResourceNotFoundException for another region.
    """
    if named.account != ctx.account:
        raise refusals.other_account()
    if named.region != ctx.region:
        raise refusals.other_region(named.region, ctx.region)
    return ctx.key(named.name)


def latest_key(ctx: Context, named: Named) -> str:
    """The key of a function whose $LATEST a call changes.

    Raises ResourceNotFoundException for a version or an alias.
    """
    if named.qualifier not in (None, LATEST):
        raise refusals.not_found(named.arn)
    return key(ctx, named)


def new(ctx: Context, text: str) -> Named:
    """The name of a new function. Raises ValidationException."""
    named = parse(ctx, text)
    if len(named.name) > NAME_LENGTH_MAX:
        rule = f"have length less than or equal to {NAME_LENGTH_MAX}"
        raise refusals.constraint(named.name, "functionName", rule)
    return named


def is_version(qualifier: str) -> bool:
    """Whether it is the number of a published version; else it is an alias, or $LATEST."""
    return qualifier.isascii() and qualifier.isdecimal()


def unqualified_arn(ctx: Context, parameters: Parameters) -> str:
    """The resource of operations on the function itself; `name:$LATEST` means the same."""
    return parse(ctx, parameters["function_name"]).unqualified


def arn_of(ctx: Context, parameters: Parameters) -> str:
    """The resource of an operation's permission."""
    return parse(ctx, parameters["function_name"], parameters.get("qualifier")).arn


def stored_arn(ctx: Context, parameters: Parameters) -> str:
    """The resource of a configuration of the function, a version or an alias; `$LATEST` is the function."""
    named = parse(ctx, parameters["function_name"], parameters.get("qualifier"))
    return named.unqualified if named.qualifier == LATEST else named.arn
