"""What a step's endpoint asks of SageMaker: created or updated, again after a crash, followed to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.worker.conftest import PIPELINE, ROLE, FakeDoor

from passrole.arns import ExecutionArn
from passrole.engine.commands import CancelJob, CreateResource, SubmitJob
from passrole.faults import Fault
from passrole.history import Task
from passrole.history.jobs import Job
from passrole.worker.calls import CallFailed, Calls, NoLongerDue, while_due
from passrole.worker.creations import Creations
from passrole.worker.job_steps.endpoint import EndpointSteps

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/churn"
TAKEN = Fault("ValidationException", f'Cannot create already existing endpoint "{ARN}".')
BUSY = Fault("ValidationException", f'Cannot update in-progress endpoint "{ARN}".')
EXECUTION = ExecutionArn(f"{PIPELINE}/execution/e")
REQUEST: dict[str, Any] = {"EndpointName": "churn", "EndpointConfigName": "churn-2", "Tags": []}
VARIANT: dict[str, Any] = {"VariantName": "v", "ModelName": "m"}


def task(command: Any) -> Task:
    return Task(EXECUTION, ROLE, "E/1", command)


SUBMISSION = SubmitJob(step="E", attempt=1, kind="Endpoint", name="churn", request=REQUEST)
CREATION = CreateResource(
    step="E",
    attempt=1,
    kind="EndpointConfig",
    name="churn",
    request={"EndpointConfigName": "churn", "ProductionVariants": [VARIANT]},
    since=50.0,
)


def run(scenario: Callable[[FakeDoor, EndpointSteps], Awaitable[None]]) -> None:
    door = FakeDoor()
    asyncio.run(_run(scenario, door))


async def _run(scenario: Callable[[FakeDoor, EndpointSteps], Awaitable[None]], door: FakeDoor) -> None:
    await scenario(door, EndpointSteps(Calls(door, lambda: 100.0), lambda: 100.0))


def test_an_endpoint_that_is_not_there_is_created_with_the_steps_tags() -> None:
    async def scenario(door: FakeDoor, steps: EndpointSteps) -> None:
        door.prepare("CreateEndpoint", {"EndpointArn": ARN})
        submitted = await steps.submit(task(SUBMISSION), SUBMISSION)
        assert submitted.handle == {"Endpoint": {"Arn": ARN}}
        (asked,) = door.called("sagemaker:CreateEndpoint")
        assert (asked["EndpointName"], asked["EndpointConfigName"]) == ("churn", "churn-2")
        assert {each["Key"]: each["Value"] for each in asked["Tags"]} == {
            "sagemaker:pipeline-execution-arn": EXECUTION,
            "sagemaker:pipeline-step-name": "E",
        }

    run(scenario)


def test_one_is_not_updated_by_a_server_that_was_away_meanwhile() -> None:
    """Another one has updated it for this step, and somebody may have updated it again."""

    async def is_due() -> bool:
        return False

    async def scenario(door: FakeDoor, steps: EndpointSteps) -> None:
        door.prepare("CreateEndpoint", TAKEN)
        with while_due(is_due), pytest.raises(NoLongerDue):
            await steps.submit(task(SUBMISSION), SUBMISSION)
        assert door.called("sagemaker:UpdateEndpoint") == []

    run(scenario)


def test_one_that_is_there_is_updated() -> None:
    async def scenario(door: FakeDoor, steps: EndpointSteps) -> None:
        door.prepare("CreateEndpoint", TAKEN)
        door.prepare("UpdateEndpoint", {"EndpointArn": ARN})
        await steps.submit(task(SUBMISSION), SUBMISSION)
        assert door.called("sagemaker:UpdateEndpoint") == [
            {"EndpointName": "churn", "EndpointConfigName": "churn-2"}
        ]

    run(scenario)


@pytest.mark.parametrize(
    "described, is_own",
    [
        ({"EndpointConfigName": "churn-2"}, True),
        (
            {
                "EndpointConfigName": "churn-1",
                "PendingDeploymentSummary": {"EndpointConfigName": "churn-2"},
            },
            True,
        ),
        (
            {
                "EndpointConfigName": "churn-2",
                "PendingDeploymentSummary": {"EndpointConfigName": "churn-3"},
            },
            False,
        ),
        ({"EndpointConfigName": "churn-1"}, False),
    ],
)
def test_one_on_its_way_is_the_steps_if_it_goes_where_the_step_wants(
    described: dict[str, Any], is_own: bool
) -> None:
    async def scenario(door: FakeDoor, steps: EndpointSteps) -> None:
        door.prepare("CreateEndpoint", TAKEN)
        door.prepare("UpdateEndpoint", BUSY)
        door.prepare("DescribeEndpoint", described)
        if is_own:
            await steps.submit(task(SUBMISSION), SUBMISSION)
            return
        with pytest.raises(CallFailed) as caught:
            await steps.submit(task(SUBMISSION), SUBMISSION)
        assert "Cannot update in-progress endpoint" in caught.value.reason

    run(scenario)


@pytest.mark.parametrize(
    "described, succeeded, reason",
    [
        ({"EndpointStatus": "Creating"}, None, None),
        ({"EndpointStatus": "Updating"}, None, None),
        ({"EndpointStatus": "InService"}, True, None),
        ({"EndpointStatus": "InService", "FailureReason": "no ping"}, False, "ClientError: no ping"),
        ({"EndpointStatus": "Failed", "FailureReason": "no ping"}, False, "ClientError: no ping"),
        ({"EndpointStatus": "Deleting"}, False, "ClientError: The endpoint is Deleting"),
    ],
)
def test_it_is_followed_until_it_is_in_progress_no_more(
    described: dict[str, Any], succeeded: bool | None, reason: str | None
) -> None:
    async def scenario(door: FakeDoor, steps: EndpointSteps) -> None:
        door.prepare("DescribeEndpoint", described)
        job = Job("Endpoint", EXECUTION, ROLE, "E", 1, {"Arn": ARN})
        ended = await steps.look(job)
        assert (ended and (ended.succeeded, ended.reason)) == (
            None if succeeded is None else (succeeded, reason)
        )
        assert steps.concerns(ARN, job)
        assert not steps.concerns(f"{ARN}-2", job)

    run(scenario)


def test_a_stop_asks_nothing_of_sagemaker() -> None:
    async def scenario(door: FakeDoor, steps: EndpointSteps) -> None:
        command = CancelJob(step="E", attempt=1, kind="Endpoint", handle={"Arn": ARN})
        await steps.cancel(task(command), command)
        assert door.calls == []

    run(scenario)


@pytest.mark.parametrize(
    "made, variants, is_own",
    [
        (50.0, [{"InitialVariantWeight": 1.0, **VARIANT}], True),
        (49.0, [{"InitialVariantWeight": 1.0, **VARIANT}], False),
        (50.0, [{"InitialVariantWeight": 2.0, **VARIANT}], False),
    ],
)
def test_a_configuration_that_is_there_is_the_steps_if_it_is_as_young_and_the_same(
    made: float, variants: list[Any], is_own: bool
) -> None:
    async def scenario(door: FakeDoor, _steps: EndpointSteps) -> None:
        arn = ARN.replace(":endpoint/", ":endpoint-config/")
        taken = f'Cannot create already existing endpoint configuration "{arn}".'
        door.prepare("CreateEndpointConfig", Fault("ValidationException", taken))
        described = {"EndpointConfigArn": arn, "CreationTime": made, "ProductionVariants": variants}
        door.prepare("DescribeEndpointConfig", described)
        creations = Creations(Calls(door, lambda: 100.0), lambda: 100.0)
        if is_own:
            created = await creations.create(task(CREATION), CREATION)
            assert created.metadata == {"EndpointConfig": {"Arn": arn}}
            return
        with pytest.raises(CallFailed):
            await creations.create(task(CREATION), CREATION)

    run(scenario)
