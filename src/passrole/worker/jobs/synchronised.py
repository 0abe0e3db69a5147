"""Brings changed files of a running job to S3: checkpoints, and outputs with S3UploadMode Continuous.

The program goes on meanwhile and may be hostile, so files are opened without following any link. What cannot
be brought now is tried again; the job's end brings what is left, and fails where that is refused. Files that
the program removes stay in S3.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

import logging
from collections.abc import Awaitable, Callable

from passrole.faults import Fault
from passrole.worker.jobs import outputs
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.outputs import Output, Sent
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects

log = logging.getLogger(__name__)


class SynchronisedFolder:
    """An output that goes to S3 while the program runs. See following.Follower."""

    seconds = 5.0

    def __init__(
        self, output: Output, instance: Instance, sent: Sent, session: Callable[[], Awaitable[Objects]]
    ) -> None:
        self._output = output
        self._instance = instance
        self._sent = sent
        self._session = session
        self._told = ""

    async def bring(self, *, is_last: bool = False) -> None:
        """Upload what has changed; what is left at the last time is uploaded with the other outputs."""
        if is_last:
            return
        try:
            objects = await self._session()
            await outputs.upload(objects, self._output, self._instance.ml, self._sent)
        except (Fault, JobFailed, OSError) as error:
            if str(error) != self._told:
                log.warning("%s is not in S3 yet: %s", self._output.path, error)
            self._told = str(error)
