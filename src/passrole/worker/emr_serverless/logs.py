"""The logs of a job run of EMR Serverless where its monitoring configuration says, written as its role.

https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html
"""

import asyncio
import gzip
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from passrole.clock import Clock
from passrole.faults import Fault
from passrole.runtimes.jobs import STDERR, STDOUT
from passrole.services.emr_serverless.records import JobRun
from passrole.worker.following import Follower
from passrole.worker.jobs.log_stream import LogStream
from passrole.worker.jobs.s3 import Objects, address

log = logging.getLogger(__name__)

GROUP = "/aws/emr-serverless"
DRIVER = "SPARK_DRIVER"
_STREAMS = (STDERR, STDOUT)

Session = Callable[[], Awaitable[Objects]]


def monitoring(run: JobRun) -> Mapping[str, Any]:
    """The monitoring configuration: the job run's own parts in place of the application's."""
    overrides = run.asked.get("configurationOverrides") or {}
    return {**run.monitoring, **(overrides.get("monitoringConfiguration") or {})}


def where(run: JobRun) -> str | None:
    """The folder in S3 that gets the driver's logs, if one does."""
    uri = monitoring(run).get("s3MonitoringConfiguration", {}).get("logUri")
    return f"{str(uri).rstrip('/')}/{_path(run)}" if uri else None


def streams(run: JobRun, folder: Path, session: Session, clock: Clock) -> Iterator[Follower]:
    """What brings the driver's output to CloudWatch Logs while it runs."""
    given = monitoring(run).get("cloudWatchLoggingConfiguration", {})
    if not given.get("enabled"):
        return
    kinds = given.get("logTypes", {DRIVER: _STREAMS}).get(DRIVER, ())
    prefix = str(given.get("logStreamNamePrefix", "")).rstrip("/")
    for stream in _STREAMS:
        if stream in [str(kind).lower() for kind in kinds]:
            name = f"{prefix}/{_path(run)}/{stream}"
            yield LogStream(given.get("logGroupName", GROUP), name, folder, session, clock, source=stream)


async def copy_to_s3(run: JobRun, folder: Path, session: Session) -> None:
    """Write the driver's output to S3. A role that may not has none there; the job run ends all the same."""
    target = where(run)
    if target is None:
        return
    try:
        base, objects = address(target), await session()
        for stream in _STREAMS:
            place = base.below(f"{stream}.gz")
            body = await asyncio.to_thread(_zipped, folder / stream)
            parameters = {"Bucket": place.bucket, "Key": place.key, "Body": body, **_sealed(run)}
            await objects.call("s3", "PutObject", parameters, objects.principal, objects.region)
    except (Fault, ValueError) as error:
        log.warning("the logs of %s were not brought to %s: %s", run.arn, target, error)


def _sealed(run: JobRun) -> dict[str, str]:
    """The members of PutObject for the key that the configuration names, if it does."""
    key = monitoring(run).get("s3MonitoringConfiguration", {}).get("encryptionKeyArn")
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": str(key)} if key else {}


def _path(run: JobRun) -> str:
    attempt = f"/attempts/{run.attempt}" if run.attempts_max > 1 else ""
    return f"applications/{run.application_id}/jobs/{run.id}{attempt}/{DRIVER}"


def _zipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes() if path.exists() else b"")
