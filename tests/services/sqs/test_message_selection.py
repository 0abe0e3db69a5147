"""Which messages a receive gets: the fair order, retention, dead letters, attempts."""

import json
from typing import Any

import pytest

DEAD = "arn:aws:sqs:us-east-1:111122223333:dead"


def redrive(receives: int, target: str = DEAD) -> str:
    return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": receives})


def test_what_has_been_receivable_for_longest_comes_first(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "given back")
    sqs.send(url, "delayed", delay_seconds=10)
    sqs.receive(url, visibility_timeout=5)
    sqs.later(2)
    sqs.send(url, "new")
    sqs.later(20)
    assert sqs.bodies(url) == ["new", "given back", "delayed"]


def test_messages_end_with_the_retention_period(sqs: Any) -> None:
    url = sqs.queue(MessageRetentionPeriod="60")
    sqs.send(url, "old")
    sqs.later(30)
    sqs.send(url, "young")
    sqs.later(30)
    assert sqs.counts(url) == (1, 0, 0)
    assert sqs.bodies(url) == ["young"]


def test_many_expired_messages_do_not_hide_the_rest(sqs: Any) -> None:
    url = sqs.queue(MessageRetentionPeriod="60")
    for _ in range(30):
        sqs.send(url, "old")
    sqs.later(60)
    sqs.send(url, "young")
    assert sqs.bodies(url, 1) == ["young"]


def test_a_shorter_retention_period_counts_for_messages_that_are_there(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    sqs.later(61)
    sqs.set_queue_attributes(queue_url=url, attributes={"MessageRetentionPeriod": "60"})
    assert sqs.bodies(url) == []


def test_an_expired_message_lets_the_rest_of_its_group_go_on(sqs: Any) -> None:
    url = sqs.fifo(MessageRetentionPeriod="60")
    for body in map(str, range(15)):
        sqs.send(url, body, "g")
    sqs.later(50)
    sqs.send(url, "young", "g")
    sqs.later(10)
    assert sqs.bodies(url) == ["young"]


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(sqs: Any) -> None:
    dead, url = sqs.queue("dead"), sqs.queue("jobs", RedrivePolicy=redrive(2))
    sent = sqs.send(url, "poison")
    for _ in range(2):
        assert sqs.bodies(url, visibility_timeout=0) == ["poison"]
    assert sqs.bodies(url) == []
    assert (sqs.counts(url), sqs.counts(dead)) == ((0, 0, 0), (1, 0, 0))
    (message,) = sqs.receive(dead, attribute_names=["All"])
    assert message["MessageId"] == sent["MessageId"]
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == "arn:aws:sqs:us-east-1:111122223333:jobs"
    assert message["Attributes"]["ApproximateReceiveCount"] == "3"
    assert message["Attributes"]["SentTimestamp"] == "1800000000000"


def test_the_receipt_of_a_dead_letter_is_worth_nothing_in_its_old_queue(sqs: Any) -> None:
    dead, url = sqs.queue("dead"), sqs.queue("jobs", RedrivePolicy=redrive(1))
    sqs.send(url, "poison")
    (message,) = sqs.receive(url, visibility_timeout=0)
    sqs.receive(url)
    sqs.delete(url, message)
    assert sqs.counts(dead) == (1, 0, 0)


def test_the_living_are_given_in_the_same_receive(sqs: Any) -> None:
    sqs.queue("dead")
    url = sqs.queue("jobs", RedrivePolicy=redrive(1))
    sqs.send(url, "poison")
    sqs.receive(url, visibility_timeout=0)
    sqs.send(url, "fine")
    assert sqs.bodies(url, 1) == ["fine"]


@pytest.mark.parametrize("change", ["deleted", "unwilling"])
def test_a_message_stays_where_its_dead_letter_queue_does_not_take_it(sqs: Any, change: str) -> None:
    dead, url = sqs.queue("dead"), sqs.queue("jobs", RedrivePolicy=redrive(1))
    sqs.send(url, "poison")
    if change == "deleted":
        sqs.delete_queue(queue_url=dead)
    else:
        deny = {"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'}
        sqs.set_queue_attributes(queue_url=dead, attributes=deny)
    for _ in range(3):
        assert sqs.bodies(url, visibility_timeout=0) == ["poison"]


def test_a_dead_letter_of_a_fifo_queue_keeps_its_group_and_frees_the_one_it_was_in(sqs: Any) -> None:
    dead = sqs.fifo("dead.fifo")
    url = sqs.fifo("jobs.fifo", RedrivePolicy=redrive(1, f"{DEAD}.fifo"))
    for body in "abc":
        sqs.send(url, body, "g")
    assert sqs.bodies(url, 2, visibility_timeout=0) == ["a", "b"]
    assert sqs.bodies(url) == ["c"]
    assert sqs.bodies(dead) == ["a", "b"]


def test_an_attempt_that_is_repeated_gets_what_it_got(sqs: Any) -> None:
    url = sqs.fifo()
    for body in "abc":
        sqs.send(url, body, "g")
    first = sqs.bodies(url, 2, receive_request_attempt_id="try-1")
    assert first == ["a", "b"]
    sqs.later(20)
    again = sqs.receive(url, 2, receive_request_attempt_id="try-1")
    assert [message["Body"] for message in again] == first
    assert sqs.bodies(url, receive_request_attempt_id="try-2") == []
    sqs.later(29)
    sqs.delete(url, again[0])  # hidden anew by the second attempt
    assert sqs.bodies(url, 2, receive_request_attempt_id="try-1") == []
