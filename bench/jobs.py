"""What a job costs beside its program run bare, and what placing its inputs costs beside `cp`.

The job's program is `/bin/sh` that writes a line into a file, which is its output or its model. Input and
copy take turns; what they read is in the page cache, since the disk is not what is measured.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import seconds, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

ROUNDS, PLACINGS = 15, 5
OVERHEAD_SECONDS = 0.15
PLACED_BYTES = 1_000_000_000
LEAST_OF_COPY = 0.9

BUCKET = "bench-jobs"
SCRIPT = "echo one > {place}/one"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

_numbers = count(1)


def rows() -> Iterator[Row]:
    """A processing job without and with input; a training job whose channel has 1 GB, in both modes."""
    with tempfile.TemporaryDirectory() as name, Server(Path(name) / "data") as server:
        bench = _Bench(server)
        _bare(Path(name))
        bench.process()
        bare = [seconds(lambda: _bare(Path(name))) for _ in range(ROUNDS)]
        jobs = [bench.process() for _ in range(ROUNDS)]
        peer = Peer("/bin/sh", Figure(median(bare), "s"))
        budget = Figure(median(bare) + OVERHEAD_SECONDS, "s")
        yield Row("processing job, from its creation to its end", Figure(median(jobs), "s"), peer, budget)
        yield from _placing(bench, Path(name))


def _placing(bench: "_Bench", folder: Path) -> Iterator[Row]:
    source = folder / "source"
    with source.open("wb") as file:
        for _ in range(PLACED_BYTES // 1_000_000):
            file.write(os.urandom(1_000_000))
    bench.s3.upload_file(str(source), BUCKET, "placed/source")
    copies, placed, viewed = [], [], []
    for _ in range(PLACINGS):
        copies.append(seconds(lambda: subprocess.run(["cp", source, folder / "copy"], check=True)))  # noqa: S603, S607
        (folder / "copy").unlink()
        placed.append(bench.downloading("File"))
        viewed.append(bench.downloading("FastFile"))
    copied = PLACED_BYTES / median(copies)
    peer, budget = Peer("cp", _megabytes(copied)), _megabytes(copied * LEAST_OF_COPY)
    yield Row("1 GB of input placed, MB a second", _megabytes(PLACED_BYTES / median(placed)), peer, budget)
    yield Row("1 GB of input shown (FastFile)", Figure(median(viewed), "s"))


def _megabytes(bytes_a_second: float) -> Figure:
    return Figure(bytes_a_second / 1e6, "/s")


def _bare(folder: Path) -> None:
    place = folder / "bare"
    place.mkdir()
    subprocess.run(["/bin/sh", "-c", SCRIPT.format(place=place)], check=True)  # noqa: S603
    shutil.rmtree(place)


class _Bench:
    """Runs jobs on a server under a role that may do everything with S3 and logs."""

    def __init__(self, server: Server) -> None:
        self.s3 = server.client("s3")
        self._sagemaker = server.client("sagemaker")
        self.s3.create_bucket(Bucket=BUCKET)
        iam = server.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        rights = {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}
        self._role = iam.create_role(RoleName="bench-jobs", AssumeRolePolicyDocument=_policy(trust))["Role"][
            "Arn"
        ]
        iam.put_role_policy(RoleName="bench-jobs", PolicyName="data", PolicyDocument=_policy(rights))

    def process(self) -> float:
        """Seconds from the creation of a processing job to its end, as its description has them."""
        name = f"bench-{next(_numbers)}"
        place = "/opt/ml/processing/out"
        output = {"S3Uri": f"s3://{BUCKET}/{name}", "LocalPath": place, "S3UploadMode": "EndOfJob"}
        self._sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=self._role,
            AppSpecification={
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["/bin/sh", "-c", SCRIPT.format(place=place)],
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
        )
        described = self._ended(
            lambda: self._sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus"
        )
        return _between(described["CreationTime"], described["ProcessingEndTime"])

    def downloading(self, mode: str) -> float:
        """Seconds in which the channel of a training job is placed, as its transitions have them."""
        name = f"bench-{next(_numbers)}"
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/placed/"}
        self._sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=self._role,
            AlgorithmSpecification={
                "TrainingImage": IMAGE,
                "TrainingInputMode": mode,
                "ContainerEntrypoint": ["/bin/sh", "-c", "wc -c /opt/ml/input/data/train/source"],
            },
            InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        described = self._ended(
            lambda: self._sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus"
        )
        phases = {each["Status"]: each for each in described["SecondaryStatusTransitions"]}
        return _between(phases["Downloading"]["StartTime"], phases["Downloading"]["EndTime"])

    def _ended(self, describe: Any, status: str) -> Any:
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(describe())
            if found[status] == "Failed":
                raise RuntimeError(found["FailureReason"])
            return bool(found[status] == "Completed")

        wait_until(is_over, "the job's end", within=120)
        return found


def _between(began: Any, ended: Any) -> float:
    return float((ended - began).total_seconds())


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
