"""The log lines of each step of an execution: of functions, EMR steps, jobs, and model servers of endpoints.

A step's function is invoked under a request id that follows from execution, step and attempt, by which its
lines are found (invocation_lines.py). What an EMR step wrote is kept with it, line by line without times. The
log of a job is of that job alone, and a step that was tried again had one for each attempt.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from passrole import ids
from passrole.client.connection import Connection
from passrole.client.errors import InvalidInput
from passrole.client.job_log import JobLog
from passrole.client.jobs import describe, instances
from passrole.client.listing import pages
from passrole.client.progress import ENDED, job_of, taken_from
from passrole.invocation_lines import EARLY_MS, LATE_MS, is_of
from passrole.needs.table import STEP_TAG

_LATE_SECONDS, _SILENT_SECONDS = 1.0, 3.0
"""How long after its function's return a step's log may still come: where it has lines, where it has none.
Logs are gathered for half a second before they are delivered (worker/log_delivery.py).
"""
_RIGHTS = "logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents"


@dataclass(frozen=True)
class Line:
    """One line of a log; `at` in epoch milliseconds, `id` of no other line.

    `instance` is the one that printed it, where a job has several.
    """

    id: str
    at: int
    step: str
    text: str
    instance: str = ""

    @property
    def time_of_day(self) -> str:
        """The time in UTC, with milliseconds."""
        return datetime.fromtimestamp(self.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def has_ended(connection: Connection, arn: str) -> bool:
    """Whether the execution has ended. Raises ClientError."""
    described = connection.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    return described["PipelineExecutionStatus"] in ENDED


class StepLogs:
    """The lines of an execution's steps, or of one `step`, read on from look to look. A loop, or a step of
    its body, means the steps of all iterations.
    """

    def __init__(self, connection: Connection, arn: str, step: str | None = None) -> None:
        self._connection = connection
        self._arn = arn
        self._step = step
        self._shown: set[str] = set()
        self._written: set[str] = set()
        self._jobs: dict[str, _Job] = {}
        self._attempts: dict[str, int] = {}

    def new_lines(self) -> list[Line]:
        """What was not returned before, in the order of steps and time. Raises InvalidInput, ClientError."""
        found = [line for listed in self._listed() for line in self._of_step(listed)]
        new = [line for line in found if line.id not in self._shown]
        self._shown |= {line.id for line in new}
        self._written |= {line.step for line in new}
        return new

    def silent_steps(self) -> Iterator[str]:
        """A message for each step that has written nothing. Raises ClientError."""
        for listed in self._listed():
            name = listed["StepName"]
            why = None if name in self._written else _why_silent(listed, is_asked=self._step is not None)
            if why is not None:
                yet = "" if "EndTime" in listed else " yet"
                yield f"`{name}` has no logs{yet}: {why}"

    def is_late(self, now: float) -> bool:
        """Whether a function has just returned, so that its log may still come; `now` in epoch seconds.

        The log of a function is delivered after it has returned. Raises ClientError.
        """
        for listed in self._listed():
            if _function(listed) and "EndTime" in listed and not taken_from(listed):
                since = now - listed["EndTime"].timestamp()
                if since < (_LATE_SECONDS if listed["StepName"] in self._written else _SILENT_SECONDS):
                    return True
        return False

    def _listed(self) -> list[Mapping[str, Any]]:
        return _steps(self._connection, self._arn, self._step)

    def _of_step(self, listed: Mapping[str, Any]) -> Iterable[Line]:
        if "StartTime" not in listed or taken_from(listed):
            return ()
        if _function(listed):
            return _of_function(self._connection, self._arn, listed)
        if "StepId" in listed.get("Metadata", {}).get("EMR", {}):
            known = listed["Metadata"]["EMR"]
            named = {"ClusterId": known["ClusterId"], "StepId": known["StepId"]}
            return _of_program(self._connection, listed, "ReadEmrStepLog", named)
        if "JobRunId" in listed.get("Metadata", {}).get("EMRServerless", {}):
            known = listed["Metadata"]["EMRServerless"]
            named = {"ApplicationId": known["ApplicationId"], "JobRunId": known["JobRunId"]}
            return _of_program(self._connection, listed, "ReadJobRunLog", named)
        if "Endpoint" in listed.get("Metadata", {}):
            return _of_endpoint(self._connection, listed)
        if _tuning_job(listed):
            return self._of_children(listed)
        return self._of_jobs(listed) if job_of(listed) else ()

    def _of_children(self, listed: Mapping[str, Any]) -> Iterator[Line]:
        """The logs of a tuning job's training jobs; the number of the job stands where instances are told."""
        sagemaker, name = self._connection.client("sagemaker"), _tuning_job(listed)
        operation = "list_training_jobs_for_hyper_parameter_tuning_job"
        for job in pages(sagemaker, operation, "TrainingJobSummaries", HyperParameterTuningJobName=name):
            arn = str(job["TrainingJobArn"])
            if arn not in self._jobs:
                self._jobs[arn] = _Job(self._connection, arn)
            number = arn.removesuffix(arn[arn.rindex("-") :]).rpartition("-")[2]
            for line in self._jobs[arn].new_lines(listed["StepName"]):
                yield replace(line, instance=f"{number}/{line.instance}" if line.instance else number)

    def _of_jobs(self, listed: Mapping[str, Any]) -> Iterator[Line]:
        for arn in self._arns(listed):
            if arn not in self._jobs:
                self._jobs[arn] = _Job(self._connection, arn)
            yield from self._jobs[arn].new_lines(listed["StepName"])

    def _arns(self, listed: Mapping[str, Any]) -> Iterator[str]:
        """The jobs of the attempts before are looked for once, by what AWS has them named and tagged with."""
        name, attempts, newest = listed["StepName"], int(listed.get("AttemptCount", 1)), job_of(listed)
        if attempts > self._attempts.get(name, 1):
            self._attempts[name] = attempts
            yield from (arn for arn in _jobs_of(self._connection, self._arn, listed) if arn != newest)
        yield newest


