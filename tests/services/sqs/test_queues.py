"""Queues come and go."""

import json
from typing import Any

import pytest

GONE = ("QueueDoesNotExist", "The specified queue does not exist.")


def test_a_queue_has_a_url_of_account_and_name(sqs: Any) -> None:
    assert sqs.queue("jobs") == "http://127.0.0.1:4566/111122223333/jobs"
    assert sqs.get_queue_url(queue_name="jobs") == {"QueueUrl": "http://127.0.0.1:4566/111122223333/jobs"}


@pytest.mark.parametrize(
    "name, attributes",
    [("", {}), ("a b", {}), ("x" * 81, {}), ("jobs.fifo", {}), ("ä", {}), ("a/b", {})],
)
def test_create_queue_refuses_a_bad_name(sqs: Any, name: str, attributes: dict[str, str]) -> None:
    assert sqs.refusal(lambda: sqs.queue(name, **attributes)) == (
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    )


@pytest.mark.parametrize("name", [".fifo", "x" * 76 + ".fifo", "a b.fifo"])
def test_create_queue_refuses_a_bad_fifo_name(sqs: Any, name: str) -> None:
    code, message = sqs.refusal(lambda: sqs.queue(name, FifoQueue="true"))
    assert code == "InvalidParameterValue"
    assert message.startswith("The name of a FIFO queue can only include")


def test_create_queue_refuses_order_without_the_suffix(sqs: Any) -> None:
    refusal = sqs.refusal(lambda: sqs.queue("jobs", FifoQueue="true"))
    assert refusal == ("InvalidAttributeName", "Unknown Attribute FifoQueue.")


def test_create_queue_again_with_the_same_attributes_finds_it(sqs: Any) -> None:
    url = sqs.queue("jobs", DelaySeconds="5")
    assert sqs.queue("jobs", DelaySeconds="5", VisibilityTimeout="30") == url
    assert sqs.queue("jobs") == url


def test_create_queue_again_with_other_attributes_is_refused(sqs: Any) -> None:
    sqs.queue("jobs")
    assert sqs.refusal(lambda: sqs.queue("jobs", DelaySeconds="1")) == (
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


def test_a_deleted_queues_name_rests_for_a_minute(sqs: Any) -> None:
    url = sqs.queue("jobs")
    sqs.send(url, "old")
    sqs.delete_queue(queue_url=url)
    assert sqs.refusal(lambda: sqs.get_queue_url(queue_name="jobs")) == GONE
    sqs.later(59.9)
    assert sqs.refusal(lambda: sqs.queue("jobs")) == (
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
    sqs.later(0.1)
    assert sqs.queue("jobs") == url
    assert sqs.bodies(url) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda sqs, url: sqs.send(url, "x"),
        lambda sqs, url: sqs.receive(url),
        lambda sqs, url: sqs.delete_message(queue_url=url, receipt_handle="x"),
        lambda sqs, url: sqs.delete_queue(queue_url=url),
        lambda sqs, url: sqs.purge_queue(queue_url=url),
        lambda sqs, url: sqs.get_queue_attributes(queue_url=url),
        lambda sqs, url: sqs.set_queue_attributes(queue_url=url, attributes={"DelaySeconds": "1"}),
        lambda sqs, url: sqs.tag_queue(queue_url=url, tags={"a": "b"}),
        lambda sqs, url: sqs.list_queue_tags(queue_url=url),
        lambda sqs, url: sqs.list_dead_letter_source_queues(queue_url=url),
    ],
)
def test_every_operation_misses_a_queue_that_is_not_there(sqs: Any, act: Any) -> None:
    assert sqs.refusal(lambda: act(sqs, "http://127.0.0.1:4566/111122223333/none")) == GONE


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere:1/111122223333/jobs",
        "https://sqs.us-west-2.amazonaws.com/111122223333/jobs",
        "/111122223333/jobs",
        "jobs",
    ],
)
def test_a_url_counts_by_its_last_two_segments_and_a_name_does_too(sqs: Any, url: str) -> None:
    sqs.queue("jobs")
    assert sqs.bodies(url) == []


@pytest.mark.parametrize("url", ["", "jo bs", "111122223333/jobs", "http://h/jobs", "http://h/111122223333/"])
def test_anything_else_is_no_address(sqs: Any, url: str) -> None:
    sqs.queue("jobs")
    code, message = sqs.refusal(lambda: sqs.receive(url))
    assert (code, message) == ("InvalidAddress", f"The address {url} is not valid for this endpoint.")


def test_the_name_of_a_fifo_queue_is_an_address_too(sqs: Any) -> None:
    sqs.fifo("jobs.fifo")
    assert sqs.bodies("jobs.fifo") == []
    assert sqs.refusal(lambda: sqs.receive("nobody.fifo")) == GONE


