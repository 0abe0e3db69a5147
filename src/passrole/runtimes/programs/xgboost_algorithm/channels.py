"""The channels, and the files in them, looked at as AWS looks at them before it reads any."""

from __future__ import annotations

import csv
import logging
import os
from pathlib import Path

from .errors import UserError

FOLDER_DEPTH_MAX = 3
SNIPPET = 50

FORMATS = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "application/x-recordio-protobuf": "recordio-protobuf",
}
CHANNELS = ("train", "validation", "code")

log = logging.getLogger("sagemaker_xgboost_container")


def checked_channels(channels: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The channels that the algorithm knows, each in a mode that it can read."""
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")
        if channel.get("TrainingInputMode", "File") == "Pipe":
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {channel}")
    return channels


def content_format(content_type: str | None) -> str:
    """`csv`, `libsvm` (also where nothing is said) or `parquet`."""
    if content_type is None:
        return "libsvm"
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    if kind not in FORMATS:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(FORMATS)}.")
    if FORMATS[kind] == "recordio-protobuf":
        raise UserError(f"{content_type} cannot be read here. Use text/csv, text/libsvm or parquet.")
    labels = [part.partition("=")[2].strip(' "') for part in parameters if part.startswith("label_size")]
    if FORMATS[kind] == "csv" and labels not in ([], ["1"]):
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return FORMATS[kind]


def size(path: Path) -> int:
    """Bytes in a channel. Raises UserError where a file is hidden."""
    total = 0
    for place, _, names in os.walk(path):
        for name in names:
            if name.startswith("."):
                raise UserError("Hidden file found in the data path! Remove that before training.")
            total += (Path(place) / name).stat().st_size
    return total


def data_files(path: Path) -> list[Path]:
    """The files of a channel that hold anything, three folders deep."""
    every = sorted(each for each in path.rglob("*") if each.is_file() and each.stat().st_size)
    near = [each for each in every if len(each.relative_to(path).parts) <= FOLDER_DEPTH_MAX]
    if len(near) < len(every):
        log.warning(
            "The depth of folder %s exceed the limit %s. Files in deeper sub dirs won't be loaded."
            " Please adjust the folder structure accordingly.",
            path,
            FOLDER_DEPTH_MAX,
        )
    return near


def check_format(files: list[Path], form: str) -> None:
    """Look at the first line of each file, as AWS does before it reads any."""
    for path in files:
        if path.name.startswith("_") or form == "parquet":
            continue
        with path.open(errors="ignore") as lines:
            first = lines.readline()
        if form == "csv":
            delimiter(first)
        elif _is_no_libsvm(first):
            raise UserError(
                f"First line '{first[:SNIPPET]}...' of file '{path.name}' is not 'LIBSVM' format. "
                "Please ensure the file is in 'LIBSVM' format."
            )


def delimiter(line: str) -> str:
    """What separates the cells of a line of CSV."""
    try:
        found = csv.Sniffer().sniff(line).delimiter
        if found.isalnum() or found in ".-+\r\n":  # of a single number it takes a digit
            raise csv.Error("Could not determine delimiter")
    except Exception as error:
        raise UserError(f"Could not determine delimiter on line {line[:SNIPPET]}:\n{error}") from error
    log.info("Determined delimiter of CSV input is '%s'", found)
    return found


def _is_no_libsvm(line: str) -> bool:
    label, *features = line.split(" ")
    parts = label.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return True
    return len(numbers) > 2 or any(":" not in feature for feature in features if feature.strip())
