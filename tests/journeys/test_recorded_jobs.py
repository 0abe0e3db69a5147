"""What the SDK wrote for Processing and Training steps runs on data of ours, or says why it does not."""

import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing

RECORDED = Path(__file__).parents[1] / "definition" / "recorded_jobs"
SDKS_BUCKET = "sagemaker-us-west-2-123456789012"
WRITES = """
import json, os
folder = "/opt/ml/processing/eval"
if os.path.isdir(folder):
    with open(folder + "/evaluation.json", "w") as file:
        json.dump({"metrics": {"mse": {"value": 4.5}}}, file)
"""
REPACKS = """
mkdir -p /opt/ml/model/code
tar -xzf /opt/ml/input/data/training/model.tar.gz -C /opt/ml/model
"""
TRAINS = {  # for XGBoost's own algorithm, which wants data of its form and an environment with xgboost
    "TrainingInputMode": "File",
    "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    "ContainerEntrypoint": ["/bin/sh", "-c"],
    "ContainerArguments": ["echo model > /opt/ml/model/model"],
}
ENDS = {  # where a recorded definition does not succeed: what its first failed step says
    "job-checks": "sagemaker:ListModelPackages",  # its group of models is not there
    "job-monbt": "Could not find model",  # its model is not there
    "notebook-job": "run `pip install 'passrole[notebooks]'`",
    "step-decorator": "exit code: 127",  # what the SDK puts into the bucket for it is not there
    "training": "/train:1",  # an image of the user's own, with a program inside it
}


class Relocation:
    """The definition with a bucket, a role and a function that exist."""

    def __init__(self, server: Server) -> None:
        self.bucket = new_name("recorded")
        server.client("s3").create_bucket(Bucket=self.bucket)
        self.role = server.role([allowing("s3:*", "logs:*", "sagemaker:*", "iam:PassRole", "lambda:*")])
        self.function = server.function(
            new_name("sagemaker-recorded"), "def handler(event, context):\n    return {}\n"
        )

    def here(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.here(each) for each in value]
        if isinstance(value, dict):
            if value.keys() == {"TrainingInputMode", "TrainingImage"} and "xgb" in value["TrainingImage"]:
                return TRAINS
            real = {"FunctionArn": self.function}
            real |= dict.fromkeys(("RoleArn", "ExecutionRoleArn"), self.role)
            return {key: real.get(key) or self.here(each) for key, each in value.items()}
        if not isinstance(value, str):
            return value
        moved = value.replace(f"s3://{SDKS_BUCKET}", f"s3://{self.bucket}")
        moved = re.sub(r"s3://b(?=/|$)", f"s3://{self.bucket}", moved)
        return self.bucket if moved in ("b", SDKS_BUCKET) else moved


def sources() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as files:
        programs = {"train.py": WRITES, "process.py": WRITES, "_repack_script_launcher.sh": REPACKS}
        for name, program in programs.items():
            info = tarfile.TarInfo(name)
            info.size = len(program)
            files.addfile(info, io.BytesIO(program.encode()))
    return archive.getvalue()


def body_of(key: str) -> bytes:
    bodies = {
        "process.py": WRITES.encode(),
        "sourcedir.tar.gz": sources(),
        "configuration.json": b"[]",
        "runproc.sh": b"cd /opt/ml/processing/input/code && tar -xzf sourcedir.tar.gz && python process.py",
    }
    return bodies.get(key.rpartition("/")[2], b"1,2\n")


def keys_in(definition: Any, bucket: str) -> set[str]:
    """Of all addresses that the definition names: objects, or the first one below a prefix."""
    found = re.findall(rf"s3://{bucket}/([^\"\\]+)", json.dumps(definition))
    return {key if "." in key.rpartition("/")[2] else f"{key.rstrip('/')}/data.csv" for key in found if key}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.iterdir()))
def test_what_the_sdk_wrote_runs_or_says_why_not(server: Server, sandboxed: None, name: str) -> None:
    relocation = Relocation(server)
    definition = relocation.here(json.loads((RECORDED / f"{name}.json").read_text()))
    for key in keys_in(definition, relocation.bucket):
        server.client("s3").put_object(Bucket=relocation.bucket, Key=key, Body=body_of(key))
    sagemaker, pipeline = server.client("sagemaker"), new_name("recorded")
    sagemaker.create_pipeline(
        PipelineName=pipeline, RoleArn=relocation.role, PipelineDefinition=json.dumps(definition)
    )
    execution = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    ended = server.finished(execution)["PipelineExecutionStatus"]
    steps = server.steps(execution)
    reasons = [step.get("FailureReason", "") for step in steps.values() if step["StepStatus"] == "Failed"]
    wanted = ENDS.get(name.removeprefix("v3-"))
    assert ended == ("Succeeded" if wanted is None else "Failed"), reasons
    assert wanted is None or any(wanted in each for each in reasons), reasons
