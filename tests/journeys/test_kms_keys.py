"""The keys of volumes and outputs, one kind of job after the other: denials are named, and grants work.

A key's policy leaves all to IAM, as that of a new key does.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.journeys.test_job_steps import Pipelines, allow
from tests.policies import allowing
from tests.services.sagemaker.jobs.transforms import Transforms
from tests.services.sagemaker.jobs.workshop import MAY_ALL, Workshop

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]

KINDS = {
    "ProcessingJob": "ProcessingResources.ClusterConfig",
    "TrainingJob": "ResourceConfig",
    "TransformJob": "TransformResources",
    "HyperParameterTuningJob": "TrainingJobDefinition.ResourceConfig",
}
OUTPUTS = {
    "ProcessingJob": "ProcessingOutputConfig",
    "TrainingJob": "OutputDataConfig",
    "TransformJob": "TransformOutput",
    "HyperParameterTuningJob": "TrainingJobDefinition.OutputDataConfig",
}
SERVES = (
    "def model_fn(folder):\n    return 1\n"
    "def transform_fn(model, data, content_type, accept):\n    return data, accept\n"
)
LEAVES = 'echo "loss=1;"; mkdir -p /opt/ml/model; echo 1 > /opt/ml/model/m'
GRANTS = ("kms:DescribeKey", "kms:CreateGrant")
OF_OUTPUTS = ("kms:GenerateDataKey", "kms:Decrypt")


@pytest.fixture(scope="module")
def shop(server: Server) -> Workshop:
    shop = Workshop(server)
    shop.put(data__a="1\n")
    return shop


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.client("kms").create_key()["KeyMetadata"]["Arn"])


def _step(shop: Workshop, kind: str, role: str, path: str, member: str, key: str) -> dict[str, Any]:
    """A step of the kind with the job's role, and with the key in a member of its arguments."""
    transforms = Transforms(shop)
    requests: dict[str, Callable[[], dict[str, Any]]] = {
        "ProcessingJob": lambda: shop.processing(
            "echo 1 > /opt/ml/processing/out/f", outputs={"out": "made"}
        ),
        "TrainingJob": lambda: shop.training(LEAVES),
        "TransformJob": lambda: transforms.request(transforms.model(SERVES, role=role), "data/"),
        "HyperParameterTuningJob": lambda: shop.tuning(LEAVES, {}),
    }
    request = requests[kind]()
    del request[f"{kind}Name"]
    inner = request.get("TrainingJobDefinition", request)
    if "RoleArn" in inner:
        inner["RoleArn"] = role
    found = request
    for name in path.split("."):
        found = found[name]
    found[member] = key
    type_ = {"HyperParameterTuningJob": "Tuning"}.get(kind, kind.removesuffix("Job"))
    return {"Name": "One", "Type": type_, "Arguments": request}


def _run(shop: Workshop, kind: str, step: dict[str, Any], *more: str) -> dict[str, Any]:
    may = [f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe")]
    may += ["sagemaker:AddTags", "iam:PassRole", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"]
    pipelines = Pipelines(shop)
    name = pipelines.create(step, policies=[allow(*may, *more)])
    done: dict[str, Any] = pipelines.ended(pipelines.start(name))["One"]
    return done


@pytest.mark.parametrize("kind", KINDS)
def test_a_volume_key_that_neither_role_may_use_is_refused(shop: Workshop, key: str, kind: str) -> None:
    step = _step(shop, kind, shop.server.role([MAY_ALL]), KINDS[kind], "VolumeKmsKeyId", key)
    done = _run(shop, kind, step)
    assert done["StepStatus"] == "Failed"
    reason = done["FailureReason"]
    assert f"is not authorized to perform: kms:CreateGrant on resource: {key} because" in reason, reason


@pytest.mark.parametrize(
    ("kind", "lacking"), [("TrainingJob", "kms:DescribeKey"), *((kind, "kms:CreateGrant") for kind in KINDS)]
)
def test_the_pipelines_role_is_asked_where_the_jobs_lacks_one_action(
    shop: Workshop, key: str, kind: str, lacking: str
) -> None:
    rest = [action for action in GRANTS if action != lacking]
    role = shop.server.role([MAY_ALL, allowing(*rest)])
    step = _step(shop, kind, role, KINDS[kind], "VolumeKmsKeyId", key)
    assert "kms:CreateGrant" in _run(shop, kind, step)["FailureReason"]
    done = _run(shop, kind, step, "kms:CreateGrant")
    assert done["StepStatus"] == "Succeeded", done


@pytest.mark.parametrize("kind", KINDS)
def test_a_volume_key_that_the_jobs_role_may_use_asks_nothing_else(
    shop: Workshop, key: str, kind: str
) -> None:
    role = shop.server.role([MAY_ALL, allowing(*GRANTS)])
    done = _run(shop, kind, _step(shop, kind, role, KINDS[kind], "VolumeKmsKeyId", key))
    assert done["StepStatus"] == "Succeeded", done


@pytest.mark.parametrize("kind", OUTPUTS)
def test_an_output_key_that_the_jobs_role_may_not_use_fails_the_job(
    shop: Workshop, key: str, kind: str
) -> None:
    role = shop.server.role([MAY_ALL])
    done = _run(shop, kind, _step(shop, kind, role, OUTPUTS[kind], "KmsKeyId", key))
    assert done["StepStatus"] == "Failed"
    may = shop.server.role([MAY_ALL, allowing(*OF_OUTPUTS)])
    done = _run(shop, kind, _step(shop, kind, may, OUTPUTS[kind], "KmsKeyId", key))
    assert done["StepStatus"] == "Succeeded", done


@pytest.mark.parametrize("key", ["alias/nothing", "11111111-2222-3333-4444-555555555555"])
def test_a_volume_key_that_is_not_there_is_refused(shop: Workshop, key: str) -> None:
    role = shop.server.role([MAY_ALL, allowing("kms:*")])
    step = _step(shop, "TrainingJob", role, "ResourceConfig", "VolumeKmsKeyId", key)
    reason = _run(shop, "TrainingJob", step, "kms:*")["FailureReason"]
    assert key in reason and ("is not found" in reason or "does not exist" in reason), reason


def test_a_grant_is_asked_for_through_sagemaker_alone(shop: Workshop, key: str) -> None:
    conditions = {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringEquals": {"kms:ViaService": "sagemaker.us-east-1.amazonaws.com"},
    }
    role = shop.server.role([MAY_ALL, allow(*GRANTS[1:], Condition=conditions), allowing(GRANTS[0])])
    step = _step(shop, "TrainingJob", role, "ResourceConfig", "VolumeKmsKeyId", key)
    assert _run(shop, "TrainingJob", step)["StepStatus"] == "Succeeded"
