"""ReceiveMessage: what is shown, what is refused, and how it waits."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from tests.store.chosen import of_a_file

from passrole.services.sqs.delete_message import delete_message
from passrole.services.sqs.message_visibility import change_message_visibility
from passrole.services.sqs.receive_message import receive_message
from passrole.services.sqs.send_message import send_message
from passrole.store.listeners import Listeners

WORD = {"DataType": "String", "StringValue": "Bar"}


def test_a_message_is_shown_without_attributes_that_nobody_asked_for(sqs: Any) -> None:
    url = sqs.queue()
    sent = sqs.send(url, "msg", message_attributes={"Foo": WORD})
    (message,) = sqs.receive(url)
    assert message.pop("ReceiptHandle")
    assert message == {
        "MessageId": sent["MessageId"],
        "Body": "msg",
        "MD5OfBody": "6e2baaf3b97dbeef01c0043275f9a0e7",
    }


def test_message_attributes_come_with_a_digest_of_those_that_were_asked_for(sqs: Any) -> None:
    url = sqs.queue()
    binary = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    sqs.send(url, "msg", message_attributes={"Foo": WORD, "Pic": binary})
    (message,) = sqs.receive(url, message_attribute_names=["Foo"], visibility_timeout=0)
    assert message["MessageAttributes"] == {"Foo": WORD}
    assert message["MD5OfMessageAttributes"] == "ae7155c6026991b6d54b11589678bf9c"
    (message,) = sqs.receive(url, message_attribute_names=["All"])
    assert message["MessageAttributes"] == {"Foo": WORD, "Pic": binary}


def test_system_attributes_of_a_standard_queue(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "msg", "fair", message_system_attributes={"AWSTraceHeader": WORD})
    sqs.later(1.5)
    sqs.receive(url, visibility_timeout=0)
    sqs.later(1)
    (message,) = sqs.receive(url, attribute_names=["All"], visibility_timeout=0)
    assert message["Attributes"] == {
        "SenderId": "AIDAANN",
        "SentTimestamp": "1800000000000",
        "ApproximateFirstReceiveTimestamp": "1800000001500",
        "ApproximateReceiveCount": "2",
        "AWSTraceHeader": "Bar",
        "MessageGroupId": "fair",
    }
    (message,) = sqs.receive(url, message_system_attribute_names=["SenderId", "SequenceNumber"])
    assert message["Attributes"] == {"SenderId": "AIDAANN"}


def test_system_attributes_of_a_fifo_queue(sqs: Any) -> None:
    url = sqs.fifo()
    sent = sqs.send(url, "a", "g", message_deduplication_id="d")
    names = ["SequenceNumber", "MessageDeduplicationId", "MessageGroupId"]
    (message,) = sqs.receive(url, attribute_names=names)
    assert message["Attributes"] == {
        "SequenceNumber": sent["SequenceNumber"],
        "MessageDeduplicationId": "d",
        "MessageGroupId": "g",
    }


@pytest.mark.parametrize(
    "parameters, message",
    [
        (
            {"max_number_of_messages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid."
            " Reason: Must be between 1 and 10, if provided.",
        ),
        (
            {"max_number_of_messages": 0},
            "Value 0 for parameter MaxNumberOfMessages is invalid."
            " Reason: Must be between 1 and 10, if provided.",
        ),
        (
            {"wait_time_seconds": 21},
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        (
            {"visibility_timeout": 43_201},
            "Value 43201 for parameter VisibilityTimeout is invalid."
            " Reason: Must be >= 0 and <= 43200, if provided.",
        ),
        (
            {"receive_request_attempt_id": "x"},
            "Value x for parameter ReceiveRequestAttemptId is invalid."
            " Reason: The request include parameter that is not valid for this queue type.",
        ),
    ],
)
def test_receive_message_refuses(sqs: Any, parameters: dict[str, Any], message: str) -> None:
    url = sqs.queue()
    refusal = sqs.refusal(lambda: sqs.receive_message(queue_url=url, **parameters))
    assert refusal == ("InvalidParameterValue", message)


def test_receive_message_refuses_an_unknown_system_attribute(sqs: Any) -> None:
    url = sqs.queue()
    refusal = sqs.refusal(lambda: sqs.receive(url, attribute_names=["Colour"]))
    assert refusal == ("InvalidAttributeName", "Unknown Attribute Colour.")


@of_a_file
def test_an_empty_queue_answers_with_nothing_and_writes_nothing(sqs: Any) -> None:
    url = sqs.queue()
    size = (sqs.folder / "passrole.db-wal").stat().st_size
    assert sqs.receive_message(queue_url=url) == {}
    assert (sqs.folder / "passrole.db-wal").stat().st_size == size


def test_one_message_is_given_unless_more_are_asked_for(sqs: Any) -> None:
    url = sqs.queue()
    for body in "abc":
        sqs.send(url, body)
    assert len(sqs.receive_message(queue_url=url)["Messages"]) == 1
    assert sqs.bodies(url, 10) == ["b", "c"]


def test_a_received_message_is_hidden_for_the_queues_time_or_the_callers(sqs: Any) -> None:
    url = sqs.queue(VisibilityTimeout="40")
    sqs.send(url, "a")
    assert sqs.bodies(url) == ["a"]
    sqs.later(39.9)
    assert sqs.bodies(url) == []
    sqs.later(0.1)
    assert sqs.bodies(url, visibility_timeout=5) == ["a"]
    sqs.later(5)
    assert sqs.bodies(url) == ["a"]


def waiting(sqs: Any, url: str, seconds: int, *acts: Any) -> tuple[list[str], float]:
    """The bodies that a waiting receive gets while the acts happen, and how long it took."""

    async def run() -> tuple[list[str], float]:
        began = sqs.loop.time()
        receive = asyncio.create_task(receive_message(sqs.context, queue_url=url, wait_time_seconds=seconds))
        await asyncio.sleep(0.02)
        for act in acts:
            await act
        answer = await receive
        return [message["Body"] for message in answer.get("Messages", [])], sqs.loop.time() - began

    bodies, took = sqs.run(run())
    return bodies, took


def test_a_waiting_receive_gets_a_message_when_it_is_sent(sqs: Any) -> None:
    url = sqs.queue()
    bodies, took = waiting(sqs, url, 20, send_message(sqs.context, queue_url=url, message_body="a"))
    assert bodies == ["a"]
    assert took < 5


def test_a_waiting_receive_that_hears_of_no_message_finds_it_at_its_end(sqs: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(Listeners, "tell", lambda _self, _notice: None)
    url = sqs.queue()
    sent = send_message(sqs.context, queue_url=url, message_body="a")
    assert waiting(sqs, url, 1, sent)[0] == ["a"]


def test_a_waiting_receive_gets_a_message_when_it_is_given_back(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    (message,) = sqs.receive(url)
    give_back = change_message_visibility(
        sqs.context, queue_url=url, receipt_handle=message["ReceiptHandle"], visibility_timeout=0
    )
    assert waiting(sqs, url, 20, give_back)[0] == ["a"]


def test_a_waiting_receive_wakes_when_a_hidden_message_is_due(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a", delay_seconds=1)
    sqs.later(0.9)
    started = sqs.loop.time()
    now = sqs.now
    object.__setattr__(sqs.context, "clock", lambda: now + sqs.loop.time() - started)
    bodies, took = waiting(sqs, url, 20)
    assert bodies == ["a"]
    assert took < 5


def test_a_waiting_receive_ends_with_nothing_when_its_time_is_up(sqs: Any, monkeypatch: Any) -> None:
    url = sqs.queue()
    real, passed = sqs.loop.time, [0.0]
    monkeypatch.setattr(sqs.loop, "time", lambda: real() + passed[0])

    async def let_time_pass() -> None:
        passed[0] += 20

    bodies, took = waiting(sqs, url, 20, let_time_pass())
    assert bodies == []
    assert took >= 20


def test_a_waiting_receive_is_told_when_the_queue_is_deleted(sqs: Any) -> None:
    from passrole.services.sqs.queues import delete_queue

    url = sqs.queue()
    refusal = sqs.refusal(lambda: waiting(sqs, url, 20, delete_queue(sqs.context, queue_url=url)))
    assert refusal[0] == "QueueDoesNotExist"


def test_the_queues_waiting_time_holds_where_the_caller_gives_none(sqs: Any) -> None:
    url = sqs.queue(ReceiveMessageWaitTimeSeconds="20")

    async def receive_while_sending() -> Sequence[dict[str, Any]]:
        receive = asyncio.create_task(receive_message(sqs.context, queue_url=url))
        await asyncio.sleep(0.02)
        await send_message(sqs.context, queue_url=url, message_body="a")
        messages: Sequence[dict[str, Any]] = (await receive)["Messages"]
        return messages

    assert [message["Body"] for message in sqs.run(receive_while_sending())] == ["a"]
    assert sqs.receive_message(queue_url=url, wait_time_seconds=0) == {}


def test_every_message_goes_to_one_of_many_receivers(sqs: Any) -> None:
    url = sqs.queue()

    async def race() -> list[str]:
        receivers = [
            asyncio.create_task(receive_message(sqs.context, queue_url=url, wait_time_seconds=20))
            for _ in range(20)
        ]
        await asyncio.sleep(0)
        for number in range(20):
            await send_message(sqs.context, queue_url=url, message_body=str(number))
        return [message["Body"] for done in receivers for message in (await done)["Messages"]]

    assert sorted(sqs.run(race()), key=int) == [str(number) for number in range(20)]


class Between:
    """A store that does something once, between the look of a waiting receive and its wait."""

    def __init__(self, store: Any, act: Any) -> None:
        self._store, self._act, self._looks = store, act, 0

    async def read(self, fn: Any) -> Any:
        found = await self._store.read(fn)
        self._looks += 1
        if self._looks == 2:  # the first is before it waits
            await self._act()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def waiting_while(sqs: Any, url: str, act: Any, **context: Any) -> list[str]:
    """The bodies of a receive that waits for 20 s, if it answers in far less."""

    async def run() -> list[str]:
        ctx = dataclasses.replace(sqs.context, **context)
        async with asyncio.timeout(10):
            receive = asyncio.create_task(receive_message(ctx, queue_url=url, wait_time_seconds=20))
            await act()
            answer = await receive
        return [message["Body"] for message in answer.get("Messages", [])]

    bodies: list[str] = sqs.run(run())
    return bodies


async def nothing() -> None:
    pass


def test_a_message_that_comes_between_the_look_and_the_wait_is_not_slept_through(sqs: Any) -> None:
    url = sqs.queue()

    async def send() -> None:
        await send_message(sqs.context, queue_url=url, message_body="a")

    assert waiting_while(sqs, url, nothing, store=Between(sqs.store, send)) == ["a"]


def test_a_waiting_receive_wakes_when_a_deletion_frees_its_group(sqs: Any) -> None:
    url = sqs.fifo()
    for body in "ab":
        sqs.send(url, body, "g")
    (first,) = sqs.receive(url, 1)

    async def delete() -> None:
        await asyncio.sleep(0)
        await delete_message(sqs.context, queue_url=url, receipt_handle=first["ReceiptHandle"])

    assert waiting_while(sqs, url, delete) == ["b"]


@of_a_file
def test_a_client_that_has_gone_takes_no_message(sqs: Any) -> None:
    url, left = sqs.queue(), asyncio.Event()

    async def leave_and_send() -> None:
        await asyncio.sleep(0)
        left.set()
        await send_message(sqs.context, queue_url=url, message_body="a")

    assert waiting_while(sqs, url, leave_and_send, hung_up=left.wait) == []
    assert sqs.counts(url) == (1, 0, 0)
    assert waiting_while(sqs, url, nothing, hung_up=asyncio.Event().wait) == ["a"]
