"""Calls from inside that wait while the database is away, for work that may not fail because of that.

Another failure that is none of the caller's may pass too, as where an S3 endpoint does not answer for a
moment, or a disk is full. It is tried again, but not for ever: the work itself may be what fills the disk. A
call that was under way may have been done, and is done again: for calls of which the second changes nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from passrole.faults import Fault, Outage
from passrole.policy.request import Principal
from passrole.services.context import CallOperation
from passrole.worker.supervisor import Sleep, backoff_seconds

TRIES_MAX = 5
"""Of a call that fails and not because of its caller, with pauses of 15 s in all."""


class OutlastingCalls:
    """A CallOperation over another one."""

    def __init__(self, call: CallOperation, sleep: Sleep = asyncio.sleep) -> None:
        self._call, self._sleep = call, sleep

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """The answer, however long the database is away. Raises Faults as the call does."""
        failures = 0
        while True:
            try:
                return await self._call(service, operation, parameters, principal, region, request_id)
            except Fault as error:
                if error.sender or (failures + 1 >= TRIES_MAX and not isinstance(error, Outage)):
                    raise
                pause = backoff_seconds(failures, error)
            await self._sleep(pause)
            failures += 1
