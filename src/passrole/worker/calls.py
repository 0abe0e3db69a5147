"""Calls through the door as an execution's role: assumed for real, repeated where AWS repeats.

Knows no commands. A failure is a CallFailed, which carries the step's FailureReason.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from passrole.arns import ExecutionArn
from passrole.clock import Clock
from passrole.faults import Fault, Outage, Unwritable
from passrole.policy.request import Principal
from passrole.runtimes.interface import IsDue
from passrole.services.context import CallOperation
from passrole.services.service_sessions import SessionCache, request_for
from passrole.worker.retry_policy import DELAYS_SECONDS, retryable_error

log = logging.getLogger(__name__)

SERVICE = "sagemaker.amazonaws.com"
STEP_CHARACTERS_MAX = 20
"""Of a step's name, in the name of its session."""

SESSION_SECONDS = 1.0
"""A session that took longer was waited for, and what it is for may be over."""

Sleep = Callable[[float], Awaitable[None]]


class NoLongerDue(Exception):
    """What the call was for has been done, or is not wanted, since it was tried last."""


_is_due: ContextVar[IsDue | None] = ContextVar("is_due", default=None)


@contextmanager
def while_due(is_due: IsDue) -> Iterator[None]:
    """For the calls of the block: none is tried again unless what they are for is still to be done.

    Another server may have performed the command meanwhile, and somebody may have changed what that made.
    """
    before = _is_due.set(is_due)
    try:
        yield
    finally:
        _is_due.reset(before)


async def check_due() -> None:
    """Before a call that is not the block's first. Raises NoLongerDue."""
    is_due = _is_due.get()
    if is_due is not None and not await is_due():
        raise NoLongerDue


class CallFailed(Exception):
    """An action could not be done; `reason` is the step's FailureReason in the form observed on AWS."""

    def __init__(self, action: str, details: str, code: str | None = None, kind: str | None = None) -> None:
        """`kind` is SageMaker's name of a failure that may pass, such as Step.THROTTLING."""
        self.kind = kind
        self.details = details
        self.reason = f"ClientError: Failed to invoke {action}. Error Details: {details}"
        self.action = action
        self.code = code
        super().__init__(self.reason)


@dataclass(frozen=True, slots=True)
class Action:
    """An operation to call, and the action it is named by where it fails (`lambda:InvokeFunction`)."""

    service: str
    operation: str
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """As whom a step's calls are made: the role of its execution, for this step. `role` and `execution` are
    ARNs.
    """

    role: str
    execution: ExecutionArn
    step: str

    @property
    def region(self) -> str:
        """Where the calls go."""
        return self.execution.region

    @property
    def account(self) -> str:
        """The execution's account."""
        return self.execution.account

    @property
    def session_name(self) -> str:
        """As CloudTrail shows the pipeline's own calls on AWS (a public security log; AWS documents none)."""
        return f"sagemaker-pipeline-{self.execution.execution_id}-{self.step[:STEP_CHARACTERS_MAX]}"


class Calls:
    """The calls of all executions; a step's calls share a session (services/service_sessions.py)."""

    def __init__(self, call: CallOperation, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._call = call
        self._clock = clock
        self._sleep = sleep
        self._sessions = SessionCache(self._as_service, clock)

    async def as_role(
        self,
        caller: Caller,
        action: Action,
        parameters: Mapping[str, Any],
        request_id: str | None = None,
        left: Collection[str] = (),
        is_due: IsDue | None = None,
    ) -> dict[str, Any]:
        """The operation's answer. Raises CallFailed, also where the role cannot be assumed.

        Throttling and faults of the service are tried again: AWS does so for every type of step
        (Step.THROTTLING, Step.SERVICE_FAULT). A database that is away, and a disk that is full, are waited
        for. Those in `left` are left to whoever calls. `is_due`, or that of `while_due`, is asked before each
        further try, and where the session was waited for; raises NoLongerDue.
        """
        request = request_for(SERVICE, caller.role, caller.session_name, caller.execution)
        asked_at, is_due = self._clock(), is_due or _is_due.get()
        principal = await self._sessions.principal(request)
        if self._clock() - asked_at > SESSION_SECONDS and is_due is not None and not await is_due():
            raise NoLongerDue
        return await self._persistently(
            action, parameters, principal, caller.region, request_id, left, is_due
        )

    async def _as_service(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        action = Action(service, operation, f"{service}:{operation}")
        return await self._persistently(action, parameters, principal, region, request_id)

    async def _persistently(
        self,
        action: Action,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
        left: Collection[str] = (),
        is_due: IsDue | None = None,
    ) -> dict[str, Any]:
        delays = iter(DELAYS_SECONDS)
        while True:
            try:
                return await self._call(
                    action.service, action.operation, parameters, principal, region, request_id
                )
            except Fault as fault:
                kind = retryable_error(fault)
                if isinstance(fault, Outage | Unwritable):  # it says nothing of the call, which may be done
                    delay: float | None = next(delays, DELAYS_SECONDS[-1])
                else:
                    delay = None if kind is None or kind in left else next(delays, None)
                if delay is None:
                    raise CallFailed(action.name, fault.message, fault.code, kind) from fault
                log.info("%s failed with %s, trying again in %g s", action.name, fault.code, delay)
            await self._sleep(delay)
            if is_due is not None and not await is_due():
                raise NoLongerDue
