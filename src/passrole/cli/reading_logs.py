"""Which log lines belong to which step of an execution, by the API's own answers.

The execution knows the function and the time of a step, the log group what was written when. A worker runs
one invocation at a time, so between a START line within the step's time and the next one in the same stream
every line is of that invocation. Steps that run the same function at the same moment cannot be told apart.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from passrole.cli.connection import Connection
from passrole.cli.verbs import Misuse
from passrole.cli.watching import ENDED

_START = "START RequestId: "
_LATE_MS = 15 * 60_000
"""A function may outlive its step: Lambda's own longest timeout."""


@dataclass(frozen=True)
class Line:
    """One line of a log; `at` in epoch milliseconds, `id` CloudWatch's."""

    id: str
    at: int
    step: str
    text: str

    @property
    def moment(self) -> str:
        """Time of day in UTC, with milliseconds."""
        return datetime.fromtimestamp(self.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def execution_arn(connection: Connection, named: str) -> str:
    """The ARN behind an ARN, an execution's id or a pipeline's name. Raises Misuse, ClientError."""
    if named.startswith("arn:"):
        return named
    sagemaker = connection.client("sagemaker")
    for pipeline in _pages(sagemaker, "list_pipelines", "PipelineSummaries"):
        arn = f"{pipeline['PipelineArn']}/execution/{named}"
        try:
            sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
                raise
        else:
            return arn
    return _newest(sagemaker, named)


def has_ended(connection: Connection, arn: str) -> bool:
    """Whether nothing of the execution will run any more. Raises ClientError."""
    described = connection.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    return described["PipelineExecutionStatus"] in ENDED


def lines(connection: Connection, arn: str, step: str | None) -> list[Line]:
    """What was written, in the order of steps and time. Raises Misuse, ClientError."""
    found: list[Line] = []
    for listed in _steps(connection, arn, step):
        function = listed.get("Metadata", {}).get("Lambda", {}).get("Arn")
        if function and "StartTime" in listed:
            name = function.split(":function:")[1].partition(":")[0]
            found += _of_step(connection, listed, f"/aws/lambda/{name}")
    return found


def silent(connection: Connection, arn: str, step: str | None, heard: set[str]) -> Iterator[str]:
    """A sentence for each step of which there is no line. Raises ClientError."""
    for listed in _steps(connection, arn, step):
        name = listed["StepName"]
        if name in heard:
            continue
        if "Lambda" in listed.get("Metadata", {}):
            yield (
                f"`{name}` has no logs: its function did not run, or the function's role may not write them"
                " (logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents)"
            )
        elif step is not None:
            yield f"`{name}` has no logs: only Lambda steps write any"


def selected(events: Sequence[Mapping[str, Any]], start: int, end: int) -> Iterator[Mapping[str, Any]]:
    """The events of invocations that began between `start` and `end`, epoch milliseconds; in their order."""
    within: dict[str, bool] = {}
    for event in events:
        stream = event["logStreamName"]
        if event["message"].startswith(_START):
            within[stream] = start <= event["timestamp"] <= end
        if within.get(stream):
            yield event


def _newest(sagemaker: Any, pipeline: str) -> str:
    try:
        listed = sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=1)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
            raise
        raise Misuse(f"there is no execution and no pipeline `{pipeline}`") from error
    if not listed["PipelineExecutionSummaries"]:
        raise Misuse(f"the pipeline `{pipeline}` has not been started yet")
    return str(listed["PipelineExecutionSummaries"][0]["PipelineExecutionArn"])


def _steps(connection: Connection, arn: str, step: str | None) -> list[Mapping[str, Any]]:
    sagemaker = connection.client("sagemaker")
    asked = {"PipelineExecutionArn": arn, "SortOrder": "Ascending"}
    found = list(_pages(sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", **asked))
    if step is None:
        return found
    chosen = [each for each in found if each["StepName"] == step]
    if not chosen:
        raise Misuse(f"the execution has no step `{step}` yet")
    return chosen


def _of_step(connection: Connection, listed: Mapping[str, Any], group: str) -> Iterable[Line]:
    start = int(listed["StartTime"].timestamp() * 1000)
    ended = listed.get("EndTime")
    end = int(ended.timestamp() * 1000) + 1 if ended else start + _LATE_MS
    asked = {"logGroupName": group, "startTime": start, "endTime": end + _LATE_MS}
    try:
        events = list(_pages(connection.client("logs"), "filter_log_events", "events", **asked))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return ()
    return [
        Line(event["eventId"], event["timestamp"], listed["StepName"], event["message"])
        for event in selected(events, start, end)
    ]


def _pages(client: Any, operation: str, member: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page[member]
