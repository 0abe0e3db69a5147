"""Order within groups and five minutes of memory."""

from typing import Any

import pytest

from passrole.services.sqs.fifo import due
from passrole.services.sqs.rows import BEHIND, Message

NOW = 1_000.0


def row(name: str, visible: float, *, sent: float = NOW - 10, received: int = 0) -> Message:
    return Message(ord(name), name, name, b"", sent, visible, received, None, "g")


@pytest.mark.parametrize(
    "front, delay, expected",
    [
        ([], 0, ""),
        ([row("a", NOW), row("b", BEHIND)], 0, "ab"),
        ([row("a", NOW + 1, received=1), row("b", BEHIND)], 0, ""),
        ([row("a", NOW, received=1), row("b", NOW + 1, received=1), row("c", BEHIND)], 0, "a"),
        ([row("a", NOW + 1, received=1), row("b", NOW, received=1)], 0, ""),
        ([row("a", BEHIND, received=1), row("b", NOW, received=1)], 0, "ab"),
        ([row("a", NOW), row("b", BEHIND, sent=NOW - 4)], 5, "a"),
        ([row("a", BEHIND, sent=NOW - 4), row("b", NOW)], 5, ""),
        ([row("a", BEHIND, sent=NOW - 4, received=1)], 5, "a"),
    ],
)
def test_a_group_gives_what_is_before_the_first_in_flight_or_delayed(
    front: list[Message], delay: float, expected: str
) -> None:
    assert "".join(message.id for message in due(front, NOW, delay)) == expected


def test_a_group_is_given_in_order_and_not_while_it_is_in_flight(sqs: Any) -> None:
    url = sqs.fifo()
    for body in ("a1", "b1", "a2", "a3", "b2"):
        sqs.send(url, body, body[0])
    first = sqs.receive(url, 1)
    assert [message["Body"] for message in first] == ["a1"]
    assert sqs.bodies(url) == ["b1", "b2"]
    assert sqs.bodies(url) == []
    sqs.delete(url, first[0])
    assert sqs.bodies(url) == ["a2", "a3"]


def test_a_message_in_flight_blocks_those_after_it_and_none_before(sqs: Any) -> None:
    """As AWS answered: localstack's test_fifo_message_group_visibility_after_terminate_visibility_timeout."""
    url = sqs.fifo()
    for body in ("g1-m1", "g1-m2", "g2-m1", "g1-m3"):
        sqs.send(url, body, body[:2])
    sqs.later(1)
    first, second = sqs.receive(url, 2)
    sqs.hide(url, first, 0)
    assert sqs.bodies(url) == ["g2-m1", "g1-m1"]
    sqs.hide(url, second, 0)
    assert sqs.bodies(url) == []
    sqs.later(30)
    assert sqs.bodies(url) == ["g1-m1", "g1-m2", "g1-m3", "g2-m1"]


def test_a_group_stays_blocked_while_only_some_of_it_is_deleted(sqs: Any) -> None:
    """As AWS answered: localstack's test_fifo_message_group_visibility_after_(partial_)delete."""
    url = sqs.fifo()
    for body in ("g1-m1", "g2-m1", "g1-m2", "g2-m2", "g1-m3", "g3-m1"):
        sqs.send(url, body, body[:2])
    first, second = sqs.receive(url, 2)
    sqs.delete(url, first)
    assert sqs.bodies(url, 2) == ["g2-m1", "g2-m2"]
    sqs.delete(url, second)
    assert sqs.bodies(url) == ["g1-m3", "g3-m1"]


def test_a_message_whose_timeout_ended_is_given_although_a_later_one_is_in_flight(sqs: Any) -> None:
    url = sqs.fifo()
    for body in "abcd":
        sqs.send(url, body, "g")
    first, second, third = sqs.receive(url, 3)
    sqs.hide(url, second, 10)
    sqs.later(10)
    assert sqs.bodies(url) == []
    sqs.delete(url, first)
    assert sqs.bodies(url) == ["b"]
    sqs.delete(url, third)
    assert sqs.bodies(url) == []


