"""Code of the SageMaker SDK, under `passrole exec`; what it leaves is looked at through boto3.

Version 2 stands in `.venv`, version 3 in an environment of its own (`make test-sdk3`). They differ in where
they keep their names: `sdk/version_2.py` and `sdk/version_3.py`.
"""

import io
import json
import os
import re
import signal
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import IO, Any, cast

import pytest
from click.testing import CliRunner
from tests.conftest import SPARK_S3, Server
from tests.eventually import eventually
from tests.journeys.conftest import notebook_on
from tests.journeys.test_job_steps import pid_of
from tests.needs.test_against_the_door import asked_for, fits
from tests.runtimes.programs.analyser_job import WITH_ALL as WITH_SMCLARIFY
from tests.runtimes.programs.analyser_job import WITH_SHAP
from tests.runtimes.programs.test_notebook_mode import PYTHON as NOTEBOOKS
from tests.runtimes.programs.test_notebook_mode import VARIABLE as NOTEBOOKS_VARIABLE
from tests.runtimes.programs.xgboost_job import PYTHON as XGBOOST
from tests.runtimes.programs.xgboost_job import VARIABLE

from passrole.cli import main
from passrole.config import Config
from passrole.needs import Place, needs_of_job_roles, read_definition
from passrole.runtimes.spark import Spark

_IS_VERSION_3 = any(each.version.startswith("3.") for each in metadata.distributions(name="sagemaker"))
_VERSION = "version_3" if _IS_VERSION_3 else "version_2"

_PICKLE = b"\x80\x04"
"""The beginning of what Python pickles: https://peps.python.org/pep-3154/"""

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
def test_triggers_of_the_sdk_start_its_pipelines(run_notebook: Run, server: Server) -> None:
    run_notebook("sdk/schedules.py")
    executions = server.client("sagemaker").list_pipeline_executions(PipelineName="SdkScheduled")
    assert len(executions["PipelineExecutionSummaries"]) == 2
    assert server.client("scheduler").list_schedules(NamePrefix="SdkScheduled")["Schedules"] == []


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
def test_job_runs_of_emr_serverless_are_steps(run_notebook: Run, server: Server, spark: None) -> None:
    if not _IS_VERSION_3:
        pytest.skip("version 2 has no class for it; tests/journeys/test_emr_serverless.py needs none")
    run_notebook("sdk/emr_serverless_version_3.py")
    parts = [key for key in _keys(server, "serverless/twice/") if key.endswith(".csv")]
    assert sorted(b"".join(_content(server, key) for key in parts).split()) == [b"12", b"4", b"8"]
    applications = server.client("emr-serverless").list_applications()["applications"]
    assert len(applications) == 1  # what a step makes is removed


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
def test_jobs_of_the_sdk_run_without_a_pipeline(run_notebook: Run, server: Server, sandboxed: None) -> None:
    if _IS_VERSION_3:
        pytest.skip("sdk/jobs_version_3.py does the same with other classes")
    run_notebook("sdk/jobs_version_2.py")
    assert _model(server, "SdkSklearn") == {"name": "a b", "sum": 60, "double": 120}
    assert len([key for key in _keys(server) if key.endswith("output/train/numbers.csv")]) == 2


