"""The last lines that a step's function, EMR step or job printed, asked as the caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import ids
from passrole.console.caller import Caller
from passrole.faults import Fault

LINES_MAX = 200
BYTES_MAX = 65_536
_LATE_MS = 1_000
"""How long after its step a function's last lines may be written."""
_START = "START RequestId: "
_WORDS = {"ProcessingJob": "Processing", "TrainingJob": "Training", "TransformJob": "Transform"}


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
        for member, word in _WORDS.items():
            if "Arn" in metadata.get(member, {}):
                job = metadata[member]["Arn"].rpartition("/")[2]
                return _cut(await _of_job(caller, word, job, lines_max), lines_max)
    except Fault as fault:
        if fault.code == "ResourceNotFoundException":
            return Tail()
        return Tail(refused=fault.message)
    return None


async def _of_function(caller: Caller, execution: str, listed: Mapping[str, Any]) -> list[str]:
    """A worker runs one invocation at a time: a stream's lines from our START to the next one are ours.

    The newest page is asked for. Where it begins behind our START, its lines up to the next one are ours.
    """
    function = listed["Metadata"]["Lambda"]["Arn"].partition(":function:")[2].partition(":")[0]
    group = f"/aws/lambda/{function}"
    request = ids.invocation_id(execution, listed["StepName"], listed.get("AttemptCount", 1))
    began = int(listed["StartTime"] * 1000) - 1
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
        endTime=None if ended is None else int(ended * 1000) + _LATE_MS,
    )
    return _ours([each["message"] for each in events["events"]], request)


def _ours(messages: Sequence[str], request: str) -> list[str]:
    """The lines of our invocation among those of a stream that others use, too."""
    own, is_ours = list[str](), not any(each.startswith(_START + request) for each in messages)
    for message in messages:
        if message.startswith(_START):
            is_ours = message.startswith(_START + request)
        if is_ours:
            own.append(message)
    return own


async def _of_job(caller: Caller, word: str, job: str, lines_max: int) -> list[str]:
    group = f"/aws/sagemaker/{word}Jobs"
    streams = await caller.call(
        "logs", "DescribeLogStreams", logGroupName=group, logStreamNamePrefix=f"{job}/"
    )
    events: list[tuple[int, str]] = []
    several = len(streams["logStreams"]) > 1
    for stream in streams["logStreams"]:
        name = stream["logStreamName"]
        instance = name.rpartition("/")[2].rpartition("-")[0] if several else ""
        answer = await caller.call(
            "logs", "GetLogEvents", logGroupName=group, logStreamName=name, limit=lines_max + 1
        )
        events += [(each["timestamp"], f"{instance} {each['message']}".lstrip()) for each in answer["events"]]
    return [text for _, text in sorted(events, key=lambda each: each[0])]


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