class _Job:
    """The log of one job; what was read of a job that has ended is all."""

    def __init__(self, connection: Connection, arn: str) -> None:
        word, name, described = describe(connection.client("sagemaker"), arn)
        self._has_several = instances(described) > 1
        self._log = JobLog(connection.client("logs"), word, name, instances(described))

    def new_lines(self, step: str) -> Iterator[Line]:
        for each in self._log.more():
            yield Line(each.id, each.at, step, each.text, each.instance if self._has_several else "")


def _why_silent(listed: Mapping[str, Any], *, is_asked: bool) -> str | None:
    """None of a step that has no reason to have a log, unless it `is_asked` for."""
    name, metadata, source = listed["StepName"], listed.get("Metadata", {}), taken_from(listed)
    if source and job_of(listed):
        id_ = source.rpartition("/")[2]
        return f"its result is from an earlier execution (`passrole logs {id_} {name}` shows them)"
    if "Lambda" in metadata and "EndTime" not in listed:
        return "its function runs, and its log comes when it returns (`--follow` waits for it)"
    if "EndTime" not in listed and (_on_spark(metadata) or job_of(listed) or _tuning_job(listed)):
        return "its program has written nothing yet (`--follow` waits for it)"
    if "Lambda" in metadata:
        return f"its function did not run, or the function's role may not write them ({_RIGHTS})"
    if _on_spark(metadata):
        return "its program has written nothing"
    if job_of(listed) or _tuning_job(listed):
        return f"its program has written nothing, or the job's role may not write them ({_RIGHTS})"
    if "Endpoint" in metadata:
        return f"its model server has written nothing, or the model's role may not write them ({_RIGHTS})"
    return "it has run no function, EMR step or job" if is_asked else None


def _on_spark(metadata: Mapping[str, Any]) -> bool:
    return "EMR" in metadata or "EMRServerless" in metadata


def selected(events: Iterable[Mapping[str, Any]], requests: Container[str]) -> Iterator[Mapping[str, Any]]:
    """The events of the invocations with these request ids, in their order."""
    within: dict[str, bool] = {}
    for event in events:
        stream = event["logStreamName"]
        within[stream] = is_of(event["message"], requests, within.get(stream, False))
        if within[stream]:
            yield event


