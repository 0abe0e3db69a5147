"""CreateAccountAlias, DeleteAccountAlias, ListAccountAliases: a name for the account, one at most."""

from dataclasses import dataclass
from typing import Any

from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.operation import operation
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class AccountAlias:
    """The name, as signing in on AWS would take it in the number's place."""

    name: str


ACCOUNT_ALIASES = Collection("iam-account-alias", AccountAlias)


@operation("iam:CreateAccountAlias")
async def create_account_alias(ctx: Context, *, account_alias: str) -> dict[str, Any]:
    """Create the alias, in place of an existing one."""

    def create(tx: Tx) -> None:
        present = ACCOUNT_ALIASES.get(tx, ctx.account)
        if present is not None and present.name == account_alias:
            raise refusals.already_exists(f"The account alias {account_alias} already exists.")
        ACCOUNT_ALIASES.put(tx, ctx.account, AccountAlias(account_alias))

    await ctx.store.write(create)
    return {}


@operation("iam:DeleteAccountAlias")
async def delete_account_alias(ctx: Context, *, account_alias: str) -> dict[str, Any]:
    """Delete the alias."""

    def delete(tx: Tx) -> None:
        present = ACCOUNT_ALIASES.get(tx, ctx.account)
        if present is None or present.name != account_alias:
            raise refusals.no_such(f"The account alias {account_alias} cannot be found.")
        ACCOUNT_ALIASES.delete(tx, ctx.account)

    await ctx.store.write(delete)
    return {}


@operation("iam:ListAccountAliases", ignores=("marker", "max_items"))
async def list_account_aliases(ctx: Context) -> dict[str, Any]:
    """The alias, if there is one."""
    present = await ctx.store.read(lambda tx: ACCOUNT_ALIASES.get(tx, ctx.account))
    return {"AccountAliases": [present.name] if present else [], "IsTruncated": False}
