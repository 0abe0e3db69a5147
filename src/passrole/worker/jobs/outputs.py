"""Uploads a job's results from its folder to S3, as the job's own role.

What a program leaves may be hostile: links are not followed, pipes not read. Without a file there is no
object, and without a model no model.tar.gz.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from passrole.faults import Fault
from passrole.runtimes.ml import artefacts, folder
from passrole.worker.jobs.failures import JobFailed, upload_failed
from passrole.worker.jobs.s3 import Address, Objects, address


@dataclass(frozen=True)
class Output:
    """A folder of the job, relative to /opt/ml, and the destination of its files in S3."""

    path: str
    uri: str


def of_processing(request: Mapping[str, Any]) -> list[Output]:
    """The outputs of a processing job."""
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    return [
        Output(
            str(PurePosixPath(each["S3Output"]["LocalPath"]).relative_to(folder.ROOT)),
            each["S3Output"]["S3Uri"],
        )
        for each in outputs
        if each.get("S3Output") and not each.get("AppManaged") and each["S3Output"].get("LocalPath")
    ]


async def upload_files(objects: Objects, output: Output, ml: Path) -> None:
    """Every file of an output, under its path from there. Raises JobFailed in AWS's words."""
    source = ml / output.path
    if artefacts.is_linked(ml, output.path) or not source.is_dir():
        raise JobFailed(f"ClientError: The output path {folder.ROOT / output.path} is not a folder")
    target = _address(output.uri)
    try:
        for name, path in await asyncio.to_thread(lambda: list(artefacts.files(source))):
            await objects.upload(path, target.below(_as_key(name)))
    except Fault as fault:
        raise upload_failed(fault) from fault


async def upload_archive(objects: Objects, ml: Path, name: str, uri: str, work: Path) -> bool:
    """What a folder holds, as one archive; whether there was anything. Raises JobFailed."""
    if artefacts.is_linked(ml, name) or artefacts.is_empty(ml / name):
        return False
    archive = work / uri.rpartition("/")[2]
    await asyncio.to_thread(_pack, ml / name, archive)
    try:
        await objects.upload(archive, _address(uri))
    except Fault as fault:
        raise upload_failed(fault) from fault
    finally:
        archive.unlink(missing_ok=True)
    return True


def _as_key(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise JobFailed(f"ClientError: The name of the output file {name!r} is not UTF-8") from None
    return name


def _pack(source: Path, archive: Path) -> None:
    with archive.open("wb") as file:
        artefacts.pack(source, file)


def _address(uri: str) -> Address:
    try:
        return address(uri)
    except ValueError as error:
        raise JobFailed(f"ClientError: {error}") from None
