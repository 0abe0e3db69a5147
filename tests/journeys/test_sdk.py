"""Code of the SageMaker SDK, under `passrole exec`; what it leaves is looked at through boto3.

Version 2 stands in `.venv`, version 3 in an environment of its own (`make test-sdk3`). They differ in where
they keep their names: `sdk/version_2.py` and `sdk/version_3.py`.
"""

import io
import json
import tarfile
from collections.abc import Callable
from importlib import metadata
from importlib.metadata import version
from typing import IO, cast

import pytest
from tests.conftest import Server

Run = Callable[[str], None]

pytestmark = pytest.mark.skipif(
    not list(metadata.distributions(name="sagemaker")),
    reason="the SageMaker SDK is not installed: version 2 needs Python before 3.13, or `make test-sdk3`",
)


@pytest.mark.slow
def test_functions_that_the_sdk_makes_run_in_its_pipelines(run_notebook: Run, server: Server) -> None:
    run_notebook("sdk/lambda_steps.py")
    sagemaker = server.client("sagemaker")
    pipeline = sagemaker.describe_pipeline(PipelineName="SdkLambda")
    tags = sagemaker.list_tags(ResourceArn=pipeline["PipelineArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    key = "lambda/sagemaker-sdk-say/code"
    bucket = f"sagemaker-{server.region}-{server.account}"
    assert server.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


@pytest.mark.slow
def test_a_function_behind_the_queue_answers_a_callback_when_it_is_asked_again(
    run_notebook: Run, server: Server
) -> None:
    run_notebook("sdk/callback_steps.py")
    (listed,) = server.client("sagemaker").list_pipeline_executions(PipelineName="SdkCallback")[
        "PipelineExecutionSummaries"
    ]
    assert listed["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.slow
def test_spark_runs_on_a_cluster_and_on_one_that_the_step_makes(
    run_notebook: Run, server: Server, spark: None
) -> None:
    run_notebook("sdk/emr_steps.py")
    clusters = server.client("emr").list_clusters(ClusterStates=["WAITING", "RUNNING"])["Clusters"]
    assert "sdk" not in [each["Name"] for each in clusters]


@pytest.mark.slow
def test_every_condition_decides_and_every_kind_of_failure_is_told(run_notebook: Run, server: Server) -> None:
    run_notebook("sdk/conditions_and_failures.py")
    listed = server.client("sagemaker").list_pipelines(PipelineNamePrefix="SdkAfterFail")
    assert listed["PipelineSummaries"] == []


@pytest.mark.slow
def test_executions_are_watched_stopped_and_listed_by_the_sdk(run_notebook: Run, server: Server) -> None:
    run_notebook("sdk/executions.py")
    key = server.client("s3").list_objects_v2(Bucket=f"sagemaker-{server.region}-{server.account}")
    assert "SdkLarge" in [each["Key"] for each in key["Contents"]]
    names = [
        each["PipelineName"]
        for each in server.client("sagemaker").list_pipelines(PipelineNamePrefix="Sdk")["PipelineSummaries"]
    ]
    assert "SdkExecutions" in names and "SdkLarge" not in names


@pytest.mark.slow
def test_jobs_of_the_sdk_run_without_a_pipeline(run_notebook: Run, server: Server) -> None:
    if not version("sagemaker").startswith("2."):
        pytest.skip("version 3 has other classes for jobs")
    run_notebook("sdk/jobs_version_2.py")
    s3, bucket = server.client("s3"), f"sagemaker-{server.region}-{server.account}"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="Sdk")["Contents"]]
    (model,) = [key for key in keys if key.startswith("SdkSklearn") and key.endswith("model.tar.gz")]
    content = s3.get_object(Bucket=bucket, Key=model)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        made = json.load(cast(IO[bytes], tar.extractfile("model.json")))
    assert made == {"name": "a b", "sum": 60}
    assert len([key for key in keys if key.endswith("output/train/numbers.csv")]) == 2
