"""Processing jobs: their shape, their files, what they leave."""

import json

import pytest
from botocore.exceptions import ClientError
from tests.services.sagemaker.jobs.workshop import Workshop


def test_a_job_turns_its_inputs_into_its_outputs(workshop: Workshop) -> None:
    workshop.put(raw__a="1", raw__b="2", code__run="3")
    script = (
        "cd /opt/ml/processing; cat in/a in/b in/code/run > out/sum; mkdir out/deep; echo d > out/deep/d;"
        " ln -s /etc/passwd out/link; printf fine > /opt/ml/output/message"
    )
    job = workshop.process(script, {"in": "raw", "in/code": "code/run"}, {"out": "results"})
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "fine")
    assert workshop.keys("results") == ["results/deep/d", "results/sum"]
    assert workshop.read("results/sum") == b"123"


def test_its_program_finds_the_description_of_its_job(workshop: Workshop) -> None:
    job = workshop.process(
        "cat /opt/ml/config/processingjobconfig.json; echo; cat /opt/ml/config/resourceconfig.json"
    )
    described, resources = map(json.loads, workshop.log("Processing", job["ProcessingJobName"]))
    assert described["ProcessingJobArn"] == job["ProcessingJobArn"]
    assert described["AppSpecification"] == job["AppSpecification"]
    assert resources == {"current_host": "algo-1", "hosts": ["algo-1"]}


def test_a_failure_is_told_with_its_code_and_the_outputs_are_kept(workshop: Workshop) -> None:
    script = "echo x > /opt/ml/processing/out/x; printf why > /opt/ml/output/message; exit 4"
    job = workshop.process(script, {}, {"out": "failed"})
    assert job["FailureReason"] == "AlgorithmError: , exit code: 4"
    assert job["ExitMessage"] == "why"
    assert workshop.keys("failed") == ["failed/x"]


def test_every_instance_gets_its_share(workshop: Workshop) -> None:
    workshop.put(**{f"many__{number}": str(number) for number in range(5)})
    source = {
        "LocalPath": "/opt/ml/processing/in",
        "S3Uri": f"s3://{workshop.bucket}/many/",
        "S3DataType": "S3Prefix",
    }
    cluster = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    workshop.process(
        "cd /opt/ml/processing; ls in | tr '\\n' ' ' > out/$(cat /proc/sys/kernel/hostname)",
        {},
        {"out": "shares"},
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingInputs=[
            {
                "InputName": "i",
                "S3Input": {**source, "S3InputMode": "File", "S3DataDistributionType": "ShardedByS3Key"},
            }
        ],
    )
    assert workshop.read("shares/algo-1") == b"0 2 4 "
    assert workshop.read("shares/algo-2") == b"1 3 "


def test_an_output_that_is_a_link_is_refused(workshop: Workshop) -> None:
    job = workshop.process(
        "rmdir /opt/ml/processing/out; ln -s /etc /opt/ml/processing/out", {}, {"out": "linked"}
    )
    assert "is not a folder" in job["FailureReason"]
    assert workshop.keys("linked") == []


def test_without_network_it_reaches_nobody(workshop: Workshop) -> None:
    script = "cat /proc/net/route | wc -l > /opt/ml/processing/out/routes"
    workshop.process(script, {}, {"out": "alone"}, NetworkConfig={"EnableNetworkIsolation": True})
    assert workshop.read("alone/routes").strip() == b"1"


def test_nothing_under_a_prefix(workshop: Workshop) -> None:
    job = workshop.process("exit 0", {"in": "nothing-here/"})
    assert job["FailureReason"].startswith("ClientError: No S3 objects found under S3 URL")


def test_it_cannot_see_the_data_folder_or_the_server(workshop: Workshop) -> None:
    data = workshop.server.data
    script = (
        f"ls -A '{data}' | wc -l; cat '{data}/credentials.json'; kill -0 {workshop.server.process.pid};"
        " touch /etc/passrole-was-here; exit 0"
    )
    job = workshop.process(script)
    log = "\n".join(workshop.log("Processing", job["ProcessingJobName"]))
    assert workshop.server.access["secret_access_key"] not in log
    assert log.count("No such") + log.count("Read-only") >= 3


def test_it_is_listed_and_a_running_one_is_stopped(workshop: Workshop) -> None:
    request = workshop.processing("while :; do sleep 0.05; done")
    name = request["ProcessingJobName"]
    workshop.sagemaker.create_processing_job(**request)
    listed = workshop.sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
    assert [each["ProcessingJobName"] for each in listed] == [name]
    workshop.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert workshop.processed(name)["ProcessingJobStatus"] == "Stopped"


def test_a_missing_job(workshop: Workshop) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        workshop.sagemaker.describe_processing_job(ProcessingJobName="missing")
