"""Each permission of Training, Processing and EndpointConfig steps, one by one: its absence is named."""

from typing import Any

import pytest
from tests.conftest import Server
from tests.journeys.test_job_steps import Pipelines, allow
from tests.services.sagemaker.jobs.workshop import Workshop

pytestmark = pytest.mark.usefixtures("sandboxed")

TRAINING, PROCESSING = (
    (f"sagemaker:Create{kind}Job", "iam:PassRole", "sagemaker:AddTags", f"sagemaker:Describe{kind}Job")
    for kind in ("Training", "Processing")
)
CASES = [(kind, each) for kind in (TRAINING, PROCESSING) for each in kind]
PASSING = ("sagemaker:CreateEndpointConfig", "sagemaker:AddTags", "sagemaker:DescribeEndpointConfig")


@pytest.fixture(scope="module")
def shop(server: Server) -> Workshop:
    return Workshop(server)


def _refused(shop: Workshop, step: dict[str, Any], *actions: str) -> str:
    pipelines = Pipelines(shop)
    name = pipelines.create(step, policies=[allow(*actions)])
    done = pipelines.ended(pipelines.start(name))["One"]
    assert done["StepStatus"] == "Failed"
    return str(done["FailureReason"])


@pytest.mark.parametrize(("actions", "lacking"), CASES, ids=[f"{kind[0]}-{each}" for kind, each in CASES])
def test_a_permission_that_lacks_is_named(shop: Workshop, actions: tuple[str, ...], lacking: str) -> None:
    kind = "Training" if actions == TRAINING else "Processing"
    request = shop.training("true") if kind == "Training" else shop.processing("true")
    del request[f"{kind}JobName"]
    stop = f"sagemaker:Stop{kind}Job"
    rest = [each for each in (*actions, stop) if each != lacking]
    reason = _refused(shop, {"Name": "One", "Type": kind, "Arguments": request}, *rest)
    assert f"is not authorized to perform: {lacking} on resource: " in reason


def test_the_role_of_an_endpoints_configuration_is_passed(shop: Workshop) -> None:
    variant = {"VariantName": "V", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    arguments = {
        "EndpointConfigName": "passes",
        "ProductionVariants": [variant],
        "ExecutionRoleArn": shop.role,
    }
    reason = _refused(shop, {"Name": "One", "Type": "EndpointConfig", "Arguments": arguments}, *PASSING)
    assert f"is not authorized to perform: iam:PassRole on resource: {shop.role} because" in reason
