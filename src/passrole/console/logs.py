"""The last lines that a step's function, EMR step, job or endpoint printed, asked as the caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import ids
from passrole.console.caller import Caller
from passrole.console.steps import PROCESSING, TRAINING, TUNING, job_of
from passrole.faults import Fault
from passrole.invocation_lines import EARLY_MS, LATE_MS, is_of

LINES_MAX = 200
BYTES_MAX = 65_536
_JOBS = "/aws/sagemaker/{}s"
_GROUPS = {kind: _JOBS.format(kind) for kind in (PROCESSING, TRAINING, "TransformJob")}
CHILDREN_MAX = 10
"""Of how many training jobs of a tuning there are lines: of those that began last."""

_ENDPOINTS = "/aws/sagemaker/Endpoints/"
_Printed = tuple[int, str]
"""When, in epoch milliseconds, and what."""


@dataclass(frozen=True)
class Tail:
    """The last lines, oldest first; `refused` is AWS's sentence where the caller may not read them."""

    lines: tuple[str, ...] = ()
    is_cut: bool = False
    refused: str = ""


async def tail(
    caller: Caller, execution: str, listed: Mapping[str, Any], lines_max: int = LINES_MAX
) -> Tail | None:
    """The tail of a step as ListPipelineExecutionSteps lists it; None of one that has no log."""
    metadata = listed.get("Metadata", {})
    if "CacheHitResult" in listed or "SelectiveExecutionResult" in listed:
        return None
    try:
        if "Arn" in metadata.get("Lambda", {}):
            return _cut(await _of_function(caller, execution, listed), lines_max)
        if "StepId" in metadata.get("EMR", {}):
            known = metadata["EMR"]
            of = {"ClusterId": known["ClusterId"], "StepId": known["StepId"]}
            return await _of_program(caller, "ReadEmrStepLog", of, lines_max)
        if "JobRunId" in metadata.get("EMRServerless", {}):
            known = metadata["EMRServerless"]
            of = {"ApplicationId": known["ApplicationId"], "JobRunId": known["JobRunId"]}
            return await _of_program(caller, "ReadJobRunLog", of, lines_max)
        if "Arn" in metadata.get("Endpoint", {}):
            return _cut(_texts(await _of_endpoint(caller, listed, lines_max)), lines_max)
        if (job := job_of(metadata)) is not None:
            return _cut(_texts(await _of_job(caller, *job, lines_max)), lines_max)
    except Fault as fault:
        if fault.code == "ResourceNotFoundException":
            return Tail()
        return Tail(refused=fault.message)
    return None


async def _of_function(caller: Caller, execution: str, listed: Mapping[str, Any]) -> list[str]:
    """Of the newest page; where it begins behind our START, its lines up to the next one are ours."""
    function = listed["Metadata"]["Lambda"]["Arn"].partition(":function:")[2].partition(":")[0]
    group = f"/aws/lambda/{function}"
    request = ids.invocation_id(execution, listed["StepName"], listed.get("AttemptCount", 1))
    began = int(listed["StartTime"] * 1000) - EARLY_MS
    found = await caller.call(
        "logs", "FilterLogEvents", logGroupName=group, startTime=began, filterPattern=f'"{request}"'
    )
    if not found["events"]:
        return []
    first = found["events"][0]
    ended = listed.get("EndTime")
    events = await caller.call(
        "logs",
        "GetLogEvents",
        logGroupName=group,
        logStreamName=first["logStreamName"],
        startTime=first["timestamp"],
        endTime=None if ended is None else int(ended * 1000) + LATE_MS,
    )
    return _ours([each["message"] for each in events["events"]], request)


def _ours(messages: Sequence[str], request: str) -> list[str]:
    """The lines of our invocation among those of a stream that others use, too."""
    own, is_ours = list[str](), not any(is_of(each, {request}, False) for each in messages)
    for message in messages:
        is_ours = is_of(message, {request}, is_ours)
        if is_ours:
            own.append(message)
    return own


async def _of_endpoint(caller: Caller, listed: Mapping[str, Any], lines_max: int) -> list[_Printed]:
    """What its model servers printed while the step ran."""
    name, ended = listed["Metadata"]["Endpoint"]["Arn"].rpartition("/")[2], listed.get("EndTime")
    window = {
        "startTime": int(listed["StartTime"] * 1000) - 1,
        "endTime": None if ended is None else int(ended * 1000) + LATE_MS,
    }
    return await _printed(caller, f"{_ENDPOINTS}{name}", "", lines_max, **window)


async def _of_job(caller: Caller, kind: str, job: str, lines_max: int) -> list[_Printed]:
    if kind != TUNING:
        return await _printed(caller, _GROUPS[kind], f"{job}/", lines_max)
    found: list[_Printed] = []
    children = await caller.call(
        "sagemaker",
        "ListTrainingJobsForHyperParameterTuningJob",
        HyperParameterTuningJobName=job,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=CHILDREN_MAX,
    )
    for each in children["TrainingJobSummaries"]:
        name = each["TrainingJobName"]
        number = name.rpartition("-")[0].rpartition("-")[2]
        lines = await _printed(caller, _GROUPS[TRAINING], f"{name}/", lines_max)
        found += [(at, f"{number} {text}") for at, text in lines]
    return found


async def _printed(
    caller: Caller, group: str, prefix: str, lines_max: int, **window: int | None
) -> list[_Printed]:
    """The last lines of each stream; where there are several, with the instance that printed them."""
    streams = await caller.call(
        "logs", "DescribeLogStreams", logGroupName=group, logStreamNamePrefix=prefix or None
    )
    found: list[_Printed] = []
    several = len(streams["logStreams"]) > 1
    for stream in streams["logStreams"]:
        name = stream["logStreamName"]
        instance = name.rpartition("/")[2].rpartition("-")[0] if several else ""
        answer = await caller.call(
            "logs",
            "GetLogEvents",
            logGroupName=group,
            logStreamName=name,
            limit=lines_max + 1,
            **window,
        )
        found += [(each["timestamp"], f"{instance} {each['message']}".lstrip()) for each in answer["events"]]
    return found


def _texts(printed: Sequence[_Printed]) -> list[str]:
    """In the order of time."""
    return [text for _, text in sorted(printed, key=lambda each: each[0])]


async def _of_program(caller: Caller, operation: str, of: Mapping[str, str], lines_max: int) -> Tail:
    """The end of either stream: programs print to the one, and Spark says why it failed on the other."""
    tails = [
        _cut(answer["Text"].splitlines(), lines_max // 2, BYTES_MAX // 2)
        for stream in ("stderr", "stdout")
        if (answer := await caller.ask(operation, **of, Stream=stream, Offset=-BYTES_MAX))
    ]
    return Tail(tuple(line for each in tails for line in each.lines), any(each.is_cut for each in tails))


def _cut(lines: list[str], lines_max: int, bytes_max: int = BYTES_MAX) -> Tail:
    """So many lines at most, and of these no more than so many characters: a page is to be read."""
    kept, room = list[str](), bytes_max
    for line in reversed(lines[-lines_max:]):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return Tail(tuple(reversed(kept)), is_cut=len(kept) < len(lines))
