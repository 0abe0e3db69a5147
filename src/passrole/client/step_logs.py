"""The log lines of each step of an execution: of functions, and of EMR steps.

A step's function is invoked under a request id that follows from execution, step and attempt. A worker runs
one invocation at a time, so from the START line with that id on, every line of the same stream is the
step's, up to the next START line. What an EMR step wrote is kept with it, line by line without times.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from passrole import ids
from passrole.client.connection import Connection
from passrole.client.errors import InvalidInput
from passrole.client.progress import ENDED

_START = "START RequestId: "


@dataclass(frozen=True)
class Line:
    """One line of a log; `at` in epoch milliseconds, `id` CloudWatch's."""

    id: str
    at: int
    step: str
    text: str

    @property
    def time_of_day(self) -> str:
        """The time in UTC, with milliseconds."""
        return datetime.fromtimestamp(self.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def execution_arn(connection: Connection, named: str) -> str:
    """The ARN of an execution, given by ARN, id or pipeline name. Raises InvalidInput, ClientError."""
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
    """Whether the execution has ended. Raises ClientError."""
    described = connection.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    return described["PipelineExecutionStatus"] in ENDED


def lines(connection: Connection, arn: str, step: str | None) -> list[Line]:
    """The lines in the order of steps and time. Raises InvalidInput, ClientError."""
    found: list[Line] = []
    for listed in _steps(connection, arn, step):
        if "StartTime" in listed and _function(listed):
            found += _of_step(connection, arn, listed)
        elif "StartTime" in listed and "StepId" in listed.get("Metadata", {}).get("EMR", {}):
            found += _of_emr_step(connection, listed)
    return found


def steps_without_lines(connection: Connection, arn: str, step: str | None, shown: set[str]) -> Iterator[str]:
    """A message for each step without log lines. Raises ClientError."""
    for listed in _steps(connection, arn, step):
        name = listed["StepName"]
        if name in shown:
            continue
        if "Lambda" in listed.get("Metadata", {}):
            yield (
                f"`{name}` has no logs: its function did not run, or the function's role may not write them"
                " (logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents)"
            )
        elif "EMR" in listed.get("Metadata", {}):
            yield f"`{name}` has no logs: its program has written nothing"
        elif step is not None:
            yield f"`{name}` has no logs: only Lambda and EMR steps write any"


def selected(events: Iterable[Mapping[str, Any]], requests: Container[str]) -> Iterator[Mapping[str, Any]]:
    """The events of the invocations with these request ids, in their order."""
    within: dict[str, bool] = {}
    for event in events:
        stream, message = event["logStreamName"], event["message"]
        if message.startswith(_START):
            within[stream] = message.removeprefix(_START).partition(" ")[0] in requests
        if within.get(stream):
            yield event


def _newest(sagemaker: Any, pipeline: str) -> str:
    try:
        listed = sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=1)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
            raise
        raise InvalidInput(f"there is no execution and no pipeline `{pipeline}`") from error
    if not listed["PipelineExecutionSummaries"]:
        raise InvalidInput(f"the pipeline `{pipeline}` has not been started yet")
    return str(listed["PipelineExecutionSummaries"][0]["PipelineExecutionArn"])


def _steps(connection: Connection, arn: str, step: str | None) -> list[Mapping[str, Any]]:
    sagemaker = connection.client("sagemaker")
    parameters = {"PipelineExecutionArn": arn, "SortOrder": "Ascending"}
    found = list(_pages(sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", **parameters))
    if step is None:
        return found
    chosen = [each for each in found if each["StepName"] == step]
    if not chosen:
        raise InvalidInput(f"the execution has no step `{step}` yet")
    return chosen


def _function(listed: Mapping[str, Any]) -> str:
    """The name of a Lambda step's function, empty for other steps and before the function is known."""
    arn = str(listed.get("Metadata", {}).get("Lambda", {}).get("Arn", ""))
    return arn.partition(":function:")[2].partition(":")[0]


def _of_step(connection: Connection, arn: str, listed: Mapping[str, Any]) -> Iterable[Line]:
    name, attempts = listed["StepName"], int(listed.get("AttemptCount", 1))
    requests = {ids.invocation_id(arn, name, attempt + 1) for attempt in range(attempts)}
    parameters: dict[str, Any] = {"logGroupName": f"/aws/lambda/{_function(listed)}"}
    if attempts == 1:  # earlier attempts began before the listed start time
        parameters["startTime"] = (
            int(listed["StartTime"].timestamp() * 1000) - 1
        )  # fractions do not divide evenly
    try:
        events = list(_pages(connection.client("logs"), "filter_log_events", "events", **parameters))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return ()
    return [
        Line(event["eventId"], event["timestamp"], name, event["message"])
        for event in selected(events, requests)
    ]


def _of_emr_step(connection: Connection, listed: Mapping[str, Any]) -> Iterator[Line]:
    """Standard error first, then standard output; an unfinished last line is left out."""
    known, began = listed["Metadata"]["EMR"], int(listed["StartTime"].timestamp() * 1000)
    for stream in ("stderr", "stdout"):
        text, offset = "", 0
        parameters = {"ClusterId": known["ClusterId"], "StepId": known["StepId"], "Stream": stream}
        while (answer := connection.ask("ReadEmrStepLog", {**parameters, "Offset": offset}))["Text"]:
            text, offset = text + answer["Text"], answer["Offset"]
        lines = text.splitlines(keepends=True)
        whole = lines if "EndTime" in listed or text.endswith("\n") else lines[:-1]
        for number, line in enumerate(whole):
            yield Line(f"{known['StepId']}/{stream}/{number}", began, listed["StepName"], line.rstrip("\r\n"))


def _pages(client: Any, operation: str, member: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[member]
