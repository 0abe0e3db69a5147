"""/opt/ml of one instance: the folders and files that exist before its program starts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from passrole.runtimes.ml.hosts import Hosts

ROOT = PurePosixPath("/opt/ml")
MODEL, OUTPUT_DATA, FAILURE = "model", "output/data", "output/failure"
EXIT_MESSAGE = "output/message"
"""The file for a processing program's ExitMessage; it is read in every terminal status.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

_PROCESSING = ROOT / "processing"
_TRAINING_FOLDERS = ("input/config", "input/data", MODEL, OUTPUT_DATA, "output/intermediate", "code")
_CHANNEL_MEMBERS = {
    "ContentType": "ContentType",
    "InputMode": "TrainingInputMode",
    "RecordWrapperType": "RecordWrapperType",
}


class OutsideOfMl(Exception):
    """A path that must be below /opt/ml is not; the message has the path."""


@dataclass(frozen=True)
class Folder:
    """Folders and files, by their path relative to /opt/ml."""

    folders: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


def training(request: Mapping[str, Any], hosts: Hosts, current: str) -> Folder:
    """The content of /opt/ml for a CreateTrainingJob request.

    Raises OutsideOfMl for a channel or a checkpoint path outside of it.
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    channels = {each["ChannelName"]: each for each in request.get("InputDataConfig") or ()}
    files = {
        "input/config/hyperparameters.json": _json(request.get("HyperParameters") or {}),
        "input/config/inputdataconfig.json": _json({name: _channel(each) for name, each in channels.items()}),
        "input/config/resourceconfig.json": _json(hosts.training_config(current)),
    }
    folders = [*_TRAINING_FOLDERS, *(channel_path(name) for name in channels)]
    checkpoints = request.get("CheckpointConfig")
    if checkpoints:
        path = checkpoints_path(checkpoints)
        files["input/config/checkpointconfig.json"] = _json(
            {"LocalPath": str(ROOT / path), "S3Uri": checkpoints["S3Uri"]}
        )
        folders.append(path)
    return Folder(tuple(folders), files)


def processing(description: Mapping[str, Any], hosts: Hosts, current: str) -> Folder:
    """The content of /opt/ml for a processing job, from the response of DescribeProcessingJob.

    Each local path of an input or output exists before the program starts, since scripts rarely create them.
    Raises OutsideOfMl for a local path outside of /opt/ml.
    """
    files = {
        "config/processingjobconfig.json": _json(description),
        "config/resourceconfig.json": _json(hosts.processing_config(current)),
    }
    return Folder(("processing", "output", *map(below_ml, local_paths(description))), files)


def serving() -> Folder:
    """The content of /opt/ml before a model's archive is unpacked; its server listens in `server`.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    """
    return Folder((MODEL, "input", "server"))


def local_paths(description: Mapping[str, Any]) -> Iterable[str]:
    """The local paths of a processing job's inputs and outputs, each before those inside it."""
    inputs = [each["S3Input"] for each in description.get("ProcessingInputs") or () if each.get("S3Input")]
    outputs = (description.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    paths = [each.get("LocalPath") for each in [*inputs, *(each.get("S3Output") or {} for each in outputs)]]
    return sorted((path for path in paths if path), key=lambda path: len(PurePosixPath(path).parts))


def channel_path(name: str) -> str:
    """A channel's path relative to /opt/ml. AWS's pattern allows `..`: raises OutsideOfMl."""
    if name in (".", "..") or "/" in name:
        raise OutsideOfMl(name)
    return f"input/data/{name}"


def checkpoints_path(config: Mapping[str, Any]) -> str:
    """The path of the checkpoints relative to /opt/ml, from CheckpointConfig. Raises OutsideOfMl.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CheckpointConfig.html
    """
    return below_ml(config.get("LocalPath") or str(ROOT / "checkpoints"))


def below_ml(path: str) -> str:
    """The path relative to /opt/ml. Raises OutsideOfMl if it is not below it."""
    pure = PurePosixPath(path)
    if ".." in pure.parts or not pure.is_relative_to(ROOT) or pure == ROOT or "\0" in path:
        raise OutsideOfMl(path)
    return str(pure.relative_to(ROOT))


def lay_out(folder: Folder, place: Path) -> None:
    """Create the folders and files on the disk; other files are not changed."""
    for name in folder.folders:
        (place / name).mkdir(parents=True, exist_ok=True)
    for name, content in folder.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def _channel(channel: Mapping[str, Any]) -> dict[str, str]:
    """A channel in inputdataconfig.json; members without a value are absent."""
    source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
    found = {ours: channel[theirs] for theirs, ours in _CHANNEL_MEMBERS.items() if channel.get(theirs)}
    found.setdefault("TrainingInputMode", "File")
    return {**found, "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated"}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()
