"""The logs of an EMR step: the controller's own, and all of them brought to the cluster's LogUri.

https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-view-web-log-files.html
"""

import asyncio
import gzip
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from passrole import disk, iso8601
from passrole.clock import Clock
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.runtimes.jobs import STDERR, STDOUT
from passrole.services.context import CallOperation
from passrole.services.emr import commands
from passrole.services.emr.records import Cluster, EmrStep

log = logging.getLogger(__name__)

CONTROLLER = "controller"
_LOGGED = (CONTROLLER, STDERR, STDOUT)


class EmrStepLogs:
    """Writes the controller's log of a step's folder, and copies a step's logs to S3."""

    def __init__(self, call: CallOperation, clock: Clock) -> None:
        self._call = call
        self._clock = clock

    def note(self, folder: Path, text: str) -> None:
        """Append a line to the controller's log; a disk that refuses it changes nothing of what happened."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / CONTROLLER).open("a") as file:
                file.write(f"{iso8601.milliseconds(self._clock())} {text}\n")
        except OSError as error:
            disk.report(log, error, f"a line of {folder / CONTROLLER}")

    async def copy_to_s3(
        self, cluster: Cluster, step: EmrStep, folder: Path, assume: Callable[[], Awaitable[Principal]]
    ) -> str | None:
        """Write the logs to the LogUri as EMR lays them out, as the role that `assume` gives; where they are,
        or None if nowhere.
        """
        target = commands.split_uri(f"{cluster.log_uri}/{cluster.id}/steps/{step.id}")
        if target is None:
            return None
        bucket, base = target
        try:
            principal = await assume()
            for name in _LOGGED:
                body = await asyncio.to_thread(_zipped, folder / name)
                parameters = {"Bucket": bucket, "Key": f"{base}/{name}.gz", "Body": body}
                await self._call("s3", "PutObject", parameters, principal, cluster.region)
        except Fault as fault:
            self.note(folder, f"WARN the logs were not brought to {cluster.log_uri}: {fault.message}")
            log.info("logs of %s were not brought to %s: %s", step.id, cluster.log_uri, fault.message)
            return None
        return f"s3://{bucket}/{base}"


def _zipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes() if path.exists() else b"")
