"""Schedules of EventBridge Scheduler over a real store, with a moved clock: runs, missed ones, retries."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services.scheduler import invocations, runs
from passrole.services.scheduler.records import SCHEDULES, Schedule
from passrole.store import SqliteStore, Tx, tasks
from passrole.worker import task_queue
from passrole.worker.scheduled_invocations import ScheduledInvocations
from passrole.worker.schedules import Schedules
from passrole.worker.supervisor import Supervisor

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
NOW = 1_800_000_000.0
HOUR, DAY = 3_600.0, 86_400.0
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
BUSY = Fault("ServiceUnavailable", "not now", sender=False)
DENIED = Fault("AccessDenied", "no")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)


def schedule(**members: Any) -> Schedule:
    given = {
        "ScheduleExpression": "rate(1 hour)",
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "ActionAfterCompletion": "NONE",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        **members,
    }
    target = {"Arn": QUEUE, "RoleArn": ROLE, "Input": "<aws.scheduler.scheduled-time>"}
    given["Target"] = {**target, **given.get("Target", {})}
    return Schedule(ACCOUNT, REGION, "default", "s", NOW, NOW, NOW, given)


class Scene:
    """A store, a door that notes what is sent to queues and refuses as it is told."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = NOW
        self.supervisor = Supervisor()
        self.sent: list[Mapping[str, Any]] = []
        self.refusals: list[Fault] = []

    async def start(self) -> None:
        await Schedules(self.store, lambda: self.now).start(self.supervisor)
        ScheduledInvocations(self.store, self.call, lambda: self.now).start(self.supervisor)

    async def stop(self) -> None:
        await self.supervisor.close()
        self.supervisor = Supervisor()

    async def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        if operation == "AssumeRole":
            assert principal.name == "scheduler.amazonaws.com"
            user = {"Arn": "arn:aws:sts::1:assumed-role/r/s", "AssumedRoleId": "AROA:s"}
            return {"AssumedRoleUser": user, "Credentials": {}}
        assert (service, operation, principal.role_arn) == ("sqs", "SendMessage", ROLE)
        if self.refusals and parameters["QueueUrl"].endswith("/q"):
            raise self.refusals.pop(0)
        self.sent.append(parameters)
        return {"MessageId": "m"}

    async def put(self, made: Schedule) -> None:
        def put(tx: Tx) -> None:
            SCHEDULES.put(tx, made.key, made)
            runs.plan_first(tx, made)

        await self.store.write(put)

    async def planned(self) -> list[float]:
        found = await self.store.read(lambda tx: tasks.take(tx, runs.KIND, 1e12, 10))
        return [task.due for task in found]

    async def waiting(self) -> list[invocations.Invocation]:
        found = await self.store.read(lambda tx: tasks.take(tx, invocations.KIND, 1e12, 10))
        return [invocations.read(task) for task in found]

    async def until_sent(self, count: int) -> list[str]:
        """The bodies of so many messages; no more come."""
        await eventually_async(lambda: len(self.sent) >= count)
        await eventually_async(self._is_idle)
        assert len(self.sent) == count
        return [message["MessageBody"] for message in self.sent]

    async def until_idle(self) -> None:
        await eventually_async(self._is_idle)

    async def _is_idle(self) -> bool:
        due = await self.store.read(
            lambda tx: [tasks.take(tx, kind, self.now, 1) for kind in (runs.KIND, invocations.KIND)]
        )
        return not any(due)


