"""Deliveries over a real store, with a moved clock: when each is tried, and what becomes of it at last."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.store import chosen

from passrole import disk
from passrole.arns import Account, Region
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal
from passrole.services.events import deliveries
from passrole.services.events.records import TARGETS, Rule, Target
from passrole.store import SqliteStore, Tx, tasks
from passrole.store.tasks import Task
from passrole.worker import task_queue
from passrole.worker.event_deliveries import EventDeliveries
from passrole.worker.retried_deliveries import AT_ONCE_MAX
from passrole.worker.supervisor import Supervisor

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
RULE = Rule(ACCOUNT, REGION, "default", "r", 0.0, pattern="{}")
PREFIX = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
BUSY = Fault("ServiceUnavailable", "not now")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)
    monkeypatch.setattr(disk, "_reported_at", {})


class Scene:
    """A store with a rule, a door that notes what is sent to queues and refuses as it is told."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = 100.0
        self.supervisor = Supervisor()
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self.refuses: dict[str, BaseException | list[BaseException]] = {}
        self.open = asyncio.Event()
        self.open.set()

    def start(self) -> None:
        EventDeliveries(self.store, self.call, lambda: self.now).start(self.supervisor)

    async def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        assert (service, operation, principal.name, region) == (
            "sqs",
            "SendMessage",
            "events.amazonaws.com",
            REGION,
        )
        queue = parameters["QueueUrl"].rpartition("/")[2]
        await self.open.wait()
        self.sent.append((queue, parameters))
        refusal = self.refuses.get(queue)
        if isinstance(refusal, list):
            refusal = refusal.pop(0) if refusal else None
        if refusal is not None:
            raise refusal
        return {"MessageId": "m"}

    async def put(self, *targets: str, count: int = 1, **given: Any) -> None:
        def put(tx: Tx) -> None:
            for target in targets:
                document = {"Id": target, "Arn": PREFIX + target, **given}
                TARGETS.put(tx, TARGETS.child(RULE.key, target), Target(document))
            for number in range(count):
                deliveries.deliver_to_targets(tx, RULE, {"n": number}, self.now - 0.001 + number / 1e6)

        await self.store.write(put)

    async def rows(self) -> list[Task]:
        return await self.store.read(lambda tx: tasks.take(tx, deliveries.KIND, 1e12, 1_000))

    async def until(self, holds: Callable[[list[Task]], bool]) -> list[Task]:
        async with asyncio.timeout(10):
            while not holds(rows := await self.rows()):  # noqa: ASYNC110 (a row has no event)
                await asyncio.sleep(0.002)
        return rows

    def queues(self) -> list[str]:
        return [queue for queue, _ in self.sent]


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


def test_a_delivery_that_fails_is_tried_again_after_twice_the_time_and_ten_minutes_at_most(
    tmp_path: Path,
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.refuses["a"] = BUSY
        scene.start()
        await scene.put("a")
        delays: list[float] = []
        for attempts in range(1, 13):
            (task,) = await scene.until(lambda rows: deliveries.read(rows[0]).attempts == attempts)  # noqa: B023
            delays.append(task.due - scene.now)
            scene.now = task.due
        assert delays == pytest.approx([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600])
        scene.refuses.clear()
        await scene.until(lambda rows: not rows)

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("refusal", "given", "attempts", "attributes"),
    [
        (
            BUSY,
            {"RetryPolicy": {"MaximumRetryAttempts": 2}},
            3,
            {"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "RETRY_ATTEMPTS": "2"},
        ),
        (
            BUSY,
            {"RetryPolicy": {"MaximumEventAgeInSeconds": 60}},
            7,  # at 0, 1, 3, 7, 15, 31 and 63 seconds
            {"EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds", "RETRY_ATTEMPTS": "6"},
        ),
        (Fault("AccessDenied", "no"), {}, 1, {"ERROR_CODE": "NO_PERMISSIONS"}),
        (Fault("QueueDoesNotExist", "gone"), {}, 1, {"ERROR_CODE": "NO_RESOURCE"}),
    ],
)
def test_what_is_not_delivered_goes_to_the_dead_letter_queue(
    tmp_path: Path, refusal: Fault, given: dict[str, Any], attempts: int, attributes: dict[str, str]
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.refuses["a"] = refusal
        scene.start()
        await scene.put("a", DeadLetterConfig={"Arn": PREFIX + "dead"}, **given)
        while rows := await scene.rows():
            scene.now = max(scene.now, rows[0].due)
            await asyncio.sleep(0.002)
        assert scene.queues() == ["a"] * attempts + ["dead"]
        message = scene.sent[-1][1]
        told = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
        expected = {
            "RULE_ARN": RULE.arn,
            "TARGET_ARN": PREFIX + "a",
            "ERROR_CODE": "SDK_CLIENT_ERROR",
            "ERROR_MESSAGE": refusal.message,
        }
        assert told == expected | attributes
        assert message["MessageBody"] == '{"n":0}'

    play(tmp_path, scenario)


def test_what_fails_in_passrole_itself_is_no_attempt_and_loses_no_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(scene: Scene) -> None:
        errors: list[BaseException] = [
            Internal(),
            OSError(24, "files"),
            asyncio.CancelledError(),
            KeyError("x"),
        ]
        scene.refuses["a"] = errors
        scene.start()
        await scene.put("a", RetryPolicy={"MaximumRetryAttempts": 0})
        for failures in range(1, 5):
            (task,) = await scene.until(lambda rows: rows[0].failures == failures)  # noqa: B023
            assert deliveries.read(task).attempts == 0
            scene.now = task.due
        await scene.until(lambda rows: not rows)
        assert scene.queues() == ["a"] * 5

    play(tmp_path, scenario)
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_undelivered_events_are_rows_and_hold_no_task_and_no_timer(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.refuses["a"] = BUSY
        scene.start()
        await scene.put("a", count=300)
        await scene.until(lambda rows: all(deliveries.read(row).attempts == 1 for row in rows))
        await asyncio.sleep(0.02)
        names = Counter(task.get_name() for task in asyncio.all_tasks())
        assert names[deliveries.KIND] == 1, "the queue and no delivery"
        assert len(await scene.rows()) == 300

    play(tmp_path, scenario)


def test_deliveries_begin_in_their_order_and_no_more_than_the_bound_at_once(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.open.clear()
        await scene.put("a", count=50)
        scene.start()
        await asyncio.sleep(0.05)
        names = Counter(task.get_name() for task in asyncio.all_tasks())
        assert names[deliveries.KIND] == AT_ONCE_MAX + 1 == 17
        scene.open.set()
        await scene.until(lambda rows: not rows)
        assert [message["MessageBody"] for _, message in scene.sent] == [f'{{"n":{n}}}' for n in range(50)]

    play(tmp_path, scenario)
