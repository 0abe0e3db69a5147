"""Calls as whoever is signed in, through the door, as they would come over the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import ids
from passrole.api import Call, Door
from passrole.arns import Account, Region
from passrole.policy.request import Principal

ENTRIES_MAX = 2_000
"""How much of a list of AWS one page asks for."""


@dataclass(frozen=True)
class Caller:
    """The principal of a session, and from where its browser calls."""

    door: Door
    principal: Principal
    account: Account
    region: Region
    source_ip: str | None
    user_agent: str | None
    secure: bool

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of an operation, in AWS's spelling. Raises Fault."""
        return await self.door.call(self._call(service, operation, parameters))

    async def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one of passrole's own operations. Raises Fault."""
        return await self.call("passrole", operation, **parameters)

    async def every(
        self, service: str, operation: str, member: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """All of a list, whatever its pages, ENTRIES_MAX at most. Raises Fault."""
        found: list[dict[str, Any]] = []
        while len(found) < ENTRIES_MAX:
            answer = await self.call(service, operation, **parameters)
            found += answer.get(member, ())
            if not (token := answer.get("NextToken")):
                break
            parameters["NextToken"] = token
        return found

    async def listed(
        self, service: str, operation: str, member: str, **parameters: Any
    ) -> Sequence[dict[str, Any]]:
        """The same, and nothing where the caller may not list it: a page shows what else it has."""
        if await self.refusal(service, operation, **parameters) is not None:
            return ()
        return await self.every(service, operation, member, **parameters)

    async def refusal(self, service: str, operation: str, /, **parameters: Any) -> str | None:
        """AWS's sentence for a call that would be denied; None where it would be let in."""
        return await self.door.refusal(self._call(service, operation, parameters))

    def _call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Call:
        given = {name: value for name, value in parameters.items() if value is not None}
        return Call(
            self.principal,
            service,
            operation,
            given,
            self.region,
            ids.request_id(),
            source_ip=self.source_ip,
            secure=self.secure,
            user_agent=self.user_agent,
        )
