"""Transform jobs: their shape, how they split and assemble, and what they leave when something fails."""

import gzip
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.sagemaker.jobs.transforms import ECHO, Transforms
from tests.services.sagemaker.jobs.workshop import Workshop

ENDED = "AlgorithmError: The container ended with exit code 1. See job logs for more information"
IMAGES = {"ContentType": "image/png"}
LINES: dict[str, Any] = {"input_": {"SplitType": "Line"}, "output": {"AssembleWith": "Line"}}


@pytest.fixture(scope="module")
def transforms(workshop: Workshop) -> Transforms:
    workshop.put(data__a="1\n2\n", data__deep__b="3\n", none__="", other__a="x")
    return Transforms(workshop)


@pytest.fixture(scope="module")
def model(transforms: Transforms) -> str:
    return transforms.model()


def test_each_object_becomes_one_with_out_behind_its_name(transforms: Transforms, model: str) -> None:
    job, found = transforms.run(model, "data/", Environment={"ADDED": "1"})
    assert job["TransformJobStatus"] == "Completed", job
    assert found == {"a.out": b">1\n>2\n", "deep/b.out": b">3\n"}
    assert job["ModelName"] == model and job["Environment"] == {"ADDED": "1"}
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert "RoleArn" not in job


def test_its_logs_are_those_of_the_server_and_of_the_data(transforms: Transforms, model: str) -> None:
    job, _ = transforms.run(model, "data/a", MaxConcurrentTransforms=2, MaxPayloadInMB=1, **LINES)
    lines = transforms.shop.log("Transform", job["TransformJobName"])
    assert "asked for 2" in lines
    told = "[sagemaker logs]: MaxConcurrentTransforms=2, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD"
    assert any(line.endswith(told) for line in lines), lines


def test_single_records_are_asked_one_by_one(transforms: Transforms, model: str) -> None:
    job, found = transforms.run(model, "data/a", BatchStrategy="SingleRecord", **LINES)
    assert found == {"a.out": b">1\n>2\n"}
    assert transforms.shop.log("Transform", job["TransformJobName"]).count("asked for 1") == 2


def test_gzip_is_unpacked_on_its_way(transforms: Transforms, model: str) -> None:
    transforms.shop.put(zipped__z=gzip.compress(b"1\n2"))
    given = {**LINES, "input_": {"SplitType": "Line", "CompressionType": "Gzip"}}
    assert transforms.run(model, "zipped/", **given)[1] == {"z.out": b">1\n>2\n"}
    job, found = transforms.run(model, "data/a", **given)
    assert (job["FailureReason"], found) == ("ClientError: See job logs for more information", {})


def test_a_large_object_goes_in_payloads_of_whole_lines_in_order(transforms: Transforms, model: str) -> None:
    lines = [f"{number}{'x' * 1000}" for number in range(3000)]
    transforms.shop.put(large__l="\n".join(lines))
    job, found = transforms.run(model, "large/", MaxPayloadInMB=1, MaxConcurrentTransforms=3, **LINES)
    assert found["l.out"].decode().split() == [f">{line}" for line in lines]
    asked = [line for line in transforms.shop.log("Transform", job["TransformJobName"]) if "asked" in line]
    assert len(asked) == 3


def test_an_object_that_is_larger_than_a_payload_fails_alone(transforms: Transforms, model: str) -> None:
    transforms.shop.put(mixed__a="1", mixed__b="x" * (1 << 20 | 1), mixed__c="3")
    job, found = transforms.run(model, "mixed/", MaxPayloadInMB=1)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert sorted(found) == ["a.out", "c.out"]
    lines = transforms.shop.log("Transform", job["TransformJobName"])
    told = f"[sagemaker logs]: {transforms.shop.bucket}/mixed/b: Too much data for max payload size"
    assert any(line.endswith(told) for line in lines), lines