@pytest.mark.parametrize("spelling", ["true", "True", "TRUE"])
def test_booleans_are_taken_in_any_letters(sqs: Any, spelling: str) -> None:
    url = sqs.queue("a.fifo", FifoQueue=spelling, ContentBasedDeduplication=spelling)
    names = ["FifoQueue", "ContentBasedDeduplication"]
    told = sqs.get_queue_attributes(queue_url=url, attribute_names=names)["Attributes"]
    assert told == {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    sqs.send(url, "a", "g")
    sqs.queue("a.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    sqs.set_queue_attributes(queue_url=url, attributes={"SqsManagedSseEnabled": "False"})


def test_another_accounts_queue_does_not_exist(sqs: Any) -> None:
    sqs.queue("jobs")
    assert sqs.refusal(lambda: sqs.receive("http://h/999999999999/jobs")) == GONE
    owner = {"queue_name": "jobs", "queue_owner_aws_account_id": "999999999999"}
    assert sqs.refusal(lambda: sqs.get_queue_url(**owner)) == GONE
    owner["queue_owner_aws_account_id"] = "111122223333"
    assert sqs.get_queue_url(**owner)


def test_list_queues_tells_them_by_prefix_and_name(sqs: Any) -> None:
    assert sqs.list_queues() == {}
    b, a, other = sqs.queue("job-b"), sqs.queue("job-a"), sqs.queue("other")
    assert sqs.list_queues() == {"QueueUrls": [a, b, other]}
    assert sqs.list_queues(queue_name_prefix="job-") == {"QueueUrls": [a, b]}
    assert sqs.list_queues(queue_name_prefix="Job") == {}


def test_list_queues_comes_in_pages_where_they_are_asked_for(sqs: Any) -> None:
    urls = [sqs.queue(f"q{number}") for number in range(5)]
    found: list[str] = []
    token = None
    for size in (2, 2, 1):
        page = sqs.list_queues(max_results=2, next_token=token)
        assert len(page["QueueUrls"]) == size
        found += page["QueueUrls"]
        token = page.get("NextToken")
    assert (found, token) == (urls, None)


@pytest.mark.parametrize("parameters", [{"max_results": 0}, {"max_results": 1_001}, {"next_token": "ü"}])
def test_list_queues_refuses_what_is_no_page(sqs: Any, parameters: dict[str, Any]) -> None:
    assert sqs.refusal(lambda: sqs.list_queues(**parameters))[0] == "InvalidParameterValue"


def test_purge_empties_the_queue_once_a_minute(sqs: Any) -> None:
    url = sqs.queue("jobs")
    sqs.send(url, "a")
    sqs.send(url, "b")
    sqs.receive(url, 1)
    sqs.purge_queue(queue_url=url)
    assert sqs.counts(url) == (0, 0, 0)
    sqs.later(59)
    assert sqs.refusal(lambda: sqs.purge_queue(queue_url=url)) == (
        "PurgeQueueInProgress",
        "Only one PurgeQueue operation on jobs is allowed every 60 seconds.",
    )
    sqs.later(1)
    sqs.purge_queue(queue_url=url)


def test_purge_leaves_other_queues_alone(sqs: Any) -> None:
    one, two = sqs.queue("one"), sqs.queue("two")
    sqs.send(two, "stays")
    sqs.purge_queue(queue_url=one)
    assert sqs.bodies(two) == ["stays"]


def test_purge_also_forgets_deduplication_ids(sqs: Any) -> None:
    url = sqs.fifo()
    sqs.send(url, "a", "g")
    sqs.purge_queue(queue_url=url)
    sqs.send(url, "a", "g")
    assert sqs.bodies(url) == ["a"]


def test_a_dead_letter_queue_lists_its_sources(sqs: Any) -> None:
    dead = sqs.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:111122223333:dead"})
    first, second = (sqs.queue(name, RedrivePolicy=policy) for name in ("a", "b"))
    sqs.queue("c")
    assert sqs.list_dead_letter_source_queues(queue_url=dead) == {"queueUrls": [first, second]}
    page = sqs.list_dead_letter_source_queues(queue_url=dead, max_results=1)
    assert page["queueUrls"] == [first]
    rest = sqs.list_dead_letter_source_queues(queue_url=dead, max_results=1, next_token=page["NextToken"])
    assert rest == {"queueUrls": [second]}


def test_everything_survives_a_restart(sqs: Any) -> None:
    url, order = sqs.queue("jobs", DelaySeconds="0"), sqs.fifo()
    sqs.send(url, "kept")
    sqs.send(url, "in flight")
    sqs.send(order, "a", "g")
    (first,) = sqs.receive(url, 1)
    sqs.restart()
    assert sqs.bodies(url) == ["in flight"]
    sqs.delete(url, first)
    assert sqs.send(order, "a", "g") == sqs.send(order, "a", "g")
    assert sqs.bodies(order) == ["a"]
    sqs.later(31)
    assert sqs.bodies(url) == ["in flight"]