def _steps(connection: Connection, arn: str, step: str | None) -> list[Mapping[str, Any]]:
    sagemaker = connection.client("sagemaker")
    parameters = {"PipelineExecutionArn": arn, "SortOrder": "Ascending"}
    found = list(pages(sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", **parameters))
    if step is None:
        return found
    inside = [each for each in found if step in _is_inside(each)]
    chosen = inside or [each for each in found if each["StepName"] == step]
    if not chosen:
        raise InvalidInput(f"the execution has no step `{step}` yet")
    return chosen


def _is_inside(listed: Mapping[str, Any]) -> tuple[str, ...]:
    """The loop that a step of an iteration is from, and the step of its body."""
    context = listed.get("IterationContext")
    return (context["ParentStepName"], listed["StepName"].rpartition("-")[0]) if context else ()


def _tuning_job(listed: Mapping[str, Any]) -> str:
    """The name of a Tuning step's job; empty for other steps."""
    arn = str(listed.get("Metadata", {}).get("TuningJob", {}).get("Arn", ""))
    return arn.rpartition("/")[2]


def _function(listed: Mapping[str, Any]) -> str:
    """The name of a Lambda step's function, empty for other steps and before the function is known."""
    arn = str(listed.get("Metadata", {}).get("Lambda", {}).get("Arn", ""))
    return arn.partition(":function:")[2].partition(":")[0]


def _of_function(connection: Connection, arn: str, listed: Mapping[str, Any]) -> Iterable[Line]:
    name, attempts = listed["StepName"], int(listed.get("AttemptCount", 1))
    requests = {ids.invocation_id(arn, name, attempt + 1) for attempt in range(attempts)}
    parameters: dict[str, Any] = {"logGroupName": f"/aws/lambda/{_function(listed)}"}
    if attempts == 1:  # earlier attempts began before the listed start time
        parameters["startTime"] = int(listed["StartTime"].timestamp() * 1000) - EARLY_MS
    return [_line(name, event) for event in selected(_events(connection, parameters), requests)]


def _of_endpoint(connection: Connection, listed: Mapping[str, Any]) -> Iterable[Line]:
    """What the endpoint's model servers wrote while the step ran."""
    endpoint = str(listed["Metadata"]["Endpoint"]["Arn"]).rpartition("/")[2]
    parameters: dict[str, Any] = {
        "logGroupName": f"/aws/sagemaker/Endpoints/{endpoint}",
        "startTime": int(listed["StartTime"].timestamp() * 1000) - 1,
    }
    if "EndTime" in listed:
        parameters["endTime"] = int(listed["EndTime"].timestamp() * 1000) + LATE_MS
    return [_line(listed["StepName"], event) for event in _events(connection, parameters)]


def _events(connection: Connection, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The events of a log group; none where there is no such group."""
    try:
        return list(pages(connection.client("logs"), "filter_log_events", "events", **parameters))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return []


def _line(step: str, event: Mapping[str, Any]) -> Line:
    return Line(event["eventId"], event["timestamp"], step, event["message"])


def _of_program(
    connection: Connection, listed: Mapping[str, Any], operation: str, named: Mapping[str, str]
) -> Iterator[Line]:
    """Standard error first, then standard output; an unfinished last line is left out.

    A line is known by where it begins in its stream, of which some servers have the end alone.
    """
    began, id_, step = (
        int(listed["StartTime"].timestamp() * 1000),
        "/".join(named.values()),
        listed["StepName"],
    )
    for stream in ("stderr", "stdout"):
        first, text = _text_of(connection, operation, {**named, "Stream": stream})
        if first:
            missing = f"[{first} bytes of {stream} before this are on the server that ran it]"
            yield Line(f"{id_}/{stream}/missing", began, step, missing)
        lines = text.splitlines(keepends=True)
        whole = lines if "EndTime" in listed or text.endswith("\n") else lines[:-1]
        for line in whole:
            yield Line(f"{id_}/{stream}/{first}", began, step, line.rstrip("\r\n"))
            first += len(line.encode())


def _text_of(connection: Connection, operation: str, parameters: Mapping[str, str]) -> tuple[int, str]:
    """Where the text begins in its stream, and all of it."""
    answer = connection.ask(operation, {**parameters, "Offset": 0})
    first, text = answer.get("Start", 0), answer["Text"]
    while answer["Text"]:
        answer = connection.ask(operation, {**parameters, "Offset": answer["Offset"]})
        text += answer["Text"]
    return first, text


def _jobs_of(connection: Connection, arn: str, listed: Mapping[str, Any]) -> Iterator[str]:
    """The ARNs of all jobs that the execution made for the step, oldest first."""
    sagemaker = connection.client("sagemaker")
    known = (word for word in ("Training", "Transform") if f"{word}Job" in listed["Metadata"])
    word = next(known, "Processing")
    asked = {"NameContains": arn.rpartition("/")[2], "SortBy": "CreationTime", "SortOrder": "Ascending"}
    for job in pages(sagemaker, f"list_{word.lower()}_jobs", f"{word}JobSummaries", **asked):
        found = str(job[f"{word}JobArn"])
        tags = sagemaker.list_tags(ResourceArn=found)["Tags"]
        if {"Key": STEP_TAG, "Value": listed["StepName"]} in tags:
            yield found