def play(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        store = chosen.opened(folder)
        scene = Scene(store)
        try:
            await scenario(scene)
        finally:
            await scene.supervisor.close()
            await store.close()

    asyncio.run(whole())


def test_a_schedule_runs_when_it_is_due_and_once(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.start()
        await scene.put(schedule())
        assert await scene.until_sent(1) == ["2027-01-15T08:00:00Z"]
        assert await scene.planned() == [NOW + HOUR]
        await scene.stop()
        await scene.start()  # a restart repeats nothing
        await scene.until_sent(1)
        scene.now = NOW + HOUR
        assert (await scene.until_sent(2))[1] == "2027-01-15T09:00:00Z"

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("expression", "down", "expected"),
    [
        ("rate(1 hour)", 5.5 * HOUR, ["2027-01-15T13:00:00Z"]),  # the last of five
        ("rate(7 days)", 8 * DAY, []),  # too old
        ("at(2027-01-15T10:00:00)", 5 * HOUR, ["2027-01-15T10:00:00Z"]),
        ("at(2027-01-15T10:00:00)", 2 * DAY, []),
        ("cron(0 * * * ? *)", 400 * DAY, ["2028-02-19T08:00:00Z"]),
    ],
)
def test_what_a_server_that_was_down_has_missed_runs_once(
    tmp_path: Path, expression: str, down: float, expected: list[str]
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(schedule(ScheduleExpression=expression, StartDate=NOW + 1))
        scene.now = NOW + 1 + down
        await scene.start()
        at = [body[:13] for body in await scene.until_sent(len(expected))]
        assert at == [body[:13] for body in expected]
        assert all(due > scene.now for due in await scene.planned())

    play(tmp_path, scenario)


def test_a_schedule_that_is_gone_or_disabled_does_not_run(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.start()
        made = schedule(StartDate=NOW + HOUR)
        await scene.put(made)
        await scene.put(replace(made, given={**made.given, "State": "DISABLED"}))
        assert await scene.planned() == []
        await scene.put(made)
        await scene.store.write(lambda tx: SCHEDULES.delete(tx, made.key))
        scene.now = NOW + HOUR
        await scene.until_idle()
        assert scene.sent == []

    play(tmp_path, scenario)


def test_what_fails_is_tried_again_after_twice_the_time(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.refusals = [BUSY, BUSY]
        await scene.start()
        await scene.put(schedule(EndDate=NOW, Target={"Input": "try <aws.scheduler.attempt-number>"}))
        for failed, seconds in ((1, 1.0), (2, 2.0)):
            await eventually_async(partial(_failed, scene, failed))
            scene.now += seconds
        assert await scene.until_sent(1) == ["try 3"]

    play(tmp_path, scenario)


async def _failed(scene: Scene, count: int) -> bool:
    return [each.attempts for each in await scene.waiting()] == [count]


@pytest.mark.parametrize(
    ("refusal", "policy", "condition"),
    [
        (BUSY, {"MaximumRetryAttempts": 0}, "MaximumRetryAttempts"),
        (BUSY, {"MaximumEventAgeInSeconds": 60}, "MaximumEventAgeInSeconds"),
        (DENIED, {}, None),
    ],
)
def test_what_is_given_up_goes_to_the_dead_letter_queue(
    tmp_path: Path, refusal: Fault, policy: dict[str, int], condition: str | None
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.refusals = [refusal] * 10
        await scene.start()
        dead = {"DeadLetterConfig": {"Arn": f"{QUEUE}-dead"}, "RetryPolicy": policy, "Input": "i"}
        await scene.put(schedule(EndDate=NOW, Target=dead))
        while not scene.sent:
            await scene.until_idle()
            scene.now += 30
        (letter,) = scene.sent
        assert letter["MessageBody"] == "i" and letter["QueueUrl"].endswith("/q-dead")
        told = letter["MessageAttributes"]
        assert told["ERROR_CODE"]["StringValue"] == refusal.code
        assert told.get("EXHAUSTED_RETRY_CONDITION", {}).get("StringValue") == condition

    play(tmp_path, scenario)


@pytest.mark.parametrize("is_changed", [False, True])
def test_the_last_invocation_deletes_a_schedule_unless_it_was_changed(
    tmp_path: Path, is_changed: bool
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.refusals = [BUSY]
        await scene.start()
        made = schedule(ScheduleExpression="at(2027-01-15T08:00:00)", ActionAfterCompletion="DELETE")
        await scene.put(made)
        await eventually_async(lambda: _failed(scene, 1))
        if is_changed:
            changed = replace(made, modified=NOW + 1)
            await scene.store.write(lambda tx: SCHEDULES.put(tx, made.key, changed))
        assert await scene.store.read(lambda tx: SCHEDULES.get(tx, made.key)) is not None
        scene.now += 1
        await scene.until_sent(1)
        await eventually_async(lambda: _none_waits(scene))
        left = await scene.store.read(lambda tx: SCHEDULES.get(tx, made.key))
        assert (left is not None) is is_changed

    play(tmp_path, scenario)


async def _none_waits(scene: Scene) -> bool:
    return not await scene.waiting()
