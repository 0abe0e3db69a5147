"""SQS without a server: handlers called directly, on a real store and a clock that the test moves."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import pytest
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime
from passrole.services.context import Context
from passrole.services.sqs import (
    delete_message,
    message_visibility,
    permissions,
    queues,
    receive_message,
    send_message,
    settings,
    tags,
)
from passrole.store import SqliteStore

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
SENDER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "AIDAANN", "ann")
START = 1_800_000_000.0
MODULES = (
    delete_message,
    message_visibility,
    permissions,
    queues,
    receive_message,
    send_message,
    settings,
    tags,
)

T = TypeVar("T")


async def no_door(*_: object, **__: object) -> NoReturn:
    """Queues call no other service."""
    raise AssertionError


class Sqs:
    """Operations as methods: `sqs.send_message(queue_url=..., message_body=...)`; time moves by `later`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = START
        self.numbers = itertools.count(1)
        self.loop = asyncio.new_event_loop()
        self.open()

    def open(self) -> None:
        self.store = self.run(self._opened())
        self.context = Context(
            principal=SENDER,
            account=ACCOUNT,
            region=REGION,
            request_id="r",
            store=self.store,
            functions=cast(FunctionRuntime, None),
            call=no_door,
            clock=lambda: self.now,
            config=Config(data=self.folder),
        )

    def restart(self) -> None:
        self.run(self.store.close())
        self.open()

    def close(self) -> None:
        self.run(self.store.close())
        self.loop.close()

    def later(self, seconds: float) -> None:
        self.now += seconds

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        handler = next((vars(module)[name] for module in MODULES if name in vars(module)), None)
        if handler is None:
            raise AttributeError(name)
        return lambda **parameters: self.run(handler(self.context, **parameters))

    def queue(self, name: str = "jobs", **attributes: str) -> str:
        """A new queue's URL."""
        url: str = self.create_queue(queue_name=name, attributes=attributes)["QueueUrl"]
        return url

    def fifo(self, name: str = "jobs.fifo", **attributes: str) -> str:
        """A new FIFO queue's URL; a body is its own deduplication id."""
        given = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes}
        return self.queue(name, **given)

    def send(self, url: str, body: str, group: str | None = None, **more: Any) -> dict[str, Any]:
        return self.send_message(queue_url=url, message_body=body, message_group_id=group, **more)

    def receive(self, url: str, limit: int = 10, **more: Any) -> list[dict[str, Any]]:
        answer = self.receive_message(queue_url=url, max_number_of_messages=limit, **more)
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def bodies(self, url: str, limit: int = 10, **more: Any) -> list[str]:
        return [message["Body"] for message in self.receive(url, limit, **more)]

    def delete(self, url: str, message: Mapping[str, Any]) -> None:
        self.delete_message(queue_url=url, receipt_handle=message["ReceiptHandle"])

    def hide(self, url: str, message: Mapping[str, Any], seconds: int) -> None:
        handle = message["ReceiptHandle"]
        self.change_message_visibility(queue_url=url, receipt_handle=handle, visibility_timeout=seconds)

    def counts(self, url: str) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        names = ["", "NotVisible", "Delayed"]
        found = self.get_queue_attributes(queue_url=url, attribute_names=["All"])["Attributes"]
        visible, in_flight, delayed = (int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
        return visible, in_flight, delayed

    def refusal(self, act: Callable[[], object]) -> tuple[str, str]:
        """Code and sentence of the fault that the act is answered with."""
        with pytest.raises(Fault) as caught:
            act()
        return caught.value.code, caught.value.message

    async def _opened(self) -> SqliteStore:
        return chosen.opened(self.folder)


@pytest.fixture
def sqs(tmp_path: Path) -> Iterator[Sqs]:
    """SQS in a folder of its own."""
    service = Sqs(tmp_path / "data")
    yield service
    service.close()
