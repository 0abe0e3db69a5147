"""How inputs are placed: File gives a program files of its own, FastFile shows what S3 has."""

import hashlib
import random

import pytest
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.worker.jobs.s3 import CHUNK_BYTES, FILE_BYTES_MIN

SIZES = (0, 1, FILE_BYTES_MIN - 1, FILE_BYTES_MIN, CHUNK_BYTES + 1)


def _channel(workshop: Workshop, mode: str, prefix: str) -> list[dict[str, object]]:
    return [{**workshop.channel("train", prefix), "InputMode": mode}]


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_objects_of_every_size_arrive_whole(workshop: Workshop, mode: str) -> None:
    contents = [random.Random(size).randbytes(size) for size in SIZES]
    for content in contents:
        workshop.s3.put_object(Bucket=workshop.bucket, Key=f"sizes/d/{len(content)}", Body=content)
    script = "cd /opt/ml/input/data/train/d; sha256sum *"
    job = workshop.train(script, InputDataConfig=_channel(workshop, mode, "sizes/"))
    expected = {f"{hashlib.sha256(each).hexdigest()}  {len(each)}" for each in contents}
    assert set(workshop.log("Training", job["TrainingJobName"])) == expected


def test_a_program_may_change_the_files_of_a_file_channel(workshop: Workshop) -> None:
    workshop.put(mine__large=b"x" * FILE_BYTES_MIN, mine__small="x")
    script = "cd /opt/ml/input/data/train; echo y > large; echo y > small; echo z > new; cat large small new"
    job = workshop.train(script, InputDataConfig=_channel(workshop, "File", "mine/"))
    assert workshop.log("Training", job["TrainingJobName"]) == ["y", "y", "z"]
    assert workshop.read("mine/large") == b"x" * FILE_BYTES_MIN


def test_a_program_changes_nothing_of_a_fastfile_channel(workshop: Workshop) -> None:
    workshop.put(shown__large=b"x" * FILE_BYTES_MIN, shown__small="x")
    script = (
        "cd /opt/ml/input/data/train; (echo y > large) || echo no; (echo y > small) || echo no;"
        " rm large || echo no; chmod 777 large || echo no; touch new || echo no; mv ../train ../x || echo no"
    )
    job = workshop.train(script, InputDataConfig=_channel(workshop, "FastFile", "shown/"))
    assert workshop.log("Training", job["TrainingJobName"]).count("no") == 6
    assert workshop.read("shown/large") == b"x" * FILE_BYTES_MIN
    assert workshop.read("shown/small") == b"x"


def test_a_fastfile_channel_costs_no_second_file_and_shows_what_was_there(workshop: Workshop) -> None:
    workshop.put(kept__large=b"x" * FILE_BYTES_MIN)
    file = workshop.server.data / "s3" / workshop.bucket / "kept" / "large"
    script = "echo up; trap 'cksum < /opt/ml/input/data/train/large; exit' TERM; while :; do sleep 0.05; done"
    request = workshop.training(script, InputDataConfig=_channel(workshop, "FastFile", "kept/"))
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    workshop.training_reaches(name, "Training")
    assert file.stat().st_nlink == 2
    workshop.put(kept__large=b"y" * FILE_BYTES_MIN)
    assert file.stat().st_nlink == 1
    eventually(lambda: "up" in _printed(workshop, name))
    workshop.sagemaker.stop_training_job(TrainingJobName=name)
    workshop.trained(name)
    workshop.put(check=b"x" * FILE_BYTES_MIN)
    other = workshop.train("cksum < /opt/ml/input/data/train/check", {"train": "check"})
    assert workshop.log("Training", name)[-1:] == workshop.log("Training", other["TrainingJobName"])


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_large_object_is_read_as_the_jobs_role(workshop: Workshop, mode: str) -> None:
    workshop.put(denied__large=b"x" * FILE_BYTES_MIN)
    lister = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    role = workshop.server.role([{"Version": "2012-10-17", "Statement": [lister]}])
    job = workshop.train("exit 0", InputDataConfig=_channel(workshop, mode, "denied/"), RoleArn=role)
    assert job["FailureReason"].startswith("ClientError: Data download failed:AccessDenied (403)")


def test_pipe_mode_is_refused_by_name(workshop: Workshop) -> None:
    workshop.put(piped__a="1")
    job = workshop.train("exit 0", InputDataConfig=_channel(workshop, "Pipe", "piped/"))
    assert "does not support the input mode Pipe" in job["FailureReason"]


def _printed(workshop: Workshop, name: str) -> str:
    found = next(workshop.server.data.glob(f"jobs/training-job/*/*/{name}/algo-1/run/stdout"), None)
    return found.read_text() if found else ""
