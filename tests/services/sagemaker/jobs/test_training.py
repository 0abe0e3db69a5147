"""Training jobs: their shape, their phases, what they leave, and how they fail."""

import io
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import new_name
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import IMAGE, MAY_ALL, Workshop


def _refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def _archive(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {each.name: (tar.extractfile(each) or io.BytesIO()).read() for each in tar if each.isfile()}


def test_a_job_reads_its_channels_and_leaves_its_model(workshop: Workshop) -> None:
    workshop.put(**{"data__a.csv": "1\n", "data__sub__b.csv": "2\n"})
    script = (
        "cd /opt/ml; cat input/data/train/a.csv input/data/train/sub/b.csv > model/m; echo o > output/data/o"
    )
    job = workshop.train(script, {"train": "data/"}, Environment={"A": "1"})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    where = f"models/{job['TrainingJobName']}/output"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{workshop.bucket}/{where}/model.tar.gz"
    assert _archive(workshop.read(f"{where}/model.tar.gz")) == {"m": b"1\n2\n"}
    assert _archive(workshop.read(f"{where}/output.tar.gz")) == {"o": b"o\n"}
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]] == [
        *("Starting", "Downloading", "Training", "Uploading", "Completed")
    ]
    assert all("EndTime" in each for each in job["SecondaryStatusTransitions"])
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["Environment"] == {"A": "1"}


def test_its_program_knows_the_job(workshop: Workshop) -> None:
    script = (
        "printenv TRAINING_JOB_NAME AWS_REGION; cat input/config/hyperparameters.json; getent hosts algo-1"
    )
    job = workshop.train(
        f"cd /opt/ml; {script} | tr -s ' '", HyperParameters={"a": "$(id) `id`", "b": "'; rm -rf /"}
    )
    name, region, *rest = workshop.log("Training", job["TrainingJobName"])
    assert (name, region) == (job["TrainingJobName"], workshop.server.region)
    assert rest[0].startswith('{"a": "$(id) `id`", "b": "\'; rm -rf /"}')
    assert "127.0.0.1 algo-1" in rest[-1]


def test_a_model_has_what_every_instance_left(workshop: Workshop) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = workshop.train("cd /opt/ml/model; hostname | tee both > $(hostname)", ResourceConfig=resources)
    packed = _archive(workshop.read(f"models/{job['TrainingJobName']}/output/model.tar.gz"))
    assert packed == {"algo-1": b"algo-1\n", "algo-2": b"algo-2\n", "both": b"algo-2\n"}


def test_nothing_in_the_model_folder_is_no_model(workshop: Workshop) -> None:
    job = workshop.train("exit 0")
    assert job["TrainingJobStatus"] == "Completed"
    assert workshop.keys(f"models/{job['TrainingJobName']}") == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "AlgorithmError: , exit code: 3"),
        ("kill -SEGV $$", "AlgorithmError: , exit code: 139"),
        ("echo the reason > /opt/ml/output/failure; exit 1", "AlgorithmError: the reason\n, exit code: 1"),
        ("printf '\\377' > /opt/ml/output/failure; exit 1", "ClientError: The message that the program left"),
        ("ln -s /etc/passwd /opt/ml/output/failure; exit 1", "AlgorithmError: , exit code: 1"),
    ],
)
def test_a_program_that_fails(workshop: Workshop, script: str, reason: str) -> None:
    job = workshop.train(f"echo x > /opt/ml/model/kept; {script}")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
    assert workshop.keys(f"models/{job['TrainingJobName']}") == [
        f"models/{job['TrainingJobName']}/output/model.tar.gz"
    ]


def test_a_failure_file_is_cut(workshop: Workshop) -> None:
    job = workshop.train("head -c 1000000 /dev/zero | tr '\\0' x > /opt/ml/output/failure; exit 1")
    assert len(job["FailureReason"]) == 1024


