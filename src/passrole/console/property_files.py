"""The beginnings of the property files that a Processing step's job has written, read as the caller."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from passrole.console.caller import Caller
from passrole.faults import Fault

BYTES_MAX = 65_536
FILES_MAX = 10


@dataclass(frozen=True)
class PropertyFile:
    """What a file begins with, and whether that is not all; `refused` is why the caller cannot read it."""

    name: str
    uri: str
    text: str = ""
    is_cut: bool = False
    refused: str = ""


async def read(
    caller: Caller, declared: Iterable[Mapping[str, Any]], job: Mapping[str, Any]
) -> list[PropertyFile]:
    """The property files that a step declares, where its job (as DescribeProcessingJob has it) wrote them."""
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", ())
    folders = {each["OutputName"]: each.get("S3Output", {}).get("S3Uri", "") for each in outputs}
    return [
        await beginning(
            caller, each["PropertyFileName"], f"{folders[each['OutputName']].rstrip('/')}/{each['FilePath']}"
        )
        for each in [*declared][:FILES_MAX]
        if folders.get(each.get("OutputName"), "").startswith("s3://")
    ]


async def beginning(caller: Caller, name: str, uri: str) -> PropertyFile:
    """The beginning of an object, read as the caller."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    whole = {"Bucket": bucket, "Key": key}
    try:
        size = (await caller.call("s3", "HeadObject", **whole))["ContentLength"]
        part = {} if size <= BYTES_MAX else {"Range": f"bytes=0-{BYTES_MAX - 1}"}
        body: bytes = (await caller.call("s3", "GetObject", **whole, **part))["Body"]
    except Fault as fault:
        if not fault.sender:
            raise
        return PropertyFile(name, uri, refused=fault.message or fault.code)
    return PropertyFile(name, uri, body.decode(errors="replace"), is_cut=size > BYTES_MAX)
