"""What each command does outside, and what is said of it when it cannot be done."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from tests.worker.conftest import Workshop

from passrole import history
from passrole.engine.facts import StopRequested
from passrole.faults import AccessDenied, Fault
from passrole.worker import invocations

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:l1"


def test_a_function_is_asked_for_then_invoked_as_the_role_of_the_execution(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        names = [name for name, _, _, _ in shop.door.calls]
        assert names == ["sts:AssumeRole", "lambda:GetFunction", "lambda:Invoke"]
        _, parameters, principal, region = shop.door.calls[-1]
        assert parameters == {
            "FunctionName": FUNCTION,
            "InvocationType": "RequestResponse",
            "Payload": b'{"n":1.5}',
        }
        assert (principal.kind, principal.arn, principal.id) == ("role", "arn:session", "AROA:SageMaker")
        assert (principal.name, principal.role_arn) == ("r", shop.role)
        assert principal.session_name == "sagemaker-pipeline-e-l1"
        assert (principal.account, region) == ("111122223333", "eu-west-1")
        assert (await shop.steps())["l1"]["Metadata"]["Lambda"]["OutputParameters"] == [
            {"Name": "x", "Value": "1"}
        ]

    workshop(scenario)


@pytest.mark.parametrize(
    ("step", "session"),
    [
        ("l1", "sagemaker-pipeline-e-l1"),
        ("c2", "sagemaker-pipeline-e-c2"),
        ("l" + "1" * 40, "sagemaker-pipeline-e-l" + "1" * 19),
    ],
)
def test_the_role_is_assumed_by_sagemaker_for_a_step_of_the_execution(
    workshop: Run, step: str, session: str
) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        execution = await shop.start(step)

        async def called() -> bool:
            return bool(shop.door.calls)

        await shop.until(called)
        _, parameters, principal, _ = shop.door.calls[0]
        assert parameters == {"RoleArn": shop.role, "RoleSessionName": session}
        assert (principal.kind, principal.name) == ("service", "sagemaker.amazonaws.com")
        assert (principal.source, principal.account) == (execution, "111122223333")

    workshop(scenario)


DENIED = AccessDenied("AccessDenied", "User: u is not authorized to perform: x", status=403)
FAILURES: dict[str, tuple[str, str, Exception, str]] = {
    "no trust": ("l1", "AssumeRole", DENIED, f"sts:AssumeRole. Error Details: {DENIED.message}"),
    "no invoke": ("l1", "Invoke", DENIED, f"lambda:InvokeFunction. Error Details: {DENIED.message}"),
    "no function": (
        "l1",
        "Invoke",
        Fault("ResourceNotFoundException", "Function not found: f", status=404),
        "lambda:InvokeFunction. Error Details: Function not found: f",
    ),
    "no send": ("c1", "SendMessage", DENIED, f"sqs:SendMessage. Error Details: {DENIED.message}"),
    "no queue": (
        "c1",
        "SendMessage",
        Fault("QueueDoesNotExist", "The specified queue does not exist."),
        "sqs:SendMessage. Error Details: The specified queue does not exist.",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_refusal_fails_the_step_in_the_refusers_words(workshop: Run, case: str) -> None:
    steps, operation, fault, details = FAILURES[case]

    async def scenario(shop: Workshop) -> None:
        shop.door.prepare(operation, fault)
        await shop.worker.start()
        await shop.start(steps)
        assert await shop.end() == "Failed"
        step = (await shop.steps())[steps]
        assert step["FailureReason"] == f"ClientError: Failed to invoke {details}"
        assert shop.slept == []

    workshop(scenario)


GONE = Fault("ResourceNotFoundException", "Function not found: f", status=404)


@pytest.mark.parametrize("fault", [DENIED, GONE], ids=["may not", "is not there"])
def test_a_function_that_cannot_be_asked_for_is_invoked_all_the_same(workshop: Run, fault: Fault) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("GetFunction", fault)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"

    workshop(scenario)


ERRORS: list[tuple[bytes, str]] = [
    (b'{"errorMessage": "no disk", "errorType": "OSError", "stackTrace": []}', "OSError: no disk"),
    (b'{"errorMessage": "no disk"}', "no disk"),
    (b"not json", "not json"),
    (b"[1]", "[1]"),
    (b"{}", "null"),
]


@pytest.mark.parametrize(("payload", "details"), ERRORS)
def test_a_function_that_fails_fails_its_step(workshop: Run, payload: bytes, details: str) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload})
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Failed"
        reason = (await shop.steps())["l1"]["FailureReason"]
        assert reason == f"ClientError: Failed to invoke lambda:InvokeFunction. Error Details: {details}"

    workshop(scenario)


def test_a_function_is_invoked_when_it_is_ready(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare(
            "GetFunction",
            {"Configuration": {"State": "Pending", "Timeout": 3}},
            {"Configuration": {"State": "Active", "LastUpdateStatus": "InProgress", "Timeout": 3}},
            {"Configuration": {"State": "Active", "LastUpdateStatus": "Successful", "Timeout": 3}},
        )
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert len(shop.door.called("lambda:GetFunction")) == 3
        assert len(shop.slept) == 2

    workshop(scenario)


def test_a_function_that_stays_pending_is_invoked_in_the_end(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("GetFunction", {"Configuration": {"State": "Pending", "Timeout": 3}})
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert invocations.PENDING_SECONDS_MAX <= sum(shop.slept) < invocations.PENDING_SECONDS_MAX + 2

    workshop(scenario)


def test_a_function_that_outlives_the_limit_goes_on_without_its_step(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "STEP_LIMIT_SECONDS", 0.02)
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def slow(_parameters: Mapping[str, Any]) -> dict[str, Any]:
        await go_on.wait()
        ended.set()
        return {"Payload": b"null"}

    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", slow)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Failed"
        assert not ended.is_set()
        reason = (await shop.steps())["l1"]["FailureReason"]
        assert reason == "ClientError: The Lambda function did not finish within 0.02 seconds."
        go_on.set()
        await asyncio.wait_for(ended.wait(), 60)

    workshop(scenario)


def test_a_worker_that_is_ready_behind_the_limit_begins_nothing(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the database was away, which is asked whether the function is still to be begun."""
    monkeypatch.setattr(invocations, "STEP_LIMIT_SECONDS", 0.02)
    go_on, found = asyncio.Event(), asyncio.Queue[bool]()

    async def scenario(shop: Workshop) -> None:
        async def late(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await go_on.wait()
            assert shop.slots.is_due is not None
            await found.put(await shop.slots.is_due())
            raise asyncio.CancelledError  # as the runtime does

        shop.door.prepare("Invoke", late)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Failed"
        go_on.set()
        assert await asyncio.wait_for(found.get(), 60) is False

    workshop(scenario)


def test_a_callback_message_has_four_members_and_json_types(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        arn = await shop.start("c1")
        await shop.until(lambda: _sent(shop, 1))
        (message,) = shop.door.called("sqs:SendMessage")
        assert set(message) == {"QueueUrl", "MessageBody"}
        assert message["QueueUrl"] == "https://q"
        body = json.loads(message["MessageBody"])
        token = (await shop.steps())["c1"]["Metadata"]["Callback"]["CallbackToken"]
        assert body == {
            "token": token,
            "pipelineExecutionArn": arn,
            "arguments": {"n": 1.5},
            "status": "Executing",
        }
        assert await shop.status() == "Executing"

    workshop(scenario)


def test_a_stop_sends_the_same_message_again_saying_so(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        arn = await shop.start("c1")
        await shop.until(lambda: _sent(shop, 1))
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        await shop.until(lambda: _sent(shop, 2))
        first, second = (json.loads(each["MessageBody"]) for each in shop.door.called("sqs:SendMessage"))
        assert second == {**first, "status": "Stopping"}

    workshop(scenario)


def test_a_stop_that_cannot_be_said_fails_the_step_so_that_the_execution_ends(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("SendMessage", {"MessageId": "m"}, DENIED)
        await shop.worker.start()
        arn = await shop.start("c1")
        await shop.until(lambda: _sent(shop, 1))
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        assert await shop.end() == "Stopped"
        assert (await shop.steps())["c1"]["StepStatus"] == "Failed"

    workshop(scenario)


async def _sent(shop: Workshop, count: int) -> bool:
    """Whether so many messages are sent and nothing is left to do."""
    pending = await shop.store.read(history.pending)
    return len(shop.door.called("sqs:SendMessage")) == count and not pending
