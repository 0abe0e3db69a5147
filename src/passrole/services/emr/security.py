"""Security configurations: named documents that clusters refer to. Of their content passrole reads one thing:
whether steps may have roles of their own (EnableApplicationScopedIAMRole).
"""

from collections.abc import Mapping
from typing import Any

import orjson

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.emr import refusals
from passrole.services.emr.paging import page
from passrole.services.emr.records import SECURITY_CONFIGURATIONS, SecurityConfiguration
from passrole.services.operation import operation
from passrole.store import Tx


@operation("elasticmapreduce:CreateSecurityConfiguration")
async def create_security_configuration(
    ctx: Context, *, name: str, security_configuration: str
) -> dict[str, Any]:
    """Keep a document, which must be a JSON object, under a new name."""
    if not isinstance(_parsed(security_configuration), dict):
        raise refusals.invalid_request("The security configuration is not a valid JSON object.")
    made = SecurityConfiguration(name, security_configuration, ctx.clock())
    if not await ctx.store.write(lambda tx: SECURITY_CONFIGURATIONS.add(tx, ctx.key(name), made)):
        raise refusals.invalid_request(f"Security configuration with name '{name}' already exists.")
    return {"Name": name, "CreationDateTime": made.created}


@operation("elasticmapreduce:DescribeSecurityConfiguration")
async def describe_security_configuration(ctx: Context, *, name: str) -> dict[str, Any]:
    """The document of a name."""
    found = await ctx.store.read(lambda tx: _existing(tx, ctx, name))
    return {
        "Name": found.name,
        "SecurityConfiguration": found.document,
        "CreationDateTime": found.created,
    }


@operation("elasticmapreduce:DeleteSecurityConfiguration")
async def delete_security_configuration(ctx: Context, *, name: str) -> dict[str, Any]:
    """Forget a document; clusters that refer to it go on."""

    def delete(tx: Tx) -> None:
        _existing(tx, ctx, name)
        SECURITY_CONFIGURATIONS.delete(tx, ctx.key(name))

    await ctx.store.write(delete)
    return {}


@operation("elasticmapreduce:ListSecurityConfigurations")
async def list_security_configurations(ctx: Context, *, marker: str | None = None) -> dict[str, Any]:
    """Names, in their order."""
    found = await ctx.store.read(
        lambda tx: [each for _, each in SECURITY_CONFIGURATIONS.within(tx, *ctx.location)]
    )
    return page("SecurityConfigurations", found, lambda one: one.name, _summary, marker)


def allows_step_roles(tx: Tx, key: str) -> bool:
    """Whether the configuration under this key lets steps have roles of their own.

    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-steps-runtime-roles.html
    """
    found = SECURITY_CONFIGURATIONS.get(tx, key)
    part: Any = _parsed(found.document) if found else None
    for name in ("AuthorizationConfiguration", "IAMConfiguration", "EnableApplicationScopedIAMRole"):
        part = part.get(name) if isinstance(part, Mapping) else None
    return part is True


def _existing(tx: Tx, ctx: Context, name: str) -> SecurityConfiguration:
    return SECURITY_CONFIGURATIONS.require(tx, ctx.key(name), lambda: _missing(name))


def _missing(name: str) -> Fault:
    return refusals.invalid_request(f"Security configuration with name '{name}' does not exist.")


def _summary(one: SecurityConfiguration) -> dict[str, Any]:
    return {"Name": one.name, "CreationDateTime": one.created}


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
