"""What the instances of a processing or training job printed, read on from where the last look ended.

Group /aws/sagemaker/<Kind>Jobs, streams <job>/<instance>-<epoch>, as on AWS.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from passrole.client.connection import Client


class Printed(NamedTuple):
    """A line of one instance; `at` in epoch milliseconds, `id` of no other line of the job."""

    at: int
    id: str
    instance: str
    text: str


class JobLog:
    """The log of a job of `instances` instances; with `tail` the first look brings so many lines of each."""

    def __init__(
        self, logs: "Client", word: str, job: str, instances: int, *, tail: int | None = None
    ) -> None:
        self._logs = logs
        self._group = f"/aws/sagemaker/{word}Jobs"
        self._job = job
        self._instances = instances
        self._tail = tail
        self._tokens: dict[str, str | None] = {}

    def more(self) -> list[Printed]:
        """What was printed since the last call, oldest first; nothing where the role may not write logs.

        Raises ClientError.
        """
        try:
            self._find_streams()
            found = [line for stream in self._tokens for line in self._of_stream(stream)]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return []
        return sorted(found, key=lambda line: line.at)

    def _find_streams(self) -> None:
        if len(self._tokens) >= self._instances:
            return
        pages = self._logs.get_paginator("describe_log_streams")
        for page in pages.paginate(logGroupName=self._group, logStreamNamePrefix=f"{self._job}/"):
            for stream in page["logStreams"]:
                self._tokens.setdefault(stream["logStreamName"], None)

    def _of_stream(self, stream: str) -> Iterator[Printed]:
        instance = stream.rpartition("/")[2].rpartition("-")[0]
        while True:
            token = self._tokens[stream]
            page = self._logs.get_log_events(
                logGroupName=self._group, logStreamName=stream, **self._where(token)
            )
            if not page["events"]:
                return
            self._tokens[stream] = page["nextForwardToken"]
            for number, event in enumerate(page["events"]):
                id_ = f"{stream}/{token}/{number}"
                yield Printed(event["timestamp"], id_, instance, event["message"])

    def _where(self, token: str | None) -> dict[str, Any]:
        if token is not None:
            return {"nextToken": token, "startFromHead": True}
        return {"startFromHead": True} if self._tail is None else {"limit": self._tail}
