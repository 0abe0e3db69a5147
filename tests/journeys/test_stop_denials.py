"""A stop asks the role for the Stop of each kind of job: without it the job goes on, and the step says so."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.journeys.test_job_steps import Pipelines, allow
from tests.services.sagemaker.jobs.transforms import Transforms
from tests.services.sagemaker.jobs.workshop import Workshop

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]
KINDS = ("ProcessingJob", "TrainingJob", "TransformJob", "HyperParameterTuningJob")
METADATA = {"HyperParameterTuningJob": "TuningJob"}
WAITS = "sleep 100"
SLOW = "import time\ndef model_fn(folder):\n    time.sleep(100)\n"


@pytest.fixture(scope="module")
def shop(server: Server) -> Workshop:
    shop = Workshop(server)
    shop.put(data__a="1\n")
    return shop


def _step(shop: Workshop, kind: str) -> dict[str, Any]:
    transforms = Transforms(shop)
    requests: dict[str, Callable[[], dict[str, Any]]] = {
        "ProcessingJob": lambda: shop.processing(WAITS),
        "TrainingJob": lambda: shop.training(WAITS),
        "TransformJob": lambda: transforms.request(transforms.model(SLOW), "data/"),
        "HyperParameterTuningJob": lambda: shop.tuning(WAITS, {}),
    }
    request = requests[kind]()
    del request[f"{kind}Name"]
    type_ = METADATA.get(kind, kind).removesuffix("Job")
    return {"Name": "One", "Type": type_, "Arguments": request}


@pytest.fixture
def stop(shop: Workshop) -> Iterator[list[tuple[str, str]]]:
    """Jobs by kind and name that go on, and are stopped at the end."""
    going_on: list[tuple[str, str]] = []
    yield going_on
    for kind, name in going_on:
        call = {"HyperParameterTuningJob": "hyper_parameter_tuning_job"}.get(
            kind, f"{kind.removesuffix('Job').lower()}_job"
        )
        getattr(shop.sagemaker, f"stop_{call}")(**{f"{kind}Name": name})


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_without_its_permission_is_named(
    shop: Workshop, stop: list[tuple[str, str]], kind: str
) -> None:
    may = [f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe")]
    pipelines = Pipelines(shop)
    name = pipelines.create(_step(shop, kind), policies=[allow(*may, "sagemaker:AddTags", "iam:PassRole")])
    execution = pipelines.start(name)
    metadata = eventually(lambda: pipelines.steps(execution).get("One", {}).get("Metadata"))
    job = metadata[METADATA.get(kind, kind)]["Arn"].rpartition("/")[2]
    stop.append((kind, job))
    shop.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    step = pipelines.ended(execution)["One"]
    described = shop.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert described["PipelineExecutionStatus"] == "Stopped"
    assert f"is not authorized to perform: sagemaker:Stop{kind} on resource: " in step["FailureReason"]
