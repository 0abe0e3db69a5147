"""Uploads a job's results from its folder to S3, as the job's own role.

What a program leaves may be hostile: links are not followed, pipes not read. Without a file there is no
object, and without a model no model.tar.gz.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from passrole.faults import Fault
from passrole.runtimes.ml import artefacts, folder
from passrole.services.sagemaker.jobs.kinds import MODEL, OUTPUT, artefact_uri, is_compressed
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs.failures import JobFailed, upload_failed
from passrole.worker.jobs.s3 import Address, Objects, address

FileState = tuple[int, int, int]
Sent = dict[str, FileState]
"""The files of an output that are in S3, by their paths from there, as they were when they went."""


@dataclass(frozen=True)
class Output:
    """A folder of the job, relative to /opt/ml, and where its files or their archive go in S3, of all
    instances to the same place. One that `is_synchronised` is also brought there while the program runs.
    """

    path: str
    uri: str
    is_archive: bool = False
    is_synchronised: bool = False
    is_required: bool = True


def of_training(job: Job) -> list[Output]:
    """The artefacts of a training job, and its checkpoints; those that it did not make are absent."""
    artefacts = [_artefact(job, folder.MODEL, MODEL), _artefact(job, folder.OUTPUT_DATA, OUTPUT)]
    checkpoints = job.request.get("CheckpointConfig")
    if not checkpoints:
        return artefacts
    path = folder.checkpoints_path(checkpoints)
    return [*artefacts, Output(path, checkpoints["S3Uri"], is_synchronised=True, is_required=False)]


def of_processing(job: Job) -> list[Output]:
    """The outputs of a processing job."""
    outputs = (job.request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    return [
        Output(
            str(PurePosixPath(each["S3Output"]["LocalPath"]).relative_to(folder.ROOT)),
            each["S3Output"]["S3Uri"],
            is_synchronised=each["S3Output"].get("S3UploadMode") == "Continuous",
        )
        for each in outputs
        if each.get("S3Output") and not each.get("AppManaged") and each["S3Output"].get("LocalPath")
    ]


async def upload(objects: Objects, output: Output, ml: Path, sent: Sent) -> None:
    """Bring the files of an output of an instance to S3, and note in `sent` what went there; what has not
    changed since does not go again. Raises JobFailed, OSError.
    """
    if not _is_folder(ml, output.path):
        if output.is_required:
            raise JobFailed(f"ClientError: The output path {folder.ROOT / output.path} is not a folder")
        return
    target = _address(output.uri)
    try:
        await _send_files(objects, ml, output.path, target, sent)
    except Fault as fault:
        raise upload_failed(fault) from fault


async def upload_archive(objects: Objects, output: Output, mls: Sequence[Path], work: Path) -> None:
    """Bring one archive of what all instances left to S3; without anything there is none.

    It is made in `work`. Raises JobFailed, OSError.
    """
    target = _address(output.uri)
    sources = [ml / output.path for ml in mls if _is_folder(ml, output.path)]
    if all(map(artefacts.is_empty, sources)):
        return
    archive = work / target.key.rpartition("/")[2]
    try:
        await asyncio.to_thread(_pack, sources, archive)
        with archive.open("rb") as file:
            objects.expect(archive.stat().st_size)
            await objects.upload(file, target)
    except Fault as fault:
        raise upload_failed(fault) from fault
    finally:
        archive.unlink(missing_ok=True)


def know(output: Output, ml: Path, sent: Sent) -> None:
    """Note what is in an output's folder as sent already: it has just come from there."""
    for name, _ in artefacts.files(ml / output.path):
        with artefacts.opened(ml, f"{output.path}/{name}") as file:
            sent[name] = _state(file)


async def _send_files(objects: Objects, ml: Path, folder: str, target: Address, sent: Sent) -> None:
    """Every file, under its path from there."""
    for name, _ in await asyncio.to_thread(lambda: list(artefacts.files(ml / folder))):
        try:
            file = artefacts.opened(ml, f"{folder}/{name}")
        except OSError:  # a program that runs has removed it, or put something else in its place
            continue
        with file:
            state = _state(file)
            if sent.get(name) != state:
                objects.expect(state[1])
                await objects.upload(file, target.below(_as_key(name)))
                sent[name] = state


def _artefact(job: Job, path: str, name: str) -> Output:
    return Output(path, artefact_uri(job, name), is_archive=is_compressed(job), is_required=False)


def _is_folder(ml: Path, path: str) -> bool:
    return not artefacts.is_linked(ml, path) and (ml / path).is_dir()


def _as_key(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise JobFailed(f"ClientError: The name of the output file {name!r} is not UTF-8") from None
    return name


def _state(file: BinaryIO) -> FileState:
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


def _pack(sources: Sequence[Path], archive: Path) -> None:
    with archive.open("wb") as file:
        artefacts.pack(sources, file)


def _address(uri: str) -> Address:
    try:
        return address(uri)
    except ValueError as error:
        raise JobFailed(f"ClientError: {error}") from None
