"""What creating a model or a version asks of SageMaker, also the second time, and what a refusal means."""

from collections.abc import Awaitable, Callable

import pytest
from tests.worker.conftest import PIPELINE, Workshop

from passrole import ids
from passrole.faults import Fault

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]
EXECUTION = f"{PIPELINE}/execution/e"
PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/g/1"
OWN_TAGS = [
    {"Key": "sagemaker:pipeline-execution-arn", "Value": EXECUTION},
    {"Key": "sagemaker:pipeline-step-name", "Value": "r1"},
]
GROUP_TAKEN = Fault("ValidationException", "Model Package Group already exists: arn:g")
THROTTLED = Fault("ThrottlingException", "Rate exceeded")
LIMIT = Fault("ResourceLimitExceeded", "too many models")


def prepare(shop: Workshop) -> None:
    """SageMaker does all that it is asked."""
    shop.door.prepare("CreateModel", {"ModelArn": "arn:m"})
    shop.door.prepare("DescribeModel", {"ModelName": "n"})
    shop.door.prepare("CreateModelPackageGroup", {"ModelPackageGroupArn": "arn:g"})
    shop.door.prepare("CreateModelPackage", {"ModelPackageArn": PACKAGE})
    shop.door.prepare("DescribeModelPackage", {"ModelPackageArn": PACKAGE})


def test_a_version_is_asked_for_by_a_token_of_its_attempt_and_its_group_tagged(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        prepare(shop)
        await shop.worker.start()
        await shop.start("r1")
        assert await shop.end() == "Succeeded"
        (group,) = shop.door.called("sagemaker:CreateModelPackageGroup")
        assert group == {"ModelPackageGroupName": "g", "Tags": OWN_TAGS}
        (package,) = shop.door.called("sagemaker:CreateModelPackage")
        assert package == {
            "ModelPackageGroupName": "g",
            "MetadataProperties": {"GeneratedBy": EXECUTION, "CommitId": "c"},
            "ClientToken": ids.invocation_id(EXECUTION, "r1", 1),
        }
        assert (await shop.steps())["r1"]["Metadata"] == {"RegisterModel": {"Arn": PACKAGE}}

    workshop(scenario)


def test_a_group_that_is_there_is_no_failure_and_another_refusal_is(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        prepare(shop)
        shop.door.prepare("CreateModelPackageGroup", GROUP_TAKEN)
        await shop.worker.start()
        await shop.start("r1")
        assert await shop.end() == "Succeeded"
        shop.door.prepare("CreateModelPackageGroup", Fault("ValidationException", "no such name"))
        await shop.start("r1", "other")
        assert await shop.end("other") == "Failed"
        reason = (await shop.steps("other"))["r1"]["FailureReason"]
        assert reason.endswith("sagemaker:CreateModelPackageGroup. Error Details: no such name")

    workshop(scenario)


def test_a_model_that_an_earlier_life_has_made_is_the_steps(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        prepare(shop)
        shop.door.prepare(
            "CreateModel", Fault("ValidationException", 'Cannot create already existing model "arn:m".')
        )
        await shop.worker.start()
        await shop.start("m1")
        assert await shop.end() == "Succeeded"
        (asked,) = shop.door.called("sagemaker:CreateModel")
        assert asked["Tags"][0] == {"Key": "team", "Value": "a"}
        arn = (await shop.steps())["m1"]["Metadata"]["Model"]["Arn"]
        assert arn == f"arn:aws:sagemaker:eu-west-1:111122223333:model/{asked['ModelName']}"
        assert shop.door.called("sagemaker:DescribeModel") == [{"ModelName": asked["ModelName"]}]

    workshop(scenario)


def test_throttling_is_tried_again_by_the_worker_where_no_policy_names_it(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        prepare(shop)
        shop.door.prepare("CreateModel", THROTTLED, THROTTLED, {"ModelArn": "arn:m"})
        await shop.worker.start()
        await shop.start("m1")
        assert await shop.end() == "Succeeded"
        assert (shop.slept, (await shop.steps())["m1"]["AttemptCount"]) == ([1.0, 2.0], 1)

    workshop(scenario)


@pytest.mark.parametrize("step, operation", [("m1", "CreateModel"), ("r1", "CreateModelPackage")])
def test_what_a_policy_names_is_another_attempt_later(workshop: Run, step: str, operation: str) -> None:
    async def scenario(shop: Workshop) -> None:
        prepare(shop)
        shop.door.prepare(operation, LIMIT)
        await shop.worker.start()
        await shop.start(step)

        async def waits() -> bool:
            return bool((await shop.steps())[step]["AttemptCount"] == 2)

        await shop.until(waits)
        assert (shop.slept, await shop.status()) == ([], "Executing")

    workshop(scenario)
