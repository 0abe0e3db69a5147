"""Downloads a job's inputs from S3 to its folder, as the job's own role.

    S3Prefix       the address is the beginning of keys: one that is an object's own key means that object,
                   which arrives under its last name; of others the beginning is cut off
    ManifestFile   a JSON array, a prefix first, then what follows it in each key

An instance of several gets every n-th object where the input says ShardedByS3Key.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from passrole.faults import Fault
from passrole.runtimes.ml import folder
from passrole.worker.jobs.failures import JobFailed, download_failed
from passrole.worker.jobs.s3 import Address, Listed, Objects, address

AT_ONCE_MAX = 8
_BOTH = (
    "ClientError: Failed to download data. Please check your s3 objects and ensure that there is no object "
    "that is both a folder as well as a file."
)


@dataclass(frozen=True)
class Input:
    """Objects in S3, and the path relative to /opt/ml at which the job finds them. Where it is not
    `is_required` there may be none. One that `is_read_only` has no files of its own where that can be spared.
    """

    uri: str
    path: str
    data_type: str = "S3Prefix"
    is_sharded: bool = False
    is_required: bool = True
    is_read_only: bool = False


@dataclass(frozen=True)
class Placed:
    """An object and the path below its input at which it arrives; `size` None is not known yet."""

    source: Address
    path: str
    size: int | None


def of_training(request: Mapping[str, Any]) -> list[Input]:
    """The channels of a training job, and earlier checkpoints. Raises JobFailed for unsupported modes."""
    found = []
    for channel in request.get("InputDataConfig") or ():
        source = channel["DataSource"]["S3DataSource"]
        mode = channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"]
        if mode == "Pipe":
            raise JobFailed(
                "ClientError: passrole does not support the input mode Pipe: use File or FastFile"
            )
        path = f"input/data/{channel['ChannelName']}"
        found.append(replace(_input(source, path), is_read_only=mode == "FastFile"))
    checkpoints = request.get("CheckpointConfig")
    if checkpoints:
        uri = f"{checkpoints['S3Uri'].rstrip('/')}/"
        found.append(Input(uri, folder.checkpoints_path(checkpoints), is_required=False))
    return found


def of_processing(request: Mapping[str, Any]) -> list[Input]:
    """The inputs of a processing job, each before those inside its path."""
    found = []
    for each in request.get("ProcessingInputs") or ():
        source = each.get("S3Input")
        if source is None or each.get("AppManaged") or not source.get("LocalPath"):
            continue
        path = str(PurePosixPath(source["LocalPath"]).relative_to("/opt/ml"))
        found.append(_input(source, path))
    return sorted(found, key=lambda one: len(PurePosixPath(one.path).parts))


async def place(objects: Objects, one: Input, root: Path, instance: int, instances: int) -> None:
    """Download an input below `root`, the instance's folder. Raises JobFailed in AWS's words."""
    try:
        every = await found(objects, one)
        mine = every[instance::instances] if one.is_sharded else every
        objects.expect(sum(each.size or 0 for each in mine))
        target = root / one.path
        target.mkdir(parents=True, exist_ok=True)
        turns = asyncio.Semaphore(AT_ONCE_MAX)
        async with asyncio.TaskGroup() as group:
            for each in mine:
                group.create_task(_download(objects, each, target, turns, linked=one.is_read_only))
    except (ExceptionGroup, Fault) as error:
        raise _reason(error) from None


async def download(objects: Objects, one: Placed, target: Path) -> None:
    """One object into a new file. Raises JobFailed in AWS's words, OSError."""
    try:
        size = one.size if one.size is not None else await _size(objects, one.source)
        await objects.download(one.source, size, target)
    except Fault as error:
        raise _reason(error) from None


def parts(one: Placed) -> list[str]:
    """The path of an object below its input. Raises JobFailed for a key that cannot be one."""
    found = one.path.removesuffix("/").split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in found):
        raise JobFailed(f"ClientError: The key {one.source.key} cannot be a path below an input")
    return found


async def found(objects: Objects, one: Input) -> list[Placed]:
    """The objects of an input, and where they arrive. Raises JobFailed, Fault."""
    try:
        where = address(one.uri)
    except ValueError as error:
        raise JobFailed(f"ClientError: {error}") from None
    if one.data_type == "ManifestFile":
        return list(_of_manifest(await objects.read(where), one.uri))
    listed = [each async for each in objects.list(where)]
    every = list(placed(where, listed))
    if not every and one.is_required:
        raise JobFailed(
            f'ClientError: No S3 objects found under S3 URL "{one.uri}" given in input data source.'
        )
    return every


def placed(where: Address, listed: Sequence[Listed]) -> Iterator[Placed]:
    """Where the objects arrive that a prefix found. A folder's marker is a path that ends with a slash."""
    exact = next((each for each in listed if each.key == where.key and not each.key.endswith("/")), None)
    if exact is not None:
        yield Placed(where, where.key.rpartition("/")[2], exact.size)
        return
    folder = where.key if where.key.endswith("/") or not where.key else f"{where.key}/"
    above = where.key[: where.key.rfind("/") + 1]
    for each in listed:
        path = each.key.removeprefix(folder if each.key.startswith(folder) else above)
        if path:
            yield Placed(Address(where.bucket, each.key), path, each.size)


def _of_manifest(content: bytes, uri: str) -> Iterator[Placed]:
    try:
        first, *rest = json.loads(content)
        prefix = address(first["prefix"])
        if not all(isinstance(each, str) for each in rest):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        raise JobFailed(
            f"ClientError: The manifest {uri} is not a JSON array of a prefix and names"
        ) from None
    for name in sorted(rest):
        yield Placed(Address(prefix.bucket, prefix.key + name), name, None)


async def _download(
    objects: Objects, one: Placed, place: Path, turns: asyncio.Semaphore, *, linked: bool
) -> None:
    target = place.joinpath(*parts(one))
    async with turns:
        if one.path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # of a download that a crash cut off
        size = one.size if one.size is not None else await _size(objects, one.source)
        await objects.download(one.source, size, target, linked=linked)


async def _size(objects: Objects, source: Address) -> int:
    async for each in objects.list(source):
        if each.key == source.key:
            return each.size
    raise JobFailed(f'ClientError: No S3 objects found under S3 URL "{source}" given in input data source.')


def _input(source: Mapping[str, Any], path: str) -> Input:
    data_type = source.get("S3DataType") or "S3Prefix"
    if data_type not in ("S3Prefix", "ManifestFile"):
        raise JobFailed(f"ClientError: passrole does not support the data type {data_type}")
    is_sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
    return Input(source["S3Uri"], path, data_type, is_sharded)


def _reason(error: Exception) -> Exception:
    """The job's failure for the first error."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Fault):
        return download_failed(error)
    return JobFailed(_BOTH) if isinstance(error, _IN_THE_WAY) else error


_IN_THE_WAY = (FileExistsError, NotADirectoryError, IsADirectoryError)
