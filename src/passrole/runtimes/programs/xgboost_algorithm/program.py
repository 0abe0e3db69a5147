"""From the job's folder to the model, or to the failure file."""

from __future__ import annotations

import argparse
import json
import logging
import os
import traceback
from pathlib import Path
from typing import Any

from .channels import check_format, checked_channels, content_format, data_files, size
from .errors import UserError
from .hyperparameters import checked
from .matrices import matrix
from .training import Training
from .wheels import wheel

TELLS_A_TRACEBACK = (0, 90)

log = logging.getLogger("sagemaker_xgboost_container")


def main(arguments: list[str]) -> int:
    """Train; the exit code."""
    parser = argparse.ArgumentParser(prog="xgboost_mode.py")
    parser.add_argument("--tag", default="latest")
    tag = version(parser.parse_args(arguments).tag)
    logging.basicConfig(
        level=logging.INFO, format="[%(asctime)s:%(levelname)s] %(message)s", datefmt="%Y-%m-%d:%H:%M:%S"
    )
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    output = base / "output"
    output.mkdir(parents=True, exist_ok=True)
    try:
        train(base, tag)
    except Exception as error:
        return _failed(output, error, tag)
    (output / "success").touch()
    return 0


def train(base: Path, tag: tuple[int, ...]) -> None:
    """Check everything, read the data, train and save. Raises UserError and AlgorithmError."""
    given = checked(_read(base, "hyperparameters"), tag)
    channels = checked_channels(_read(base, "inputdataconfig"))
    form = content_format(channels["train"].get("ContentType"))
    if not _is_the_one_that_trains(_read(base, "resourceconfig"), channels):
        return
    paths = {name: base / "input/data" / name for name in channels if name != "code"}
    sizes = {name: size(path) for name, path in paths.items()}
    for name in paths:
        if sizes[name] == 0:
            what = {"train": "training"}.get(name, name)
            raise UserError(f"No data in {what} channel path {paths[name]}")
    files = {name: data_files(path) for name, path in paths.items()}
    for found in files.values():
        check_format(found, form)
    wheel("xgboost")
    data = {name: matrix(found, form, given.get("csv_weights", 0)) for name, found in files.items()}
    kept = _read(base, "checkpointconfig").get("LocalPath")
    Training(base / "model", Path(kept) if kept else None, tag, given, data).run()


def version(tag: str) -> tuple[int, ...]:
    """The numbers of an image's tag: `1.7-1` is (1, 7). `latest` and `1` are of 2018: xgboost 0.72."""
    numbers = tag.split("-")[0].split(".")
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers):
        return (0, 72)
    return tuple(int(number) for number in numbers[:2])


def _is_the_one_that_trains(resources: dict[str, Any], channels: dict[str, dict[str, str]]) -> bool:
    """Whether this host trains. Of several the first does, if it sees all the data."""
    hosts = resources.get("hosts", [])
    if len(hosts) < 2:
        return True
    sharded = [name for name in channels if channels[name].get("S3DistributionType") == "ShardedByS3Key"]
    if sharded:
        raise UserError(f"Channel {sharded[0]} is ShardedByS3Key; several hosts do not train together here")
    log.warning("Of %s hosts, %s trains alone: all of them have the same data.", len(hosts), hosts[0])
    return bool(resources["current_host"] == hosts[0])


def _read(base: Path, name: str) -> dict[str, Any]:
    path = base / "input/config" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _failed(output: Path, error: Exception, tag: tuple[int, ...]) -> int:
    """Write the failure file as the image of that tag would."""
    told = "".join(traceback.format_exception(type(error), error, error.__traceback__, chain=False))
    text = f"framework error: \n{told}\n{error}"
    if tag < TELLS_A_TRACEBACK:
        text = f"ClientError: {error}" if isinstance(error, UserError) else f"Algorithm Error: {error}"
    log.error("Reporting training FAILURE")
    log.error(text)
    (output / "failure").write_text(text, encoding="utf-8", errors="replace")
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) else 1
