"""What bad input gets: a reason in AWS's words, and nothing else changed."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import IMAGE, Workshop
from tests.store.chosen import of_a_file

from passrole import trees

MANY = 200


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 255", 255), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("/etc/passwd", 126), ("/none", 127)],
)
def test_an_exit_code_or_a_signal_is_told(workshop: Workshop, script: str, code: int) -> None:
    job = workshop.process(script)
    assert job["FailureReason"] == f"AlgorithmError: , exit code: {code}"


def test_a_program_that_is_not_there_and_one_that_is_none(workshop: Workshop) -> None:
    for entrypoint, words in ((["/no/program"], "was not found"), (["/etc/passwd"], "")):
        specification = {"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint}
        job = workshop.process("", AppSpecification=specification)
        assert (job["ProcessingJobStatus"], words in job["FailureReason"]) == ("Failed", True)


def test_messages_of_all_instances_are_one_and_cut(workshop: Workshop) -> None:
    cluster = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    script = "cat /proc/sys/kernel/hostname | tr -d '\\n' > /opt/ml/output/message"
    job = workshop.process(script, ProcessingResources={"ClusterConfig": cluster})
    assert job["ExitMessage"] == "algo-1algo-2"
    job = workshop.process("head -c 1000000 /dev/zero | tr '\\0' x > /opt/ml/output/message")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "x" * 1024)
    job = workshop.process("printf '\\377' > /opt/ml/output/message")
    assert (job["ProcessingJobStatus"], "ExitMessage" in job) == ("Failed", False)
    assert job["FailureReason"].startswith("ClientError: ")


def test_hostile_hyperparameters_arrive_as_they_are(workshop: Workshop) -> None:
    given = {f"p{number}": f"{number}$(id)`id`'\"\\ {'x' * 2400}" for number in range(90)}
    given |= {"-rf": "/", "a b": "\t", "\u00e9": "\u00e9", "e": "", "json": '"a\\nb"'}
    assert sum(map(len, given.values())) > 200_000
    script = "cp /opt/ml/input/config/hyperparameters.json /opt/ml/checkpoints/"
    job = workshop.train(
        script,
        HyperParameters=given,
        CheckpointConfig={"S3Uri": f"s3://{workshop.bucket}/parameters"},
    )
    assert job["TrainingJobStatus"] == "Completed", job
    assert json.loads(workshop.read("parameters/hyperparameters.json")) == given
    assert job["HyperParameters"] == given


def test_a_hyperparameter_has_one_line(workshop: Workshop) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        workshop.train("exit 0", HyperParameters={"a": "1\n2"})


def test_an_address_that_is_not_s3s_fails_the_job(workshop: Workshop) -> None:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"https://s3.amazonaws.com/{workshop.bucket}/x"}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
    job = workshop.train("exit 0", InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: https://s3.amazonaws.com/")


def test_code_that_the_role_may_not_read_fails_the_job(workshop: Workshop) -> None:
    workshop.put(**{"code__source.tar.gz": b"x"})
    where = f"s3://{workshop.bucket}/code/source.tar.gz"
    parameters = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(where)}
    specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    changes: dict[str, Any] = {"AlgorithmSpecification": specification, "HyperParameters": parameters}
    job = workshop.train("", RoleArn=workshop.server.role(), **changes)
    assert job["FailureReason"].startswith("ClientError: Data download failed:AccessDenied (403)")
    job = workshop.train("", **changes)
    assert (job["TrainingJobStatus"], job["FailureReason"][:16]) == ("Failed", "AlgorithmError: ")


def test_two_objects_one_of_which_would_be_the_others_folder(workshop: Workshop) -> None:
    workshop.put(one__a="1", two__a__b="1")
    inputs = {"in": "one", "in/a": "two/a"}
    job = workshop.process("exit 0", inputs)
    assert job["FailureReason"].startswith("ClientError: Failed to download data."), job


@pytest.mark.slow
def test_memory_that_is_not_there(start_server: Callable[..., Server]) -> None:
    workshop = Workshop(start_server(job_memory_mb="400"))
    python = "/usr/bin/env python3 -c 'bytearray({size})'"
    job = workshop.process(python.format(size=1 << 30))
    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert workshop.log("Processing", job["ProcessingJobName"])[-1] == "MemoryError"
    assert workshop.process(python.format(size=1 << 20))["ProcessingJobStatus"] == "Completed"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB, where a test may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root mounts a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@of_a_file
def test_a_disk_without_room_for_the_inputs(small_disk: Path) -> None:
    server = Server(small_disk / "data")
    try:
        workshop = Workshop(server)
        workshop.put(large__x=os.urandom(18_000_000), small__x="1")
        channels = [workshop.channel(name, "large/") for name in ("a", "b")]
        request = workshop.training("exit 0", InputDataConfig=channels)
        assert _fails(workshop, request)["FailureReason"] == "ClientError: No space left on device"
        assert [path for path in trees.files(server.data / "jobs") if trees.bytes_in(path) > 999] == []
        request = workshop.training("head -c 60000000 /dev/zero > /opt/ml/model/m")
        assert _fails(workshop, request)["FailureReason"] == "AlgorithmError: , exit code: 1"
        assert (
            workshop.train("cat /opt/ml/input/data/a/x", {"a": "small/"})["TrainingJobStatus"] == "Completed"
        )
    finally:
        server.stop()


def _fails(workshop: Workshop, request: dict[str, Any]) -> dict[str, Any]:
    """The description of a failed job at its end; while the disk is full the server answers nobody."""
    workshop.sagemaker.create_training_job(**request)

    def ended() -> dict[str, Any] | None:
        try:
            name = request["TrainingJobName"]
            found: dict[str, Any] = workshop.sagemaker.describe_training_job(TrainingJobName=name)
        except ClientError:
            return None
        return found if found["TrainingJobStatus"] == "Failed" else None

    return eventually(ended)


@pytest.mark.slow
def test_two_hundred_at_once_all_end(workshop: Workshop) -> None:
    mark = new_name("crowd")

    def create(number: int) -> None:
        request = workshop.processing("exit 0", ProcessingJobName=f"{mark}-{number}")
        workshop.sagemaker.create_processing_job(**request)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(MANY)))

    def statuses() -> list[str]:
        pages = workshop.sagemaker.get_paginator("list_processing_jobs").paginate(NameContains=mark)
        return [each["ProcessingJobStatus"] for page in pages for each in page["ProcessingJobSummaries"]]

    eventually(lambda: statuses() == ["Completed"] * MANY, seen=statuses)
