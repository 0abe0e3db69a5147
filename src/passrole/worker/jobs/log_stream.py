"""Brings what a job's program prints to CloudWatch Logs while it runs, as the job's own role.

The SDK's `logs=True` reads it there: group /aws/sagemaker/<Kind>Jobs, stream <job>/<host>-<epoch>. A role
that may not write logs has none; the job goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from passrole.clock import Clock
from passrole.faults import Fault
from passrole.runtimes import jobs as processes
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects

log = logging.getLogger(__name__)

_BYTES_MAX = 256 * 1024
"""Of one reading; a batch of PutLogEvents takes 1 MiB with 26 bytes more for each line."""

_MARK = "logged"
"""A file beside the output: how many of its bytes are in the stream, for a server that comes after."""


class LogStream:
    """The log of one instance. `bring` as often as it should be seen."""

    def __init__(
        self,
        kind: JobKind,
        job: Job,
        instance: Instance,
        session: Callable[[], Awaitable[Objects]],
        clock: Clock,
    ) -> None:
        self._names = {
            "logGroupName": f"/aws/sagemaker/{kind.member}s",
            "logStreamName": f"{job.name}/{instance.host}-{int(job.created)}",
        }
        self._folder = instance.run
        self._session = session
        self._clock = clock
        self._offset = self._marked()
        self._is_refused = False

    async def bring(self, *, is_last: bool = False) -> None:
        """Everything up to the last whole line; at the last call also what follows it."""
        while not self._is_refused:
            read = await asyncio.to_thread(
                processes.read_output, self._folder, processes.STDOUT, self._offset, _BYTES_MAX
            )
            whole = read if is_last or len(read) == _BYTES_MAX else read[: read.rfind(b"\n") + 1]
            if not whole:
                return
            await self._put(whole.splitlines())
            self._offset += len(whole)
            with suppress(OSError):  # then some lines come twice
                (self._folder / _MARK).write_text(str(self._offset))

    async def _put(self, lines: list[bytes]) -> None:
        now = int(self._clock() * 1000)
        events = [{"timestamp": now, "message": line.decode(errors="replace")} for line in lines if line]
        try:
            objects = await self._session()  # refused where the role was deleted meanwhile
            if self._offset == 0:
                await self._make(objects)
            if events:
                await _call(objects, "PutLogEvents", {**self._names, "logEvents": events})
        except Fault as fault:
            self._is_refused = True
            log.warning("the log of %s is not kept: %s", self._names["logStreamName"], fault.message)

    async def _make(self, objects: Objects) -> None:
        group = {"logGroupName": self._names["logGroupName"]}
        for operation, parameters in (("CreateLogGroup", group), ("CreateLogStream", self._names)):
            try:
                await _call(objects, operation, parameters)
            except Fault as fault:
                if fault.code != "ResourceAlreadyExistsException":
                    raise

    def _marked(self) -> int:
        try:
            return int((self._folder / _MARK).read_text())
        except (OSError, ValueError):
            return 0


async def _call(objects: Objects, operation: str, parameters: dict[str, Any]) -> None:
    await objects.call("logs", operation, parameters, objects.principal, objects.region)
