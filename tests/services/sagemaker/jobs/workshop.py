"""Jobs whose programs are a few lines of shell, on buckets and under roles of a test's own."""

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.conftest import Server, new_name
from tests.eventually import eventually

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
OVER = ("Completed", "Failed", "Stopped")
MAY_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}],
}
LR = {"Name": "lr", "MinValue": "0.1", "MaxValue": "0.9"}
Described = dict[str, Any]


class Workshop:
    """Starts jobs and waits for them; `role` may do everything with S3 and logs."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sagemaker = server.client("sagemaker")
        self.s3 = server.client("s3")
        self.role = server.role([MAY_ALL])
        self.bucket = new_name("bucket")
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, **objects: bytes | str) -> None:
        """Objects by key; `__` in a name stands for a slash."""
        for key, body in objects.items():
            self.s3.put_object(Bucket=self.bucket, Key=key.replace("__", "/"), Body=body)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of the bucket that begin with the prefix."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", ())
        return [each["Key"] for each in listed]

    def read(self, key: str) -> bytes:
        """An object's bytes."""
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def training(
        self, script: str, channels: Mapping[str, str] | None = None, **changes: Any
    ) -> dict[str, Any]:
        """The request for a training job that runs a shell script; channels are keys' beginnings by name."""
        request = {
            "TrainingJobName": new_name("job"),
            "RoleArn": self.role,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["/bin/sh", "-c"],
                "ContainerArguments": [script],
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 120},
            **changes,
        }
        if channels:
            request["InputDataConfig"] = [self.channel(name, prefix) for name, prefix in channels.items()]
        return request

    def channel(self, name: str, prefix: str, **source: str) -> dict[str, Any]:
        """One channel of the bucket."""
        where = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{prefix}", **source}
        return {"ChannelName": name, "DataSource": {"S3DataSource": where}}

    def train(self, script: str, channels: Mapping[str, str] | None = None, **changes: Any) -> Described:
        """Run a training job to its end; its description."""
        request = self.training(script, channels, **changes)
        self.sagemaker.create_training_job(**request)
        return self.trained(request["TrainingJobName"])

    def trained(self, name: str) -> Described:
        """The description of a training job at its end."""
        return self._ended(
            lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus"
        )

    def training_reaches(self, name: str, phase: str) -> None:
        """Wait until a training job is in a phase."""
        describe = self.sagemaker.describe_training_job
        eventually(lambda: describe(TrainingJobName=name)["SecondaryStatus"] == phase)

    def tuning(self, script: str, config: Mapping[str, Any], **definition: Any) -> dict[str, Any]:
        """The request for a tuning job whose training jobs run a shell script, `$2` and `$4` ... the values.

        A definition has no entrypoint, so the script is the user's code of a framework's image.
        """
        return {
            "HyperParameterTuningJobName": new_name("t"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
                "ParameterRanges": {"ContinuousParameterRanges": [LR]},
                **config,
            },
            "TrainingJobDefinition": self.definition(script, **definition),
        }

    def definition(self, script: str, **changes: Any) -> dict[str, Any]:
        """A definition of training jobs that run a shell script, and print `loss=...;`."""
        code = f"code/{new_name('c')}.tar.gz"
        self.s3.put_object(Bucket=self.bucket, Key=code, Body=_archived("train.sh", f"#!/bin/sh\n{script}\n"))
        given = {
            "RoleArn": self.role,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([-0-9.e]+);"}],
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 120},
            **changes,
        }
        static = {
            "sagemaker_program": '"train.sh"',
            "sagemaker_submit_directory": f'"s3://{self.bucket}/{code}"',
        }
        return {**given, "StaticHyperParameters": {**static, **changes.get("StaticHyperParameters", {})}}

    def tune(self, script: str, config: Mapping[str, Any] | None = None, **definition: Any) -> Described:
        """Run a tuning job to its end; its description."""
        request = self.tuning(script, config or {}, **definition)
        self.sagemaker.create_hyper_parameter_tuning_job(**request)
        return self.tuned(request["HyperParameterTuningJobName"])

    def tuned(self, name: str) -> Described:
        """The description of a tuning job at its end."""
        describe = self.sagemaker.describe_hyper_parameter_tuning_job
        return self._ended(
            lambda: describe(HyperParameterTuningJobName=name), "HyperParameterTuningJobStatus"
        )

    def children(self, name: str, **parameters: Any) -> list[Described]:
        """The training jobs of a tuning job, as it lists them."""
        listed = self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, **{"MaxResults": 100, **parameters}
        )
        return [dict(each) for each in listed["TrainingJobSummaries"]]

    def processing(
        self,
        script: str,
        inputs: Mapping[str, str] | None = None,
        outputs: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """The request for a processing job that runs a shell script; keys by paths below processing/."""
        return {
            "ProcessingJobName": new_name("job"),
            "RoleArn": self.role,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["/bin/sh", "-c"],
                "ContainerArguments": [script],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            "ProcessingInputs": [
                {"InputName": f"i{number}", "S3Input": self._located(path, key, "S3DataType", "S3Prefix")}
                for number, (path, key) in enumerate((inputs or {}).items())
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": f"o{number}",
                        "S3Output": self._located(path, key, "S3UploadMode", "EndOfJob"),
                    }
                    for number, (path, key) in enumerate((outputs or {}).items())
                ]
            },
            **changes,
        }

    def process(self, script: str, *located: Mapping[str, str], **changes: Any) -> Described:
        """Run a processing job to its end; its description."""
        request = self.processing(script, *located, **changes)
        self.sagemaker.create_processing_job(**request)
        return self.processed(request["ProcessingJobName"])

    def processed(self, name: str) -> Described:
        """The description of a processing job at its end."""
        return self._ended(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus"
        )

    def log(self, kind: str, job: str) -> list[str]:
        """The lines that a job's program has printed; none before the first job of its kind has a log."""
        logs, group = self.server.client("logs"), f"/aws/sagemaker/{kind}Jobs"
        try:
            found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")
        except logs.exceptions.ResourceNotFoundException:
            return []
        events: Sequence[Mapping[str, Any]] = [
            event
            for stream in found["logStreams"]
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
        return [str(event["message"]) for event in events]

    def _located(self, path: str, key: str, member: str, value: str) -> dict[str, str]:
        input_mode = {"S3InputMode": "File"} if member == "S3DataType" else {}
        return {
            "S3Uri": f"s3://{self.bucket}/{key}",
            "LocalPath": f"/opt/ml/processing/{path}",
            member: value,
            **input_mode,
        }

    def _ended(self, describe: Callable[[], Described], status: str) -> Described:
        found = {}

        def is_over() -> bool:
            found.update(describe())
            return found[status] in OVER

        eventually(is_over, seen=lambda: found)
        return describe()


def _archived(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text.encode()), 0o755
        tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
