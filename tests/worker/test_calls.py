"""Calls as a role: sessions are shared for a while, and what may pass is tried again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from tests.worker.conftest import ACCOUNT, Workshop

from passrole import ids
from passrole.faults import Fault, Internal, Outage, Unwritable
from passrole.history import job_retries
from passrole.services.service_sessions import SESSION_SECONDS
from passrole.store import tasks
from passrole.worker.retry_policy import DELAYS_SECONDS
from passrole.worker.supervisor import Supervisor

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]

PASSING = [
    Fault("ThrottlingException", "slow down"),
    Fault("TooManyRequestsException", "Rate Exceeded.", status=429),
    Fault("ServiceException", "oops", status=500),
    Fault("InternalFailure", "oops", sender=False),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.code)
def test_what_may_pass_is_tried_again_with_a_delay_that_doubles(workshop: Run, fault: Fault) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", fault, fault, fault, fault, {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert shop.slept == [1, 2, 4, 8]

    workshop(scenario)


@pytest.mark.parametrize("fault", [Outage(), Unwritable()], ids=lambda fault: type(fault).__name__)
def test_a_database_that_is_away_and_a_disk_that_is_full_are_waited_for(
    workshop: Run, fault: Internal
) -> None:
    """Whatever a step calls first, which is to assume its role; its failure would be told when it is back."""

    async def scenario(shop: Workshop) -> None:
        away = [fault] * 6
        shop.door.prepare("AssumeRole", *away, *shop.door.answers["AssumeRole"])
        shop.door.prepare("Invoke", *away, {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert shop.slept == [1, 2, 4, 8, 8, 8] * 2

    workshop(scenario)


@pytest.mark.parametrize("fault", [Outage(), Unwritable()], ids=lambda fault: type(fault).__name__)
def test_an_outage_is_none_of_the_failures_that_a_policy_names(workshop: Run, fault: Internal) -> None:
    """The job may be there: another attempt would make a second one beside it."""
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:processing-job/j"

    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("CreateProcessingJob", fault, {"ProcessingJobArn": arn})
        await shop.worker.start()
        await shop.start("p1")

        async def is_submitted() -> bool:
            return "ProcessingJob" in (await shop.steps())["p1"].get("Metadata", {})

        await shop.until(is_submitted)
        first, second = shop.door.called("sagemaker:CreateProcessingJob")
        assert first["ProcessingJobName"] == second["ProcessingJobName"]
        assert shop.slept == [1]

    workshop(scenario)


def test_an_invocation_has_the_same_request_id_each_time_it_is_tried(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", PASSING[0], {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        execution = await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert shop.door.request_ids["Invoke"] == [ids.invocation_id(execution, "l1", 1)] * 2
        assert shop.door.request_ids["GetFunction"] == [None]

    workshop(scenario)


def test_what_does_not_pass_fails_the_step_after_the_last_attempt(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", PASSING[0])
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Failed"
        assert len(shop.door.called("lambda:Invoke")) == 1 + len(DELAYS_SECONDS)
        reason = (await shop.steps())["l1"]["FailureReason"]
        assert reason == "ClientError: Failed to invoke lambda:InvokeFunction. Error Details: slow down"

    workshop(scenario)


def test_a_policys_wait_outlives_the_worker_and_keeps_nobody_waiting(workshop: Run) -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:processing-job/j"

    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("CreateProcessingJob", PASSING[0], {"ProcessingJobArn": arn})
        await shop.worker.start()
        await shop.start("p1")

        async def waits() -> bool:
            return await shop.store.read(lambda tx: tasks.next_due(tx, job_retries.KIND, 0)) is not None

        await shop.until(waits)
        await shop.worker.close()
        assert shop.slept == []
        shop.now += 43_200
        shop.worker = shop.another_worker()
        supervisor = Supervisor()
        shop.worker.job_retries.start(supervisor)
        await shop.worker.start(supervisor)

        async def has_job() -> bool:
            return (await shop.steps())["p1"].get("Metadata") == {"ProcessingJob": {"Arn": arn}}

        await shop.until(has_job)
        await supervisor.close()
        assert (await shop.steps())["p1"]["AttemptCount"] == 2
        first, second = shop.door.called("sagemaker:CreateProcessingJob")
        assert first["ProcessingJobName"] != second["ProcessingJobName"]

    workshop(scenario)


def test_calls_of_a_step_share_one_session(workshop: Run) -> None:
    async def slow(_parameters: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"AssumedRoleUser": {"Arn": "arn:session", "AssumedRoleId": "AROA:SageMaker"}}

    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("AssumeRole", slow)
        await shop.worker.start()
        await shop.start("l1 l2 l3<l1,l2>")
        assert await shop.end() == "Succeeded"
        assert len(shop.door.called("lambda:GetFunction")) == len(shop.door.called("lambda:Invoke")) == 3
        names = [asked["RoleSessionName"] for asked in shop.door.called("sts:AssumeRole")]
        assert sorted(names) == [f"sagemaker-pipeline-e-{step}" for step in ("l1", "l2", "l3")]

    workshop(scenario)


def test_a_session_is_assumed_anew_when_it_is_old(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        await shop.start("l1", name="one")
        await shop.end("one")
        shop.now += SESSION_SECONDS
        await shop.start("l1", name="two")
        await shop.end("two")
        assert len(shop.door.called("sts:AssumeRole")) == 2

    workshop(scenario)


def test_a_role_that_could_not_be_assumed_is_tried_by_the_next_step(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        allowed = shop.door.answers["AssumeRole"][0]
        shop.door.prepare("AssumeRole", Fault("AccessDenied", "no"), allowed)
        await shop.worker.start()
        await shop.start("l1", name="one")
        assert await shop.end("one") == "Failed"
        await shop.start("l1", name="two")
        assert await shop.end("two") == "Succeeded"

    workshop(scenario)