@pytest.mark.slow
def test_processors_run_other_programs_requirements_and_spark(
    run_notebook: Run, server: Server, monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    if _IS_VERSION_3:
        pytest.skip("sdk/jobs_version_3.py does the same with other classes")
    expected = {"SdkShell": b"3", "SdkRequirements": b"12", "SdkSpark": b"18"}
    _expect_spark(expected, monkeypatch)
    run_notebook("sdk/processors_version_2.py")
    assert _made(server) == expected


@pytest.mark.slow
def test_jobs_of_version_3_run_without_a_pipeline(
    run_notebook: Run, server: Server, monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    if not _IS_VERSION_3:
        pytest.skip("version 2 is installed: `make test-sdk3`")
    expected = {"SdkShell": b"3", "SdkRequirements": b"2\n4\n6", "SdkSpark": b"6"}
    _expect_spark(expected, monkeypatch)
    run_notebook("sdk/jobs_version_3.py")
    assert _made(server) == expected
    assert _model(server, "SdkTrainer") == {"name": "a b", "sum": 24}


@pytest.mark.slow
def test_xgboost_trains_without_a_script(start_server: Callable[..., Server], sandboxed: None) -> None:
    if XGBOOST is None:
        pytest.skip(f"needs an interpreter with xgboost in {VARIABLE}")
    server = start_server(images=f"*/sagemaker-xgboost:*=python:{Path(XGBOOST).parent.parent}")
    notebook_on(server)(f"sdk/xgboost_algorithm_{_VERSION}.py")
    keys = server.client("s3").list_objects_v2(Bucket=_bucket(server), Prefix="models/SdkXgboost")["Contents"]
    ways = []
    for key in [each["Key"] for each in keys if each["Key"].endswith("model.tar.gz")]:
        with tarfile.open(fileobj=io.BytesIO(_content(server, key))) as tar:
            (name,) = tar.getnames()
            ways.append((name, cast(IO[bytes], tar.extractfile(name)).read(2) == _PICKLE))
    assert ways == [("xgboost-model", False), ("xgboost-model", True)]


@pytest.mark.slow
def test_a_baseline_is_registered_approved_and_drifted_from(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    run_notebook("sdk/checks.py")
    assert "checks/data-quality/constraint_violations.json" in _keys(server, "checks/")


@pytest.mark.slow
def test_the_bias_of_data_is_checked_beside_their_quality(
    start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    if WITH_SMCLARIFY is None:
        pytest.skip("needs an interpreter with smclarify in PASSROLE_CHECKS_PYTHON")
    monkeypatch.setenv("CHECKS_BIAS", "1")
    environment = Path(WITH_SMCLARIFY).parent.parent
    server = start_server(images=f"*/sagemaker-clarify-processing:*=python:{environment}")
    notebook_on(server)("sdk/checks.py")
    assert "checks/bias/constraint_violations.json" in _keys(server, "checks/")


@pytest.mark.slow
def test_the_predictions_of_a_batch_transform_are_checked(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    run_notebook("sdk/monitored_transform.py")
    keys = _keys(server, "monitored/")
    assert {"monitored/predicted/rows.csv.out", "monitored/quality/constraint_violations.json"} < set(keys)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["explanations", "explanations_alone"])
def test_the_bias_of_a_model_and_its_explanations_are_checked(
    start_server: Callable[..., Server], script: str, sandboxed: None
) -> None:
    if WITH_SHAP is None:
        pytest.skip("needs an interpreter with shap in PASSROLE_CHECKS_PYTHON")
    environment = Path(WITH_SHAP).parent.parent
    server = start_server(images=f"*/sagemaker-clarify-processing:*=python:{environment}")
    notebook_on(server)(f"sdk/{script}.py")
    assert "clarify/explained/explanations_shap/out.csv" in _keys(server, "clarify/")
    sagemaker = server.client("sagemaker")
    assert not sagemaker.list_endpoint_configs()["EndpointConfigs"]
    for name in (each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]):
        _expect_needs_of_endpoints(server, sagemaker.describe_pipeline(PipelineName=name))


@pytest.mark.slow
def test_the_tutorial_of_abalones_runs_with_a_script(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    if _IS_VERSION_3:
        pytest.skip("sdk/abalone_version_3.py does the same with other classes")
    run_notebook("sdk/abalone_version_2.py")
    assert 0 < _metrics(server, "AbaloneTrain")["validation:mse"] < 6
    _approve_and_ask(server, "Abalone")


@pytest.mark.slow
def test_the_tutorial_of_abalones_runs_with_xgboost(
    start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    if _IS_VERSION_3 or XGBOOST is None:
        pytest.skip(f"needs version 2 of the SDK, and an interpreter with xgboost in {VARIABLE}")
    monkeypatch.setenv("WITH_XGBOOST", "1")
    server = start_server(images=f"*/sagemaker-xgboost:*=python:{Path(XGBOOST).parent.parent}")
    notebook_on(server)("sdk/abalone_version_2.py")
    assert 0 < _metrics(server, "AbaloneTrain")["validation:rmse"] < 3
    _approve_and_ask(server, "AbaloneXgboost")


@pytest.mark.slow
def test_a_loop_of_version_3_runs_and_picks_its_best_iteration(run_notebook: Run, server: Server) -> None:
    if not _IS_VERSION_3:
        pytest.skip("version 2 has no class for it; tests/journeys/test_loops.py needs none")
    run_notebook("sdk/loops_version_3.py")
    (found,) = server.client("sagemaker").list_pipeline_executions(PipelineName="SdkLoop")[
        "PipelineExecutionSummaries"
    ]
    assert found["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.slow
def test_the_tutorial_of_abalones_runs_with_version_3(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    if not _IS_VERSION_3:
        pytest.skip("version 2 is installed: `make test-sdk3`")
    run_notebook("sdk/abalone_version_3.py")
    listed = server.client("sagemaker").list_pipeline_executions(PipelineName="Abalone")
    assert len(listed["PipelineExecutionSummaries"]) == 3
    _approve_and_ask(server, "Abalone")


@pytest.mark.slow
def test_a_model_is_repacked_registered_and_approved_from_the_command_line(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    run_notebook(f"sdk/models_{_VERSION}.py")
    sagemaker = server.client("sagemaker")
    version = sagemaker.describe_model_package(ModelPackageName="SdkModels/1")
    (container,) = version["InferenceSpecification"]["Containers"]
    key = container["ModelDataUrl"].removeprefix(f"s3://{_bucket(server)}/")
    with tarfile.open(fileobj=io.BytesIO(_content(server, key))) as tar:
        assert {"mean.json", "code/inference.py"} <= {name.removeprefix("./") for name in tar.getnames()}
    assert sagemaker.list_models(NameContains="SdkModels-")["Models"] == []
    done = CliRunner().invoke(main, ["approve", "--data", str(server.data), "SdkModels/1"])
    assert done.stdout.startswith("approved; arn:aws:sagemaker:"), done.output
    eventually(
        lambda: sagemaker.list_endpoints(NameContains="SdkModels", StatusEquals="InService")["Endpoints"]
    )
    given = {"EndpointName": "SdkModels", "ContentType": "text/csv"}
    answer = server.client("sagemaker-runtime").invoke_endpoint(Body="1,2", **given)
    assert answer["Body"].read() == b"[-1.0, 0.0]"
    sagemaker.delete_endpoint(EndpointName="SdkModels")


def test_the_page_on_deploying_has_the_function_that_deploys() -> None:
    page = (Path(__file__).parents[2] / "docs/howto/deploy-a-model.md").read_text()
    assert Path(__file__).with_name("sdk").joinpath("register/deploy.py").read_text() in page


@pytest.mark.slow
def test_a_model_is_deployed_asked_and_updated_by_a_pipeline(run_notebook: Run, sandboxed: None) -> None:
    run_notebook(f"sdk/endpoints_{_VERSION}.py")


@pytest.mark.slow
def test_functions_are_steps_and_what_they_require_is_installed_once(
    start_server: Callable[..., Server], sandboxed: None
) -> None:
    server = start_server()  # one with no layers yet
    notebook_on(server)("sdk/function_steps.py")
    logs = [
        file.read_text()
        for job in ("Numbers", "Total", "Raises", "Tampered")
        for file in server.data.glob(f"jobs/training-job/*/*/*-{job}-*/algo-1/run/stdout")
    ]
    made = [text for text in logs if "the requirements went into the layer" in text]
    found = [text for text in logs if "the requirements are in the kept layer" in text]
    assert (len(logs), len(made), len(found)) == (4, 1, 3)
    assert any("adding [0, 1, 2, 3]" in text for text in found)


@pytest.mark.slow
def test_a_function_is_a_job_of_its_own(run_notebook: Run, sandboxed: None) -> None:
    run_notebook("sdk/remote_functions.py")


@pytest.mark.slow
def test_a_notebook_is_a_step(start_server: Callable[..., Server], sandboxed: None) -> None:
    if NOTEBOOKS is None:
        pytest.skip(f"needs an interpreter with papermill in {NOTEBOOKS_VARIABLE}")
    server = start_server(images=f"*/notebooks:*=python:{Path(NOTEBOOKS).parent.parent}")
    notebook_on(server)("sdk/notebook_steps.py")
    (key,) = [key for key in _keys(server, "SdkNotebook/") if key.endswith("/output/output.tar.gz")]
    with tarfile.open(fileobj=io.BytesIO(_content(server, key))) as tar:
        names = {name.removeprefix("./") for name in tar.getnames()} - {"", "."}
    assert names == {"squares.ipynb", "squares-result.ipynb", "sagemaker_job_execution.log"}


@pytest.mark.slow
def test_a_transformer_and_a_transform_step_join_predictions_to_their_records(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    run_notebook(f"sdk/transform_{_VERSION}.py")
    for place in ("alone", "steps"):
        found = {key: _content(server, key) for key in _keys(server, f"transform/{place}/")}
        assert found == {f"transform/{place}/rows.csv.out": b"id1,4.0\nid2,8.0\n"}
    sagemaker = server.client("sagemaker")
    (execution,) = sagemaker.list_pipeline_executions(PipelineName="SdkTransform")[
        "PipelineExecutionSummaries"
    ]
    arn = execution["PipelineExecutionArn"]
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    metadata = {step["StepName"]: step["Metadata"] for step in steps}
    assert ":transform-job/pipelines-" in metadata["Predict"]["TransformJob"]["Arn"]
    done = CliRunner().invoke(main, ["logs", "--data", str(server.data), arn])
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in done.output, (
        done.output
    )


@pytest.mark.slow
def test_steps_of_older_code_run_and_a_lost_job_is_tried_again(
    run_notebook: Run, server: Server, sandboxed: None
) -> None:
    if _IS_VERSION_3:
        pytest.skip("version 3 has `step_args` alone")
    with ThreadPoolExecutor() as beside:
        lost = beside.submit(_take_away, server, "TakenAway", "SdkSteps/began")
        run_notebook("sdk/job_steps_version_2.py")
        lost.result()
    assert _content(server, "SdkSteps/verdict/sum") == b"the sum is 20"


def _take_away(server: Server, step: str, began: str) -> None:
    """End the job of a step from outside, once it has written an object."""
    listed = server.client("sagemaker").list_processing_jobs
    (job,) = eventually(
        lambda: listed(NameContains=f"-{step}-")["ProcessingJobSummaries"], seconds=240
    )  # the bucket is there by then
    eventually(lambda: began in _keys(server))
    os.kill(pid_of(server.data, job["ProcessingJobName"]), signal.SIGKILL)


def _approve_and_ask(server: Server, group: str) -> None:
    """Approve a version on the command line, wait for the endpoint that a function makes of it, and ask both.

    The batch has an abalone of the mean measures, and a larger one, which has more rings.
    """
    sagemaker = server.client("sagemaker")
    version = sagemaker.describe_model_package(ModelPackageName=f"{group}/1")
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    assert version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].endswith("/evaluation.json")
    (written,) = _keys(server, "AbaloneTransform/")
    mean, larger = map(float, _content(server, written).split())
    assert 6 < mean < 11 and larger > mean + 1
    assert sagemaker.list_endpoints(NameContains=group)["Endpoints"] == []
    done = CliRunner().invoke(main, ["approve", "--data", str(server.data), f"{group}/1"])
    assert done.stdout.startswith("approved; arn:aws:sagemaker:"), done.output
    eventually(lambda: sagemaker.list_endpoints(NameContains=group)["Endpoints"])
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=group, WaiterConfig={"Delay": 1})
    answer = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=group, ContentType="text/csv", Body="0,0,0,0,0,0,0,1,0,0"
    )
    assert abs(float(answer["Body"].read()) - mean) < 0.001
    sagemaker.delete_endpoint(EndpointName=group)


def _metrics(server: Server, step: str) -> dict[str, float]:
    """The last values of the metrics of the one job of a step."""
    sagemaker = server.client("sagemaker")
    (job,) = sagemaker.list_training_jobs(NameContains=step)["TrainingJobSummaries"]
    described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    return {each["MetricName"]: each["Value"] for each in described["FinalMetricDataList"]}


def _expect_spark(expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine has no Spark, the script leaves it out."""
    if Spark(Config(spark_s3=SPARK_S3)).unavailable_reason():
        monkeypatch.setenv("WITHOUT_SPARK", "1")
        del expected["SdkSpark"]


def _expect_needs_of_endpoints(server: Server, pipeline: Any) -> None:
    """What `check` lists of shadow endpoints is what their jobs have asked for."""
    definition = read_definition(pipeline["PipelineDefinition"], {})
    needs = needs_of_job_roles(definition, Place(server.region, server.account))
    needs = [each for each in needs if "sm-clarify" in each.resource]
    every = asked_for(server, pipeline["RoleArn"])  # the model's role too, which writes the endpoint's log
    asked = {each for each in every if "sm-clarify" in each[1] and each[0].startswith("sagemaker:")}
    assert needs and asked
    assert not [each for each in asked if not any(fits(need, *each) for need in needs)]
    assert not [need for need in needs if not any(fits(need, *each) for each in asked)]


def _keys(server: Server, prefix: str = "Sdk") -> list[str]:
    pages = (
        server.client("s3").get_paginator("list_objects_v2").paginate(Bucket=_bucket(server), Prefix=prefix)
    )
    return [each["Key"] for page in pages for each in page.get("Contents", ())]


def _made(server: Server) -> dict[str, bytes]:
    """The one file of each processor's output `made`, by the beginning of the job's name."""
    return {
        re.split("[-/]", key)[0]: _content(server, key).strip()
        for key in _keys(server)
        if "/output/made/" in key and not key.endswith("_SUCCESS")
    }


def _model(server: Server, job: str) -> object:
    (key,) = [key for key in _keys(server) if key.startswith(job) and key.endswith("model.tar.gz")]
    with tarfile.open(fileobj=io.BytesIO(_content(server, key))) as tar:
        return json.load(cast(IO[bytes], tar.extractfile("model.json")))


def _content(server: Server, key: str) -> bytes:
    content: bytes = server.client("s3").get_object(Bucket=_bucket(server), Key=key)["Body"].read()
    return content


def _bucket(server: Server) -> str:
    return f"sagemaker-{server.region}-{server.account}"


@pytest.mark.slow
def test_a_tuner_finds_its_best_training_job(run_notebook: Run, sandboxed: None) -> None:
    run_notebook(f"sdk/tuning_{_VERSION}.py")
