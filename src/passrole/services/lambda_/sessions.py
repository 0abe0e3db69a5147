"""Sessions of functions' roles, for the calls that Lambda makes as them."""

from collections.abc import Mapping
from typing import Any

from passrole.clock import Clock
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services.context import Context
from passrole.services.lambda_ import refusals, running
from passrole.services.lambda_.records import Function

SECONDS = 300.0


async def of_role(ctx: Context, role: str, function_arn: str) -> Principal:
    """A session of a role as who is calling, while a call is answered. Raises Fault where Lambda cannot
    assume the role, as CreateFunction does.
    """

    async def assume(parameters: Mapping[str, Any], principal: Principal) -> dict[str, Any]:
        return await ctx.call("sts", "AssumeRole", parameters, principal=principal)

    try:
        return await running.principal(assume, role, function_arn)
    except Fault as fault:
        raise refusals.role_refused() from fault


class Sessions:
    """A role is assumed anew every SECONDS, which is no longer than AWS takes to spread a change of it; what
    it may is decided on each call.
    """

    def __init__(self, call: running.Call, clock: Clock) -> None:
        self._call = call
        self._clock = clock
        self._known: dict[tuple[str, str, str], tuple[Principal, float]] = {}

    async def principal(self, function: Function) -> Principal:
        """The session of a function's role. Raises Fault as AssumeRole does."""
        key, now = (function.role, function.region, function.name), self._clock()
        known = self._known.get(key)
        if known is None or known[1] <= now:
            assume = running.assuming(self._call, function.region)
            principal = await running.principal(assume, function.role, function.arn)
            self._known = {old: kept for old, kept in self._known.items() if kept[1] > now}
            known = self._known[key] = (principal, now + SECONDS)
        return known[0]
