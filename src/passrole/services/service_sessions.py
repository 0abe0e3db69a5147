"""Assumes roles as a service, for a resource: the only place that asks for `sts:AssumeRole`.

The call goes through the door, so the role's trust policy decides, with `aws:SourceArn` and
`aws:SourceAccount` of the resource that the service acts for. Which names sessions have, and how a refusal is
worded, is each service's own matter.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from passrole import arns
from passrole.clock import Clock
from passrole.policy.request import Principal, service_principal
from passrole.runtimes.interface import Credentials
from passrole.services.context import CallOperation

SESSIONS_MAX = 4_096
SESSION_SECONDS = 300.0
"""How long a session is shared: no longer than AWS takes to spread a change of a role."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A session to ask for: of which role (its ARN), by which name, as whom, and in which region."""

    role: str
    name: str
    caller: Principal
    region: str


@dataclass(frozen=True, slots=True)
class ServiceSession:
    """A session as STS answered: who calls with it, and its credentials."""

    principal: Principal
    answer: Mapping[str, Any]

    @property
    def credentials(self) -> Credentials:
        """For a process that calls by itself."""
        given = self.answer["Credentials"]
        return Credentials(
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
            expires=given["Expiration"],
        )


def request_for(service: str, role: str, name: str, source: str) -> SessionRequest:
    """A session for a resource, `source`, by the service's name (`events.amazonaws.com`)."""
    arn = arns.parse(source)
    assert arn is not None, "services act for resources that have ARNs"
    return SessionRequest(role, name, service_principal(service, arn.account, source), arn.region)


async def assume(call: CallOperation, request: SessionRequest) -> ServiceSession:
    """Assume the role now. Raises Fault as AssumeRole does."""
    parameters = {"RoleArn": request.role, "RoleSessionName": request.name}
    answer = await call("sts", "AssumeRole", parameters, request.caller, request.region)
    return ServiceSession(_principal(request, answer["AssumedRoleUser"]), answer)


class SessionCache:
    """Shares the sessions of a service for SESSION_SECONDS; what a role *may* is decided on every call.

    Requests for the same session at the same time share one AssumeRole. A failure is not kept: the next
    request asks again. It keeps the principals of SESSIONS_MAX sessions at most, and no credentials.
    """

    def __init__(self, call: CallOperation, clock: Clock) -> None:
        self._call = call
        self._clock = clock
        self._asked: dict[SessionRequest, asyncio.Future[Principal]] = {}
        self._principals: dict[SessionRequest, _Shared] = {}

    async def principal(self, request: SessionRequest) -> Principal:
        """Who calls in the session. Raises what the call raises."""
        shared = self._principals.get(request)
        if shared is not None and shared.expires > self._clock():
            return shared.principal
        asked = self._asked.get(request)
        if asked is None:
            asked = self._asked[request] = asyncio.ensure_future(self._assumed(request))
            asked.add_done_callback(lambda _: self._asked.pop(request, None))
        return await asyncio.shield(asked)

    async def _assumed(self, request: SessionRequest) -> Principal:
        expires = self._clock() + SESSION_SECONDS
        principal = (await assume(self._call, request)).principal
        self._forget_oldest()
        self._principals.pop(request, None)
        self._principals[request] = _Shared(principal, expires)
        return principal

    def _forget_oldest(self) -> None:
        """They last equally long, so the oldest are first: each step of a pipeline asks for a session."""
        now = self._clock()
        while self._principals:
            oldest = next(iter(self._principals))
            if self._principals[oldest].expires > now and len(self._principals) < SESSIONS_MAX:
                return
            del self._principals[oldest]


class _Shared(NamedTuple):
    principal: Principal
    expires: float


def _principal(request: SessionRequest, user: Mapping[str, Any]) -> Principal:
    role = arns.parse(request.role)
    return Principal(
        kind="role",
        arn=user["Arn"],
        account=role.account if role else request.caller.account,
        id=user["AssumedRoleId"],
        name=request.role.rpartition("/")[2],
        role_arn=request.role,
        session_name=request.name,
    )