def test_past_its_time_it_is_stopped_and_keeps_what_it_has(workshop: Workshop) -> None:
    script = "trap 'echo late > /opt/ml/model/m; exit 0' TERM; while :; do sleep 0.05; done"
    job = workshop.train(script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in job
    content = workshop.read(f"models/{job['TrainingJobName']}/output/model.tar.gz")
    assert _archive(content) == {"m": b"late\n"}


def test_stop_lets_a_program_end_by_itself(workshop: Workshop) -> None:
    script = "trap 'echo kept > /opt/ml/model/m; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    request = workshop.training(script)
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    workshop.training_reaches(name, "Training")
    eventually(lambda: _printed(workshop, name))
    workshop.sagemaker.stop_training_job(TrainingJobName=name)
    workshop.sagemaker.stop_training_job(TrainingJobName=name)
    job = workshop.trained(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert _archive(workshop.read(f"models/{name}/output/model.tar.gz")) == {"m": b"kept\n"}
    assert _refusal(workshop.sagemaker.stop_training_job, TrainingJobName=name) == (
        "ValidationException",
        "The request was rejected because the training job is in status Stopped.",
    )


def _printed(workshop: Workshop, name: str) -> list[str]:
    try:
        return workshop.log("Training", name)
    except ClientError:  # no group yet
        return []


def test_a_name_is_used_once(workshop: Workshop) -> None:
    job = workshop.train("exit 0")
    request = workshop.training("exit 0", TrainingJobName=job["TrainingJobName"])
    code, message = _refusal(workshop.sagemaker.create_training_job, **request)
    assert (code, job["TrainingJobArn"] in message) == ("ResourceInUse", True)


@pytest.mark.parametrize("operation", ["describe_training_job", "stop_training_job"])
def test_a_job_that_is_not_there(workshop: Workshop, operation: str) -> None:
    assert _refusal(getattr(workshop.sagemaker, operation), TrainingJobName="missing") == (
        "ValidationException",
        "Requested resource not found.",
    )


def test_a_role_that_sagemaker_cannot_assume(workshop: Workshop) -> None:
    role = workshop.server.role([MAY_ALL], trust="lambda.amazonaws.com")
    code, message = _refusal(
        workshop.sagemaker.create_training_job, **workshop.training("exit 0", RoleArn=role)
    )
    assert (code, role in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("statements", "action"),
    [
        ([{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}], "sagemaker:CreateTrainingJob"),
        ([{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}], "iam:PassRole"),
        (
            [
                {
                    "Effect": "Allow",
                    "Action": ["iam:PassRole", "sagemaker:CreateTrainingJob"],
                    "Resource": "*",
                },
            ],
            "sagemaker:AddTags",
        ),
        (
            [
                {"Effect": "Allow", "Action": ["iam:PassRole", "sagemaker:*"], "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": "sagemaker:CreateTrainingJob",
                    "Resource": "*",
                    "Condition": {"ForAnyValue:StringLike": {"sagemaker:InstanceTypes": "ml.m5.*"}},
                },
            ],
            "sagemaker:CreateTrainingJob",
        ),
    ],
)
def test_what_its_creator_must_be_allowed(
    workshop: Workshop, statements: list[dict[str, Any]], action: str
) -> None:
    policy = {"Version": "2012-10-17", "Statement": statements}
    caller = workshop.server.client("sagemaker", user_policy=policy)
    request = workshop.training("exit 0", Tags=[{"Key": "a", "Value": "b"}])
    code, message = _refusal(caller.create_training_job, **request)
    assert (code, action in message) == ("AccessDeniedException", True)


def test_its_data_are_read_and_written_as_its_own_role(workshop: Workshop) -> None:
    workshop.put(data__a="1")
    reader = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}
    role = workshop.server.role([{"Version": "2012-10-17", "Statement": [reader]}])
    job = workshop.train("echo m > /opt/ml/model/m", {"train": "data/"}, RoleArn=role)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data upload failed:AccessDenied (403)")
    lister = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    role = workshop.server.role([{"Version": "2012-10-17", "Statement": [lister]}])
    job = workshop.train("exit 0", {"train": "data/"}, RoleArn=role)
    assert job["FailureReason"].startswith("ClientError: Data download failed:AccessDenied (403)")


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        ({"TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"}, "cannot be run without"),
        ({"TrainingImage": IMAGE, "ContainerEntrypoint": ["/no/such/program"]}, "was not found"),
    ],
)
def test_an_image_that_cannot_be_run_fails_the_job(
    workshop: Workshop, specification: dict[str, Any], words: str
) -> None:
    job = workshop.train("", AlgorithmSpecification={"TrainingInputMode": "File", **specification})
    assert (job["TrainingJobStatus"], words in job["FailureReason"]) == ("Failed", True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"InputDataConfig": [{"ChannelName": ".."}]}, "must be below /opt/ml"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/etc"}}, "must be below /opt/ml"),
    ],
)
def test_a_path_out_of_the_job_is_refused(workshop: Workshop, change: dict[str, Any], words: str) -> None:
    for channel in change.get("InputDataConfig", ()):
        channel |= {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x"}}}
    code, message = _refusal(workshop.sagemaker.create_training_job, **workshop.training("exit 0", **change))
    assert (code, words in message) == ("ValidationException", True)


def test_lists_have_pages_filters_and_orders(workshop: Workshop) -> None:
    mark = new_name("listed")
    names = [f"{mark}-{number}" for number in range(3)]
    for name in names:
        workshop.train("exit 1" if name.endswith("2") else "exit 0", TrainingJobName=name)
    list_jobs = workshop.sagemaker.list_training_jobs

    def found(**given: Any) -> list[str]:
        pages = workshop.sagemaker.get_paginator("list_training_jobs").paginate(NameContains=mark, **given)
        return [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]

    assert found(PaginationConfig={"PageSize": 1}) == names
    assert found(SortOrder="Descending", PaginationConfig={"PageSize": 2}) == names[::-1]
    assert found(StatusEquals="Failed") == names[2:]
    assert found(SortBy="Name") == names
    summary = list_jobs(NameContains=names[0])["TrainingJobSummaries"][0]
    assert {"TrainingJobArn", "CreationTime", "TrainingJobStatus", "SecondaryStatus"} <= set(summary)
    assert _refusal(list_jobs, NextToken="none")[0] == "ValidationException"
