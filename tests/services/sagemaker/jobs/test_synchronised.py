"""Checkpoints and outputs that go to S3 while the program runs."""

import pytest
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

UNTIL_STOPPED = "trap 'stop=1' TERM; while [ -z \"$stop\" ]; do sleep 0.05; done"


def _checkpoints(workshop: Workshop, prefix: str) -> dict[str, dict[str, str]]:
    return {"CheckpointConfig": {"S3Uri": f"s3://{workshop.bucket}/{prefix}"}}


def test_checkpoints_are_there_and_go_on(workshop: Workshop) -> None:
    workshop.put(**{"steps__1": "one", "steps-2__x": "another job's", "steps__deep__2": "two"})
    before = workshop.s3.head_object(Bucket=workshop.bucket, Key="steps/1")["LastModified"]
    script = (
        "cd /opt/ml/checkpoints; ls -R > /opt/ml/model/seen; cat /opt/ml/input/config/checkpointconfig.json;"
        f" echo 3 > 3; echo more >> deep/2; {UNTIL_STOPPED}; echo 4 > 4; rm 1"
    )
    request = workshop.training(script, **_checkpoints(workshop, "steps"))
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    eventually(lambda: workshop.keys("steps/") == ["steps/1", "steps/3", "steps/deep/2"])
    eventually(lambda: workshop.read("steps/deep/2") == b"twomore\n")
    workshop.sagemaker.stop_training_job(TrainingJobName=name)
    assert workshop.trained(name)["TrainingJobStatus"] == "Stopped"
    assert workshop.keys("steps/") == ["steps/1", "steps/3", "steps/4", "steps/deep/2"]
    assert workshop.s3.head_object(Bucket=workshop.bucket, Key="steps/1")["LastModified"] == before
    (printed,) = workshop.log("Training", name)
    assert printed == f'{{"LocalPath": "/opt/ml/checkpoints", "S3Uri": "s3://{workshop.bucket}/steps"}}'


def test_there_may_be_no_checkpoints_yet_and_another_place_for_them(workshop: Workshop) -> None:
    config = {"S3Uri": f"s3://{workshop.bucket}/first/", "LocalPath": "/opt/ml/mine/here"}
    job = workshop.train("echo 1 > /opt/ml/mine/here/1", CheckpointConfig=config)
    assert (job["TrainingJobStatus"], workshop.keys("first/")) == ("Completed", ["first/1"])


@pytest.mark.parametrize(
    ("code", "reason"), [(0, "ClientError: Data upload failed"), (5, "AlgorithmError: ")]
)
def test_a_refused_checkpoint_fails_the_job_at_its_end(workshop: Workshop, code: int, reason: str) -> None:
    reader = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "logs:*"], "Resource": "*"}
    role = workshop.server.role([{"Version": "2012-10-17", "Statement": [reader]}])
    job = workshop.train(
        f"echo 1 > /opt/ml/checkpoints/1; exit {code}", RoleArn=role, **_checkpoints(workshop, "refused")
    )
    assert (job["TrainingJobStatus"], workshop.keys("refused")) == ("Failed", [])
    assert job["FailureReason"].startswith(reason)


def test_a_continuous_output_is_in_s3_while_the_program_runs(workshop: Workshop) -> None:
    script = f"cd /opt/ml/processing/out; echo 1 > a; {UNTIL_STOPPED}; echo 22 > a; mkdir d; echo 3 > d/b"
    request = workshop.processing(script, {}, {"out": "running"})
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
    name = request["ProcessingJobName"]
    workshop.sagemaker.create_processing_job(**request)
    eventually(lambda: workshop.keys("running") == ["running/a"])
    workshop.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert workshop.processed(name)["ProcessingJobStatus"] == "Stopped"
    assert workshop.keys("running") == ["running/a", "running/d/b"]
    assert workshop.read("running/a") == b"22\n"


def test_no_link_leads_out_while_the_program_runs(workshop: Workshop) -> None:
    script = (
        "cd /opt/ml/processing/out; ln -s /etc/apt d; ln -s /etc/passwd f; mkfifo p; echo 1 > a;"
        f" {UNTIL_STOPPED}"
    )
    request = workshop.processing(script, {}, {"out": "links"})
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
    workshop.sagemaker.create_processing_job(**request)
    eventually(lambda: workshop.keys("links") == ["links/a"])
    workshop.sagemaker.stop_processing_job(ProcessingJobName=request["ProcessingJobName"])
    workshop.processed(request["ProcessingJobName"])
    assert workshop.keys("links") == ["links/a"]
