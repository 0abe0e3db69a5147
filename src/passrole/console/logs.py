"""The last lines that a step's function, EMR step or job printed, asked as the caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from passrole import ids
from passrole.console.caller import Caller
from passrole.faults import Fault

LINES_MAX = 200
BYTES_MAX = 65_536
_START = "START RequestId: "
_WORDS = {"ProcessingJob": "Processing", "TrainingJob": "Training", "TransformJob": "Transform"}


@dataclass(frozen=True)
class Tail:
    """The last lines, oldest first; `refused` is AWS's sentence where the caller may not read them."""

    lines: tuple[str, ...] = ()
    is_cut: bool = False
    refused: str = ""


async def tail(caller: Caller, execution: str, listed: Mapping[str, Any]) -> Tail | None:
    """The tail of a step as ListPipelineExecutionSteps lists it; None of one that has no log."""
    metadata = listed.get("Metadata", {})
    if "CacheHitResult" in listed or "SelectiveExecutionResult" in listed:
        return None
    try:
        if "Arn" in metadata.get("Lambda", {}):
            return _cut(await _of_function(caller, execution, listed))
        if "StepId" in metadata.get("EMR", {}):
            return _cut(await _of_emr_step(caller, metadata["EMR"]))
        for member, word in _WORDS.items():
            if "Arn" in metadata.get(member, {}):
                return _cut(await _of_job(caller, word, metadata[member]["Arn"].rpartition("/")[2]))
    except Fault as fault:
        if fault.code == "ResourceNotFoundException":
            return Tail()
        return Tail(refused=fault.message)
    return None


async def _of_function(caller: Caller, execution: str, listed: Mapping[str, Any]) -> list[str]:
    """A worker runs one invocation at a time: a stream's lines from our START to the next one are ours."""
    function = listed["Metadata"]["Lambda"]["Arn"].partition(":function:")[2].partition(":")[0]
    group = f"/aws/lambda/{function}"
    request = ids.invocation_id(execution, listed["StepName"], listed.get("AttemptCount", 1))
    began = int(listed["StartTime"] * 1000) - 1
    found = await caller.call(
        "logs", "FilterLogEvents", logGroupName=group, startTime=began, filterPattern=f'"{request}"'
    )
    if not found["events"]:
        return []
    stream = found["events"][0]["logStreamName"]
    events = await caller.call(
        "logs", "GetLogEvents", logGroupName=group, logStreamName=stream, startTime=began, startFromHead=True
    )
    lines, is_ours = list[str](), False
    for event in events["events"]:
        if event["message"].startswith(_START):
            is_ours = event["message"].startswith(_START + request)
        if is_ours:
            lines.append(event["message"])
    return lines


async def _of_job(caller: Caller, word: str, job: str) -> list[str]:
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
            "logs", "GetLogEvents", logGroupName=group, logStreamName=name, limit=LINES_MAX
        )
        events += [(each["timestamp"], f"{instance} {each['message']}".lstrip()) for each in answer["events"]]
    return [text for _, text in sorted(events, key=lambda each: each[0])]


async def _of_emr_step(caller: Caller, known: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for stream in ("stderr", "stdout"):
        answer = await caller.ask(
            "ReadEmrStepLog", ClusterId=known["ClusterId"], StepId=known["StepId"], Stream=stream
        )
        lines += answer["Text"].splitlines()
    return lines


def _cut(lines: list[str]) -> Tail:
    """LINES_MAX at most, and of these no more than BYTES_MAX: a page is to be read."""
    kept, room = list[str](), BYTES_MAX
    for line in reversed(lines[-LINES_MAX:]):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return Tail(tuple(reversed(kept)), is_cut=len(kept) < len(lines))
