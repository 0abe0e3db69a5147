"""Transform steps: their properties, a result that is taken over, and every permission that they need."""

from typing import Any

import pytest
from tests.conftest import Server
from tests.journeys.test_job_steps import Pipelines, allow
from tests.services.sagemaker.jobs.transforms import Transforms
from tests.services.sagemaker.jobs.workshop import Workshop

NEEDED = ("sagemaker:CreateTransformJob", "sagemaker:AddTags", "sagemaker:DescribeTransformJob")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]


@pytest.fixture(scope="module")
def transforms(server: Server) -> Transforms:
    shop = Workshop(server)
    shop.put(data__a="1\n2\n")
    return Transforms(shop)


@pytest.fixture(scope="module")
def model(transforms: Transforms) -> str:
    return transforms.model()


def _step(transforms: Transforms, name: str, model: str, **members: Any) -> dict[str, Any]:
    request = transforms.request(model, "data/")
    del request["TransformJobName"]
    return {"Name": name, "Type": "Transform", "Arguments": request, **members}


@pytest.mark.parametrize("action", NEEDED)
def test_a_role_needs_every_permission(transforms: Transforms, model: str, action: str) -> None:
    without = allow(*(each for each in NEEDED if each != action))
    step = Pipelines(transforms.shop).run(_step(transforms, "One", model), policies=[without])["One"]
    assert step["StepStatus"] == "Failed"
    assert f"not authorized to perform: {action}" in step["FailureReason"]


def test_a_result_is_taken_over_and_its_properties_are_known(transforms: Transforms, model: str) -> None:
    pipelines = Pipelines(transforms.shop)
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    first = _step(transforms, "First", model, **cached)
    path = first["Arguments"]["TransformOutput"]["S3OutputPath"]
    after = pipelines.processing("After", f'test "$PLACE" = {path}')
    place = {"Get": "Steps.First.TransformOutput.S3OutputPath"}
    after["Arguments"]["Environment"] = {"PLACE": place}
    name = pipelines.create(first, after, policies=[allow("sagemaker:*", "iam:PassRole")])
    runs = [pipelines.ended(pipelines.start(name)) for _ in range(2)]
    assert [run["After"]["StepStatus"] for run in runs] == ["Succeeded", "Succeeded"], runs
    arns = [run["First"]["Metadata"]["TransformJob"]["Arn"] for run in runs]
    assert arns[0] == arns[1] and "CacheHitResult" in runs[1]["First"]


def test_a_failed_job_fails_its_step_in_its_words(transforms: Transforms) -> None:
    step = Pipelines(transforms.shop).run(
        _step(transforms, "One", transforms.model("1 / 0")), policies=[allow(*NEEDED)]
    )["One"]
    reason = "ClientError: AlgorithmError: The container ended with exit code 1"
    assert step["FailureReason"].startswith(reason)
