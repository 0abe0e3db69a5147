"""Assumes roles as a service, for a resource: the only place that asks for `sts:AssumeRole`.

The call goes through the door, so the role's trust policy decides, with `aws:SourceArn` and
`aws:SourceAccount` of the resource that the service acts for. Which names sessions have, and how a refusal is
worded, is each service's own matter.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
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


@lru_cache(SESSIONS_MAX)  # a step asks for its session on each of its calls
def request_for(service: str, role: str, name: str, source: str) -> SessionRequest:
    """A session for a resource, `source`, by the service's name (`events.amazonaws.com`)."""
    arn = arns.parse(source)
    assert arn is not None, "services act for resources that have ARNs"
    return SessionRequest(role, name, service_principal(service, arn.account, source), arn.region)


async def assume(call: CallOperation, request: SessionRequest) -> ServiceSession:
    """Assume the role now. Raises Fault as AssumeRole does."""
    parameters = {"RoleArn": request.role, "RoleSessionName": request.name}
    answer = await call("sts", "AssumeRole", parameters, request.caller, request.region)
    role = arns.parse(request.role)
    account = role.account if role else request.caller.account
    return ServiceSession(
        principal_of(request.role, account, request.name, answer["AssumedRoleUser"]), answer
    )


def principal_of(role: str, account: str, name: str, user: Mapping[str, Any]) -> Principal:
    """Who calls in a session of a role (its ARN) that STS gave; `user` is its AssumedRoleUser."""
    return Principal(
        kind="role",
        arn=user["Arn"],
        account=account,
        id=user["AssumedRoleId"],
        name=role.rpartition("/")[2],
        role_arn=role,
        session_name=name,
    )


class SessionCache:
    """Shares the sessions of a service for SESSION_SECONDS; what a role *may* is decided on every call.

    Requests for the same session at the same time share one AssumeRole. A failure is not kept: the next
    request asks again. It keeps the principals of SESSIONS_MAX sessions at most, and no credentials.
    """

    def __init__(self, call: CallOperation, clock: Clock) -> None:
        self._call = call
        self._clock = clock
        self._shared: dict[SessionRequest, _Shared] = {}

    async def principal(self, request: SessionRequest) -> Principal:
        """Who calls in the session. Raises what the call raises."""
        shared, now = self._shared.get(request), self._clock()
        if shared is None or shared.expires <= now:
            shared = _Shared(asyncio.ensure_future(self._assumed(request)), now + SESSION_SECONDS)
            self._keep(request, shared, now)
        try:
            if shared.principal.done():
                return shared.principal.result()
            return await asyncio.shield(shared.principal)
        except BaseException:
            if _has_failed(shared.principal) and self._shared.get(request) is shared:
                del self._shared[request]
            raise

    async def _assumed(self, request: SessionRequest) -> Principal:
        return (await assume(self._call, request)).principal

    def _keep(self, request: SessionRequest, shared: "_Shared", now: float) -> None:
        """They last equally long, so the oldest are first: each step of a pipeline asks for a session."""
        self._shared.pop(request, None)
        while self._shared:
            oldest, first = next(iter(self._shared.items()))
            if first.expires > now and len(self._shared) < SESSIONS_MAX:
                break
            del self._shared[oldest]
        self._shared[request] = shared


class _Shared(NamedTuple):
    principal: "asyncio.Future[Principal]"
    expires: float


def _has_failed(asked: "asyncio.Future[Principal]") -> bool:
    """Not where only the one who waited was cancelled."""
    return asked.done() and (asked.cancelled() or asked.exception() is not None)