def test_a_message_that_expires_in_flight_frees_its_group(sqs: Any) -> None:
    url = sqs.fifo(MessageRetentionPeriod="60", VisibilityTimeout="600")
    sqs.send(url, "old", "g")
    sqs.later(10)
    sqs.send(url, "next", "g")
    (old,) = sqs.receive(url, 1)
    sqs.later(50)
    assert sqs.counts(url) == (1, 0, 0)
    assert sqs.bodies(url) == ["next"]
    sqs.delete(url, old)
    assert sqs.refusal(lambda: sqs.hide(url, old, 9))[1].endswith("available for visibility timeout change.")


def test_a_shorter_retention_frees_a_group_too(sqs: Any) -> None:
    url = sqs.fifo(VisibilityTimeout="600")
    sqs.send(url, "old", "g")
    sqs.later(60)
    sqs.send(url, "next", "g")
    sqs.receive(url, 1)
    sqs.set_queue_attributes(queue_url=url, attributes={"MessageRetentionPeriod": "60"})
    assert sqs.bodies(url) == ["next"]


def test_a_changed_delay_counts_for_messages_that_wait(sqs: Any) -> None:
    """API reference, SetQueueAttributes: "the per-queue delay setting is retroactive" for FIFO queues."""
    url = sqs.fifo(DelaySeconds="900")
    for body in ("a1", "a2", "b1"):
        sqs.send(url, body, body[0])
    assert sqs.counts(url) == (0, 0, 3)
    sqs.later(10)
    sqs.set_queue_attributes(queue_url=url, attributes={"DelaySeconds": "10"})
    assert sqs.bodies(url) == ["a1", "a2", "b1"]
    sqs.send(url, "c1", "c")
    sqs.set_queue_attributes(queue_url=url, attributes={"DelaySeconds": "20"})
    sqs.later(19)
    assert sqs.bodies(url) == []
    sqs.later(1)
    assert sqs.bodies(url) == ["c1"]


def test_messages_that_come_back_come_first(sqs: Any) -> None:
    url = sqs.fifo()
    for body in "abc":
        sqs.send(url, body, "g")
    sqs.receive(url, 2)
    sqs.later(30)
    assert sqs.bodies(url) == ["a", "b", "c"]


def test_a_queues_delay_holds_for_each_message_and_keeps_the_order(sqs: Any) -> None:
    url = sqs.fifo(DelaySeconds="10")
    sqs.send(url, "a", "g")
    sqs.later(5)
    sqs.send(url, "b", "g")
    assert sqs.bodies(url) == []
    sqs.later(5)
    (first,) = sqs.receive(url)
    sqs.delete(url, first)
    assert sqs.bodies(url) == []
    sqs.later(5)
    assert (first["Body"], sqs.bodies(url)) == ("a", ["b"])


def test_a_large_blocked_group_does_not_hide_another(sqs: Any) -> None:
    url = sqs.fifo()
    for number in range(120):
        sqs.send(url, f"a{number}", "a")
    sqs.receive(url, 1)
    sqs.send(url, "b", "b")
    assert sqs.bodies(url) == ["b"]


def test_a_duplicate_within_five_minutes_is_taken_for_the_first(sqs: Any) -> None:
    url = sqs.fifo()
    first = sqs.send(url, "a", "g")
    (message,) = sqs.receive(url)
    sqs.delete(url, message)
    sqs.later(299)
    assert sqs.send(url, "a", "other") == first
    assert sqs.bodies(url) == []
    sqs.later(1)
    assert sqs.send(url, "a", "g")["MessageId"] != first["MessageId"]
    assert sqs.bodies(url) == ["a"]


def test_a_given_id_goes_before_the_content(sqs: Any) -> None:
    url = sqs.fifo()
    sqs.send(url, "a", "g", message_deduplication_id="1")
    sqs.send(url, "a", "g", message_deduplication_id="2")
    sqs.send(url, "b", "g", message_deduplication_id="1")
    assert sqs.bodies(url) == ["a", "a"]


def test_ids_can_count_by_group(sqs: Any) -> None:
    url = sqs.fifo(DeduplicationScope="messageGroup")
    for group in ("g", "h", "g"):
        sqs.send(url, "a", group)
    assert sqs.bodies(url) == ["a", "a"]
