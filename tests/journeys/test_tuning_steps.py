"""Tuning steps: what they run, what may be referenced of them, who may run them, and how they end."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server
from tests.eventually import eventually
from tests.journeys.test_job_steps import Pipelines, allow
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.cli import main

WITHOUT_STOP = (
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:AddTags",
    "iam:PassRole",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
)
PRINT = 'echo "loss=$2;"; echo m > /opt/ml/model/m'


@pytest.fixture(scope="module")
def pipelines(server: Server, sandboxed: None) -> Pipelines:
    return Pipelines(Workshop(server))


def _tuning(pipelines: Pipelines, script: str = PRINT, **members: Any) -> dict[str, Any]:
    """A step that tries three values; the least is the best."""
    ranges = {"CategoricalParameterRanges": [{"Name": "a", "Values": ["3", "1", "2"]}]}
    limits = {"MaxParallelTrainingJobs": 3}
    config = {"Strategy": "Grid", "ParameterRanges": ranges, "ResourceLimits": limits}
    request = pipelines.workshop.tuning(script, config)
    del request["HyperParameterTuningJobName"]
    return {"Name": "One_tuning", "Type": "Tuning", "Arguments": request, **members}


def _policies(*but: str) -> list[dict[str, Any]]:
    others = ("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob")
    stop = "sagemaker:StopHyperParameterTuningJob"
    return [allow(*(each for each in (*WITHOUT_STOP, *others, stop) if each not in but))]


def test_the_best_models_are_referenced(pipelines: Pipelines) -> None:
    top = [{"Get": f"Steps.One_tuning.TrainingJobSummaries[{rank}].TrainingJobName"} for rank in (0, 2)]
    where = ["s3:/", pipelines.workshop.bucket, "models"]
    model = {"Std:Join": {"On": "/", "Values": [*where, top[0], "output/model.tar.gz"]}}
    use = pipelines.training("Use", "tar -xOf /opt/ml/input/data/train/*.gz > /opt/ml/model/m", model)
    use["Arguments"]["HyperParameters"] = {
        "best": {"Get": "Steps.One_tuning.BestTrainingJob.TunedHyperParameters.a"},
        "worst": top[1],
    }
    name = pipelines.create(_tuning(pipelines), use, policies=_policies())
    execution = pipelines.start(name)
    steps = pipelines.ended(execution)
    assert [each["StepStatus"] for each in steps.values()] == ["Succeeded", "Succeeded"], steps
    arn = steps["One_tuning"]["Metadata"]["TuningJob"]["Arn"]
    tuning = arn.rpartition("/")[2]
    assert tuning.startswith(f"{execution.rpartition('/')[2]}-One-tun-")
    assert len(tuning) <= 32
    trained = pipelines.workshop.trained(steps["Use"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2])
    children = {each["TunedHyperParameters"]["a"]: each for each in pipelines.workshop.children(tuning)}
    given = trained["HyperParameters"]
    assert (given["best"], given["worst"]) == ("1", children["3"]["TrainingJobName"])
    uri = trained["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    assert f"/{children['1']['TrainingJobName']}/" in uri
    data = str(pipelines.workshop.server.data)
    logs = CliRunner().invoke(main, ["logs", execution, "One_tuning", "--data", data])
    assert logs.exit_code == 0, logs.output
    told = [line.split() for line in logs.output.splitlines() if "loss=" in line]
    assert sorted((line[-2], line[-1]) for line in told) == [
        ("One_tuning/001", "loss=3;"),
        ("One_tuning/002", "loss=1;"),
        ("One_tuning/003", "loss=2;"),
    ]
    shown = CliRunner().invoke(main, ["show", execution, "--data", data, "--format", "json"])
    assert shown.exit_code == 0, shown.output
    (summaries,) = json.loads(shown.output)["TrainingJobSummaries"].values()
    assert [each["TunedHyperParameters"]["a"] for each in summaries] == ["1", "2", "3"]
    told = [
        line.split()
        for line in CliRunner().invoke(main, ["show", execution, "--data", data]).output.splitlines()
    ]
    place = told.index(["training", "jobs", "of", "One_tuning,", "the", "best", "first"]) + 1
    assert [(line[0], line[1], *line[-3:]) for line in told[place : place + 3]] == [
        (children[value]["TrainingJobName"], "Completed", "loss", value, f"a={value}") for value in "123"
    ]
    tags = pipelines.sagemaker.list_tags(ResourceArn=children["1"]["TrainingJobArn"])["Tags"]
    assert {"Key": "sagemaker:pipeline-step-name", "Value": "One_tuning"} in tags


@pytest.mark.parametrize("missing", WITHOUT_STOP)
def test_without_one_of_its_permissions_it_fails_and_names_it(pipelines: Pipelines, missing: str) -> None:
    step = pipelines.run(_tuning(pipelines), policies=_policies(missing))["One_tuning"]
    assert step["StepStatus"] == "Failed"
    assert missing in step["FailureReason"]
    if "TuningJob" in step.get("Metadata", {}):
        name = step["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
        status = pipelines.workshop.tuned(name)["HyperParameterTuningJobStatus"]
        assert status in ("Stopped", "Completed"), "it is not left running"


def test_a_tuning_job_that_fails_fails_its_step(pipelines: Pipelines) -> None:
    step = pipelines.run(_tuning(pipelines, "exit 3"), policies=_policies())["One_tuning"]
    assert step["StepStatus"] == "Failed"
    assert step["FailureReason"].startswith("ClientError: All training jobs failed.")


def test_a_result_is_taken_over_without_a_call(pipelines: Pipelines) -> None:
    step = _tuning(pipelines, CacheConfig={"Enabled": True, "ExpireAfter": "PT1H"})
    name = pipelines.create(step, policies=_policies())
    first = pipelines.ended(pipelines.start(name))["One_tuning"]
    second = pipelines.ended(pipelines.start(name))["One_tuning"]
    assert second["CacheHitResult"]["SourcePipelineExecutionArn"]
    assert second["Metadata"] == first["Metadata"]


def test_a_stop_stops_the_training_jobs(pipelines: Pipelines) -> None:
    waits = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
    execution = pipelines.start(pipelines.create(_tuning(pipelines, waits), policies=_policies()))
    metadata = eventually(lambda: pipelines.steps(execution).get("One_tuning", {}).get("Metadata"))
    name = metadata["TuningJob"]["Arn"].rpartition("/")[2]
    eventually(lambda: len(pipelines.workshop.children(name)) == 3)
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert pipelines.ended(execution)["One_tuning"]["StepStatus"] == "Stopped"
    assert {each["TrainingJobStatus"] for each in pipelines.workshop.children(name)} == {"Stopped"}


def test_a_rank_beyond_the_fiftieth_is_refused(pipelines: Pipelines) -> None:
    use = pipelines.training(
        "Use", "true", {"Get": "Steps.One_tuning.TrainingJobSummaries[50].TrainingJobName"}
    )
    with pytest.raises(pipelines.sagemaker.exceptions.ClientError, match="TrainingJobSummaries"):
        pipelines.create(_tuning(pipelines), use)