def test_predictions_are_joined_to_what_a_filter_leaves_of_records(transforms: Transforms) -> None:
    doubles = """
import json

def model_fn(model_dir):
    return 2

def predict_fn(data, model):
    return data * model
"""
    model = transforms.model(doubles)
    transforms.shop.put(
        joined__rows="id1,1,2\nid2,3,4\n", objects__o='{"id": "a", "x": [1]}\n{"id":"b","x":[2]}\n'
    )
    rules = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    output = {"AssembleWith": "Line", "Accept": "text/csv"}
    given: dict[str, Any] = {"input_": {"SplitType": "Line"}, "output": output, "DataProcessing": rules}
    job, found = transforms.run(model, "joined/", **given)
    assert found == {"rows.out": b"id1,4.0\nid2,8.0\n"}, job
    rules = {"InputFilter": "$.x", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    job, found = transforms.run(
        model,
        "objects/",
        input_={"SplitType": "Line", "ContentType": "application/json"},
        output={"AssembleWith": "Line", "Accept": "application/json"},
        BatchStrategy="SingleRecord",
        DataProcessing=rules,
    )
    assert found == {"o.out": b'{"id":"a","SageMakerOutput":[2.0]}\n{"id":"b","SageMakerOutput":[4.0]}\n'}, (
        job
    )


def test_a_manifest_names_the_objects(transforms: Transforms, model: str) -> None:
    transforms.shop.put(manifests__m=f'[{{"prefix": "s3://{transforms.shop.bucket}/data/"}}, "deep/b"]')
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{transforms.shop.bucket}/manifests/m"}
    _, found = transforms.run(model, "", input_={"DataSource": {"S3DataSource": source}})
    assert found == {"deep/b.out": b">3\n"}


def test_containers_in_a_row_have_each_others_answers(transforms: Transforms, model: str) -> None:
    shop = transforms.shop
    container = transforms.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    name = f"{model}-twice"
    transforms.sagemaker.create_model(
        ModelName=name, Containers=[container, container], ExecutionRoleArn=shop.role
    )
    assert transforms.run(name, "data/a")[1] == {"a.out": b">>1\n>>2\n"}


def test_an_error_of_the_model_is_told_by_its_status(transforms: Transforms) -> None:
    model = transforms.model(ECHO.replace("    print", "    1 / 0\n    print"))
    job, found = transforms.run(model, "data/a", ModelClientConfig={"InvocationsMaxRetries": 1})
    assert (job["FailureReason"], found) == ("AlgorithmError: See job logs for more information", {})
    lines = transforms.shop.log("Transform", job["TransformJobName"])
    assert any(line.endswith(f"{transforms.shop.bucket}/data/a: AlgorithmError: 500") for line in lines), (
        lines
    )
    assert any("ZeroDivisionError" in line for line in lines)


@pytest.mark.parametrize(
    ("code", "prefix", "reason"),
    [
        (ECHO, "nothing/", "ClientError: S3 key: s3://{bucket}/nothing/ matched no files on s3"),
        (
            "1 / 0",
            "data/",
            "AlgorithmError: The container ended with exit code 1. See job logs for more information",
        ),
    ],
)
def test_what_keeps_a_job_from_starting_is_its_reason(
    transforms: Transforms, code: str, prefix: str, reason: str
) -> None:
    job, found = transforms.run(transforms.model(code), prefix)
    assert (job["TransformJobStatus"], found) == ("Failed", {})
    assert job["FailureReason"] == reason.format(bucket=transforms.shop.bucket)


def test_it_acts_as_the_models_role(transforms: Transforms, server: Server) -> None:
    shop = transforms.shop
    may_read = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [may_read]}])
    job, _ = transforms.run(transforms.model(role=role), "data/a")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data upload failed:AccessDenied (403)"), job
    assert "s3:PutObject" in job["FailureReason"] and shop.bucket in job["FailureReason"]


def test_a_stopped_job_stores_nothing(transforms: Transforms) -> None:
    model = transforms.model(ECHO.replace("    print", "    import time; time.sleep(600)\n    print"))
    request = transforms.request(model, "data/")
    name = request["TransformJobName"]
    transforms.sagemaker.create_transform_job(**request)
    described = transforms.sagemaker.describe_transform_job
    eventually(lambda: "TransformStartTime" in described(TransformJobName=name))
    transforms.sagemaker.stop_transform_job(TransformJobName=name)
    assert described(TransformJobName=name)["TransformJobStatus"] in ("Stopping", "Stopped")
    assert transforms.ended(name)["TransformJobStatus"] == "Stopped"
    assert transforms.outputs(name) == {}
    message = "The request was rejected because the transform job is in status Stopped."
    refused = refusal(transforms.sagemaker.stop_transform_job, TransformJobName=name)
    assert refused == ("ValidationException", message)


def test_jobs_are_listed_with_filters_newest_first(transforms: Transforms, model: str) -> None:
    names = [transforms.run(model, "data/a")[0]["TransformJobName"] for _ in range(2)]
    listed = transforms.sagemaker.list_transform_jobs(NameContains=names[0][:3], StatusEquals="Completed")
    found = [each["TransformJobName"] for each in listed["TransformJobSummaries"]]
    assert found[:2] == names[::-1]
    assert "TransformEndTime" in listed["TransformJobSummaries"][0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"MaxPayloadInMB": 101}, "cannot be greater than 100 MB"),
        ({"MaxPayloadInMB": 50, "MaxConcurrentTransforms": 3}, "cannot be greater than 100 MB"),
        ({"MaxPayloadInMB": 0}, "does not support MaxPayloadInMB 0"),
        ({"DataProcessing": {"InputFilter": "$..a"}}, "is not a JSONPath that batch transform knows"),
        ({"DataProcessing": {"InputFilter": "$[?(@.a)]"}}, "is not a JSONPath that batch transform knows"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "input_": {"ContentType": "image/png"}},
            "DataProcessing needs",
        ),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "does not support DataCaptureConfig"),
    ],
)
def test_parameters_that_do_not_agree_are_refused(
    transforms: Transforms, model: str, changes: dict[str, Any], told: str
) -> None:
    request = transforms.request(model, "data/", **changes)
    code, message = refusal(transforms.sagemaker.create_transform_job, **request)
    assert (code, told in message) == ("ValidationException", True), message
    with pytest.raises(ClientError, match="Could not find requested job"):
        transforms.sagemaker.describe_transform_job(TransformJobName=request["TransformJobName"])


def test_a_model_must_exist_and_have_a_role(transforms: Transforms, model: str) -> None:
    create = transforms.sagemaker.create_transform_job
    assert "Could not find model" in refusal(create, **transforms.request("no-such-model", "data/"))[1]
    container = transforms.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    transforms.sagemaker.create_model(ModelName=f"{model}-alone", PrimaryContainer=container)
    assert "has no ExecutionRoleArn" in refusal(create, **transforms.request(f"{model}-alone", "data/"))[1]
    request = transforms.request(model, "data/")
    create(**request)
    assert refusal(create, **request)[0] == "ResourceInUse"
