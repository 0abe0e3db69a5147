"""A queue's attributes, as they are asked for and changed."""

import json
from typing import Any

import pytest

OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}],
}
DEAD = "arn:aws:sqs:us-east-1:111122223333:dead"


def ask(sqs: Any, url: str, *names: str) -> dict[str, str]:
    attributes: dict[str, str] = sqs.get_queue_attributes(queue_url=url, attribute_names=names).get(
        "Attributes", {}
    )
    return attributes


def put(sqs: Any, url: str, **attributes: str) -> None:
    sqs.set_queue_attributes(queue_url=url, attributes=attributes)


def redrive(target: str, receives: int = 3) -> str:
    return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": receives})


def test_get_queue_attributes_tells_all_of_them(sqs: Any) -> None:
    assert ask(sqs, sqs.queue("jobs"), "All") == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "CreatedTimestamp": "1800000000",
        "DelaySeconds": "0",
        "LastModifiedTimestamp": "1800000000",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": "arn:aws:sqs:us-east-1:111122223333:jobs",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "false",
        "VisibilityTimeout": "30",
    }


def test_get_queue_attributes_tells_no_more_than_is_asked(sqs: Any) -> None:
    url = sqs.queue("jobs")
    assert ask(sqs, url) == {}
    assert ask(sqs, url, "DelaySeconds", "Policy") == {"DelaySeconds": "0"}


@pytest.mark.parametrize("name", ["Colour", "FifoQueue"])
def test_get_queue_attributes_refuses_a_name_that_the_queue_has_not(sqs: Any, name: str) -> None:
    url = sqs.queue("jobs")
    refusal = sqs.refusal(lambda: ask(sqs, url, name))
    assert refusal == ("InvalidAttributeName", f"Unknown Attribute {name}.")


def test_a_fifo_queue_has_its_own(sqs: Any) -> None:
    found = ask(sqs, sqs.fifo(), "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope")
    expected = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "queue"}
    assert found == expected


def test_the_counts_tell_visible_in_flight_and_delayed(sqs: Any) -> None:
    url = sqs.queue("jobs")
    for body in "abc":
        sqs.send(url, body)
    sqs.send(url, "later", delay_seconds=60)
    sqs.receive(url, 1)
    assert sqs.counts(url) == (2, 1, 1)
    sqs.later(60)
    assert sqs.counts(url) == (4, 0, 0)


def test_set_queue_attributes_changes_what_it_names_and_the_time(sqs: Any) -> None:
    url = sqs.queue("jobs", DelaySeconds="5")
    sqs.later(10)
    put(sqs, url, VisibilityTimeout="7")
    found = ask(sqs, url, "All")
    assert (found["DelaySeconds"], found["VisibilityTimeout"]) == ("5", "7")
    assert (found["CreatedTimestamp"], found["LastModifiedTimestamp"]) == ("1800000000", "1800000010")


def test_set_queue_attributes_changes_nothing_where_one_is_bad(sqs: Any) -> None:
    url = sqs.queue("jobs")
    refusal = sqs.refusal(lambda: put(sqs, url, DelaySeconds="5", VisibilityTimeout="x"))
    assert refusal[0] == "InvalidAttributeValue"
    assert ask(sqs, url, "DelaySeconds") == {"DelaySeconds": "0"}


def test_a_policy_is_stored_and_an_empty_one_removes_it(sqs: Any) -> None:
    url, policy = sqs.queue("jobs"), json.dumps(OPEN)
    put(sqs, url, Policy=policy)
    assert ask(sqs, url, "Policy") == {"Policy": policy}
    put(sqs, url, Policy="")
    assert ask(sqs, url, "Policy") == {}


def test_a_dead_letter_queue_must_be_there(sqs: Any) -> None:
    url, policy = sqs.queue("jobs"), redrive(DEAD)
    assert sqs.refusal(lambda: put(sqs, url, RedrivePolicy=policy)) == (
        "InvalidParameterValue",
        f"Value {policy} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
    )
    assert sqs.refusal(lambda: sqs.queue("other", RedrivePolicy=policy))[0] == "InvalidParameterValue"


def test_a_dead_letter_queue_must_be_of_the_same_type(sqs: Any) -> None:
    url, policy = sqs.fifo(), redrive(DEAD)
    sqs.queue("dead")
    _, message = sqs.refusal(lambda: put(sqs, url, RedrivePolicy=policy))
    assert message.endswith("Reason: Dead-letter queue must be same type of queue as the source.")


def test_a_dead_letter_queue_may_refuse_its_sources(sqs: Any) -> None:
    url = sqs.queue("jobs")
    sqs.queue("dead", RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
    assert sqs.refusal(lambda: put(sqs, url, RedrivePolicy=redrive(DEAD)))[0] == "InvalidParameterValue"
