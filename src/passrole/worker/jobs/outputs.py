"""Uploads a job's results from its folder to S3, as the job's own role.

What a program leaves may be hostile: links are not followed, pipes not read. Without a file there is no
object, and without a model no model.tar.gz.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from passrole.faults import Fault
from passrole.runtimes.ml import artefacts, folder
from passrole.services.sagemaker.jobs.kinds import artefact_uri
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs.failures import JobFailed, upload_failed
from passrole.worker.jobs.s3 import Address, Objects, address


@dataclass(frozen=True)
class Output:
    """A folder of the job, relative to /opt/ml, and where its files or their archive go in S3."""

    path: str
    uri: str
    is_archive: bool = False
    is_required: bool = True
    of_every_instance: bool = True


def of_training(job: Job) -> list[Output]:
    """The artefacts of a training job; those that it did not make are absent."""
    return [_artefact(job, folder.MODEL, "model"), _artefact(job, folder.OUTPUT_DATA, "output")]


def of_processing(job: Job) -> list[Output]:
    """The outputs of a processing job."""
    outputs = (job.request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    return [
        Output(
            str(PurePosixPath(each["S3Output"]["LocalPath"]).relative_to(folder.ROOT)),
            each["S3Output"]["S3Uri"],
        )
        for each in outputs
        if each.get("S3Output") and not each.get("AppManaged") and each["S3Output"].get("LocalPath")
    ]


async def upload(objects: Objects, output: Output, ml: Path, work: Path) -> None:
    """Bring an output of an instance to S3. `work` is where an archive is made. Raises JobFailed."""
    source = ml / output.path
    if artefacts.is_linked(ml, output.path) or not source.is_dir():
        if output.is_required:
            raise JobFailed(f"ClientError: The output path {folder.ROOT / output.path} is not a folder")
        return
    send = _send_archive if output.is_archive else _send_files
    try:
        await send(objects, source, _address(output.uri), work)
    except Fault as fault:
        raise upload_failed(fault) from fault


async def _send_files(objects: Objects, source: Path, target: Address, _work: Path) -> None:
    """Every file, under its path from there."""
    for name, path in await asyncio.to_thread(lambda: list(artefacts.files(source))):
        await objects.upload(path, target.below(_as_key(name)))


async def _send_archive(objects: Objects, source: Path, target: Address, work: Path) -> None:
    if artefacts.is_empty(source):
        return
    archive = work / target.key.rpartition("/")[2]
    try:
        await asyncio.to_thread(_pack, source, archive)
        await objects.upload(archive, target)
    finally:
        archive.unlink(missing_ok=True)


def _artefact(job: Job, path: str, name: str) -> Output:
    uri = artefact_uri(job, f"{name}.tar.gz")
    return Output(path, uri, is_archive=True, is_required=False, of_every_instance=False)


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
