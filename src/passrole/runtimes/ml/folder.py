"""/opt/ml of one instance: which folders and files are there before its program starts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from passrole.runtimes.ml.hosts import Hosts

ROOT = PurePosixPath("/opt/ml")
MODEL, OUTPUT_DATA, FAILURE = "model", "output/data", "output/failure"
EXIT_MESSAGE = "output/message"
"""What a processing program leaves to say how it went; in every terminal status.

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
    """A path that is to be in /opt/ml leads out of it; the message has the path."""


@dataclass(frozen=True)
class Folder:
    """Folders and files below /opt/ml, by their path from there."""

    folders: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


def training(request: Mapping[str, Any], hosts: Hosts, current: str) -> Folder:
    """For a CreateTrainingJob request.

    Raises OutsideOfMl for a channel or a checkpoint path that leads elsewhere.
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
        local = checkpoints.get("LocalPath") or str(ROOT / "checkpoints")
        files["input/config/checkpointconfig.json"] = _json(
            {"LocalPath": local, "S3Uri": checkpoints["S3Uri"]}
        )
        folders.append(below_ml(local))
    return Folder(tuple(folders), files)


def processing(description: Mapping[str, Any], hosts: Hosts, current: str) -> Folder:
    """For a processing job as DescribeProcessingJob tells it: each local path of an input or output is there
    before the program starts, since scripts rarely make them.

    Raises OutsideOfMl for a local path that leads elsewhere.
    """
    files = {
        "config/processingjobconfig.json": _json(description),
        "config/resourceconfig.json": _json(hosts.processing_config(current)),
    }
    return Folder(("processing", "output", *map(below_ml, local_paths(description))), files)


def local_paths(description: Mapping[str, Any]) -> Iterable[str]:
    """Where a processing job has its inputs and outputs, the outer before the inner."""
    inputs = [each["S3Input"] for each in description.get("ProcessingInputs") or () if each.get("S3Input")]
    outputs = (description.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    paths = [each.get("LocalPath") for each in [*inputs, *(each.get("S3Output") or {} for each in outputs)]]
    return sorted((path for path in paths if path), key=lambda path: len(PurePosixPath(path).parts))


def channel_path(name: str) -> str:
    """Where a channel's data are, from /opt/ml. Raises OutsideOfMl: AWS's pattern of names admits `..`."""
    if name in (".", "..") or "/" in name:
        raise OutsideOfMl(name)
    return f"input/data/{name}"


def below_ml(path: str) -> str:
    """A path from /opt/ml on. Raises OutsideOfMl for one that is not below it."""
    pure = PurePosixPath(path)
    if ".." in pure.parts or not pure.is_relative_to(ROOT) or pure == ROOT or "\0" in path:
        raise OutsideOfMl(path)
    return str(pure.relative_to(ROOT))


def lay_out(folder: Folder, place: Path) -> None:
    """Make it on the disk; what is there already stays."""
    for name in folder.folders:
        (place / name).mkdir(parents=True, exist_ok=True)
    for name, content in folder.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def _channel(channel: Mapping[str, Any]) -> dict[str, str]:
    """Only what has a value is there."""
    source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
    found = {ours: channel[theirs] for theirs, ours in _CHANNEL_MEMBERS.items() if channel.get(theirs)}
    found.setdefault("TrainingInputMode", "File")
    return {**found, "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated"}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()
