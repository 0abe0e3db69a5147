"""Tags of a queue."""

from typing import Any

import pytest

from passrole.services.operation import Operation
from passrole.services.sqs.queues import create_queue
from passrole.services.sqs.tags import TAGS


def test_tags_are_added_replaced_and_removed(sqs: Any) -> None:
    url = sqs.create_queue(queue_name="jobs", tags={"team": "ml"})["QueueUrl"]
    sqs.tag_queue(queue_url=url, tags={"team": "data", "cost": ""})
    assert sqs.list_queue_tags(queue_url=url) == {"Tags": {"team": "data", "cost": ""}}
    sqs.untag_queue(queue_url=url, tag_keys=["team", "none"])
    assert sqs.list_queue_tags(queue_url=url) == {"Tags": {"cost": ""}}
    sqs.untag_queue(queue_url=url, tag_keys=["cost"])
    assert sqs.list_queue_tags(queue_url=url) == {}


@pytest.mark.parametrize(
    "tags",
    [{"": "x"}, {"x" * 129: "x"}, {"x": "y" * 257}, {"aws:x": "y"}, {str(n): "" for n in range(51)}],
)
def test_tags_beyond_the_limits_are_refused(sqs: Any, tags: dict[str, str]) -> None:
    assert sqs.refusal(lambda: sqs.create_queue(queue_name="jobs", tags=tags))[0] == "InvalidParameterValue"


def test_fifty_tags_are_the_most_over_several_calls(sqs: Any) -> None:
    url = sqs.queue("jobs")
    sqs.tag_queue(queue_url=url, tags={str(number): "" for number in range(50)})
    sqs.tag_queue(queue_url=url, tags={"0": "again"})
    refusal = sqs.refusal(lambda: sqs.tag_queue(queue_url=url, tags={"50": ""}))
    assert refusal == ("InvalidParameterValue", "Too many tags added for queue jobs.")


def test_policies_can_speak_of_the_tags_that_a_call_brings(sqs: Any) -> None:
    keys = {"aws:TagKeys": ("team",), "aws:RequestTag/team": "ml"}
    assert TAGS.request_keys(sqs.context, {"tags": {"team": "ml"}}) == keys
    assert TAGS.request_keys(sqs.context, {}) == {}


def test_to_create_with_tags_needs_the_permission_to_tag(sqs: Any) -> None:
    declared: Operation = create_queue.__operation__  # type: ignore[attr-defined]
    tagging: Any = declared.also
    (permission,) = tagging(sqs.context, {"queue_name": "jobs", "tags": {"team": "ml"}})
    arn = "arn:aws:sqs:us-east-1:111122223333:jobs"
    assert (permission.action, permission.resource) == ("sqs:TagQueue", arn)
    assert tagging(sqs.context, {"queue_name": "jobs"}) == ()
