"""What a tuning job costs beside the same training jobs without it: as many, as many at once.

The training jobs run a script that prints its objective. Times are the server's own.
"""

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from bench.jobs import IMAGE
from bench.measure import median_of, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

CHILDREN, AT_ONCE, ROUNDS = 20, 4, 3
RUN_SECONDS_MAX = 300
ADDED_SHARE_MAX = 1.25
NAME = BUCKET = "bench-tuning"

_numbers = count(1)
_SCRIPT = "#!/bin/sh\necho 'loss=1;'\n"
_BY_SAGEMAKER = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "sagemaker.amazonaws.com"}}]}"""
_MAY_ALL = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
    "Action": ["s3:*", "logs:*"]}]}"""


def rows() -> Iterator[Row]:
    """A tuning job by random search, and its training jobs alone."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data") as server:
        bench = _Bench(server)
        bench.train(AT_ONCE)  # what the first jobs of a server find out is no cost of either
        bare = median_of(ROUNDS, lambda: bench.train(CHILDREN))
        tuned = median_of(ROUNDS, bench.tune)
    peer = Peer(f"{CHILDREN} training jobs, {AT_ONCE} at once", Figure(bare, "s"))
    budget = Figure(bare * ADDED_SHARE_MAX, "s")
    yield Row(f"a tuning job of {CHILDREN}, {AT_ONCE} at once", Figure(tuned, "s"), peer, budget)


class _Bench:
    """Runs both on a server, under a role that may do everything with S3 and logs."""

    def __init__(self, server: Server) -> None:
        iam, s3 = server.client("iam"), server.client("s3")
        self._sagemaker = server.client("sagemaker")
        self._role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_BY_SAGEMAKER)["Role"]["Arn"]
        iam.put_role_policy(RoleName=NAME, PolicyName="all", PolicyDocument=_MAY_ALL)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="code.tar.gz", Body=_archive())

    def train(self, jobs: int) -> float:
        """Seconds from the creation of the first of so many training jobs to the end of the last."""
        with ThreadPoolExecutor(AT_ONCE) as at_once:
            ran = list(at_once.map(self._trained, (f"{NAME}-{next(_numbers)}" for _ in range(jobs))))
        began = min(each["CreationTime"] for each in ran)
        ended: datetime = max(each["TrainingEndTime"] for each in ran)
        return float((ended - began).total_seconds())

    def tune(self) -> float:
        """Seconds from the creation of a tuning job to its end."""
        name, definition = f"bench-{next(_numbers)}", self._definition()
        static = {"StaticHyperParameters": definition.pop("HyperParameters")}
        reals = [{"Name": "lr", "MinValue": "0.1", "MaxValue": "0.9"}]
        config = {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": CHILDREN, "MaxParallelTrainingJobs": AT_ONCE},
            "ParameterRanges": {"ContinuousParameterRanges": reals},
        }
        self._sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig=config,
            TrainingJobDefinition={**definition, **static},
        )
        described = self._ended("hyper_parameter_tuning_job", "HyperParameterTuningJob", name)
        taken = described["HyperParameterTuningEndTime"] - described["CreationTime"]
        return float(taken.total_seconds())

    def _trained(self, name: str) -> dict[str, Any]:
        self._sagemaker.create_training_job(TrainingJobName=name, **self._definition())
        return self._ended("training_job", "TrainingJob", name)

    def _definition(self) -> dict[str, Any]:
        code = {"sagemaker_program": "train.sh", "sagemaker_submit_directory": f"s3://{BUCKET}/code.tar.gz"}
        metric = {"Name": "loss", "Regex": "loss=([0-9.]+);"}
        image = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [metric]}
        return {
            "RoleArn": self._role,
            "AlgorithmSpecification": image,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": code,
        }

    def _ended(self, operation: str, member: str, name: str) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def is_over() -> bool:
            seen.update(getattr(self._sagemaker, f"describe_{operation}")(**{f"{member}Name": name}))
            return bool(seen[f"{member}Status"] in ("Completed", "Failed", "Stopped"))

        wait_until(is_over, f"the end of `{name}`", within=RUN_SECONDS_MAX, pause=0.05)
        if seen[f"{member}Status"] != "Completed":
            raise RuntimeError(f"`{name}` ended as {json.dumps(seen, default=str)}")
        return seen


def _archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.sh")
        member.size, member.mode = len(_SCRIPT), 0o755
        tar.addfile(member, io.BytesIO(_SCRIPT.encode()))
    return packed.getvalue()
