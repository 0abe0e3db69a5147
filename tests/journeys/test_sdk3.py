"""Unmodified code of version 3 of the SageMaker SDK: the journeys of `test_sdk.py`, in its own words."""

from collections.abc import Callable
from importlib import metadata

import pytest
from tests.conftest import Server

Run = Callable[[str], None]
INSTALLED = [each.version for each in metadata.distributions(name="sagemaker")]

pytestmark = pytest.mark.skipif(
    not any(version.startswith("3.") for version in INSTALLED),
    reason="version 3 of the SageMaker SDK is not installed: `make test-sdk3` makes an environment with it",
)


@pytest.mark.slow
def test_functions_that_version_3_makes_run_in_its_pipelines(run_notebook: Run, server: Server) -> None:
    run_notebook("sdk3/lambda_steps.py")
    sagemaker = server.client("sagemaker")
    pipeline = sagemaker.describe_pipeline(PipelineName="Sdk3Lambda")
    tags = sagemaker.list_tags(ResourceArn=pipeline["PipelineArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    key = "lambda/sagemaker-sdk3-say/code"
    bucket = f"sagemaker-{server.region}-{server.account}"
    assert server.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


@pytest.mark.slow
def test_with_version_3_spark_runs_on_a_cluster_and_on_one_that_the_step_makes(
    run_notebook: Run, server: Server, spark: None
) -> None:
    run_notebook("sdk3/emr_steps.py")
    clusters = server.client("emr").list_clusters(ClusterStates=["WAITING", "RUNNING"])["Clusters"]
    assert "sdk3" not in [each["Name"] for each in clusters]


@pytest.mark.slow
def test_with_version_3_a_function_behind_the_queue_answers_a_callback_when_it_is_asked_again(
    run_notebook: Run, server: Server
) -> None:
    run_notebook("sdk3/callback_steps.py")
    (listed,) = server.client("sagemaker").list_pipeline_executions(PipelineName="Sdk3Callback")[
        "PipelineExecutionSummaries"
    ]
    assert listed["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.slow
def test_with_version_3_every_condition_decides_and_every_kind_of_failure_is_told(
    run_notebook: Run, server: Server
) -> None:
    run_notebook("sdk3/conditions_and_failures.py")
    listed = server.client("sagemaker").list_pipelines(PipelineNamePrefix="Sdk3AfterFail")
    assert listed["PipelineSummaries"] == []


@pytest.mark.slow
def test_executions_are_watched_stopped_and_listed_by_version_3(run_notebook: Run, server: Server) -> None:
    run_notebook("sdk3/executions.py")
    key = server.client("s3").list_objects_v2(Bucket=f"sagemaker-{server.region}-{server.account}")
    assert "Sdk3Large" in [each["Key"] for each in key["Contents"]]
    names = [
        each["PipelineName"]
        for each in server.client("sagemaker").list_pipelines(PipelineNamePrefix="Sdk3")["PipelineSummaries"]
    ]
    assert "Sdk3Executions" in names and "Sdk3Large" not in names
