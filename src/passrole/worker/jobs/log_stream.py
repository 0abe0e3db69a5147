"""Brings what a job's program prints to CloudWatch Logs while it runs, as the job's own role.

The SDK's `logs=True` reads it there: group /aws/sagemaker/<Kind>Jobs, stream <job>/<host>-<epoch>. A role
that may not write logs has none; the job goes on.
"""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from passrole.clock import Clock
from passrole.faults import Fault
from passrole.runtimes.jobs import STDOUT
from passrole.worker.jobs.printed import Printed
from passrole.worker.jobs.s3 import Objects

log = logging.getLogger(__name__)


EVENTS_MAX = 10_000
"""Of a batch: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""


class LogStream:
    """The log of one program. See following.Follower."""

    seconds = 1.0

    def __init__(
        self,
        group: str,
        stream: str,
        folder: Path,
        session: Callable[[], Awaitable[Objects]],
        clock: Clock,
        source: str = STDOUT,
    ) -> None:
        """`folder` is that of the program's output, `source` a file in it."""
        self._names = {"logGroupName": group, "logStreamName": stream}
        mark = "logged" if source == STDOUT else f"{source}.logged"
        self._printed = Printed(folder, mark, source)
        self._session = session
        self._clock = clock
        self._is_refused = False

    async def bring(self, *, is_last: bool = False) -> None:
        """Everything up to the last whole line; at the last call also what follows it."""
        while not self._is_refused and (lines := await self._printed.read(is_last=is_last)):
            if not await self._put(lines):
                return
            self._printed.mark()

    async def _put(self, lines: list[bytes]) -> bool:
        """Whether it is done with the lines. A failure of the server itself is none of the role's."""
        now = int(self._clock() * 1000)
        events = [{"timestamp": now, "message": line.decode(errors="replace")} for line in lines if line]
        try:
            objects = await self._session()  # refused where the role was deleted meanwhile
            if self._printed.offset == 0:
                await self._make(objects)
            for start in range(0, len(events), EVENTS_MAX):
                batch = events[start : start + EVENTS_MAX]
                await _call(objects, "PutLogEvents", {**self._names, "logEvents": batch})
        except Fault as fault:
            self._is_refused = fault.sender
            log.warning("the log of %s is not kept: %s", self._names["logStreamName"], fault.message)
            return False
        return True

    async def _make(self, objects: Objects) -> None:
        group = {"logGroupName": self._names["logGroupName"]}
        for operation, parameters in (("CreateLogGroup", group), ("CreateLogStream", self._names)):
            try:
                await _call(objects, operation, parameters)
            except Fault as fault:
                if fault.code != "ResourceAlreadyExistsException":
                    raise


async def _call(objects: Objects, operation: str, parameters: dict[str, Any]) -> None:
    await objects.call("logs", operation, parameters, objects.principal, objects.region)
