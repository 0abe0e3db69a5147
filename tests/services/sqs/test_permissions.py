"""AddPermission and RemovePermission change the queue's policy, which the door asks."""

import json
from typing import Any

import pytest

ARN = "arn:aws:sqs:us-east-1:111122223333:jobs"


def policy(sqs: Any, url: str) -> Any:
    answer = sqs.get_queue_attributes(queue_url=url, attribute_names=["Policy"])
    return json.loads(answer["Attributes"]["Policy"]) if answer else None


def grant(sqs: Any, url: str, label: str, *actions: str, accounts: Any = ("999999999999",)) -> None:
    sqs.add_permission(queue_url=url, label=label, aws_account_ids=list(accounts), actions=list(actions))


def test_a_permission_is_a_statement_of_the_policy(sqs: Any) -> None:
    url = sqs.queue()
    grant(sqs, url, "one", "SendMessage")
    grant(sqs, url, "two", "SendMessage", "ReceiveMessage", accounts=["999999999999", "111122223333"])
    root = "arn:aws:iam::999999999999:root"
    both = [root, "arn:aws:iam::111122223333:root"]
    rest = {"Effect": "Allow", "Resource": ARN}
    assert policy(sqs, url) == {
        "Version": "2008-10-17",
        "Id": f"{ARN}/SQSDefaultPolicy",
        "Statement": [
            {"Sid": "one", "Principal": {"AWS": root}, "Action": "SQS:SendMessage", **rest},
            {
                "Sid": "two",
                "Principal": {"AWS": both},
                "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"],
                **rest,
            },
        ],
    }
    sqs.remove_permission(queue_url=url, label="one")
    assert [statement["Sid"] for statement in policy(sqs, url)["Statement"]] == ["two"]
    sqs.remove_permission(queue_url=url, label="two")
    assert policy(sqs, url) is None


def test_a_policy_that_is_there_keeps_its_own_statements(sqs: Any) -> None:
    statement = {"Sid": "own", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ARN}
    document = {"Version": "2012-10-17", "Statement": statement}
    url = sqs.queue(Policy=json.dumps(document))
    grant(sqs, url, "one", "*")
    found = policy(sqs, url)
    assert found["Version"] == "2012-10-17"
    assert [each["Sid"] for each in found["Statement"]] == ["own", "one"]


@pytest.mark.parametrize(
    "act, refusal",
    [
        (
            lambda sqs, url: grant(sqs, url, "one", "SendMessage"),
            ("InvalidParameterValue", "Value one for parameter Label is invalid. Reason: Already exists."),
        ),
        (
            lambda sqs, url: sqs.remove_permission(queue_url=url, label="other"),
            (
                "InvalidParameterValue",
                "Value other for parameter Label is invalid. Reason: can't find label.",
            ),
        ),
        (
            lambda sqs, url: grant(sqs, url, "two", "CreateQueue"),
            (
                "InvalidParameterValue",
                "Value SQS:CreateQueue for parameter ActionName is invalid."
                " Reason: Only the queue owner is allowed to invoke this action.",
            ),
        ),
        (
            lambda sqs, url: grant(sqs, url, "two", *["SendMessage"] * 8),
            ("OverLimit", "8 Actions were found, maximum allowed is 7."),
        ),
        (
            lambda sqs, url: grant(sqs, url, "two", "SendMessage", accounts=["ann"]),
            (
                "InvalidParameterValue",
                "Value [ann] for parameter PrincipalId is invalid. Reason: Unable to verify.",
            ),
        ),
        (
            lambda sqs, url: grant(sqs, url, "two", accounts=["999999999999"]),
            ("MissingParameter", "The request must contain the parameter ActionName."),
        ),
        (
            lambda sqs, url: grant(sqs, url, "a b", "SendMessage"),
            (
                "InvalidParameterValue",
                "Value a b for parameter Label is invalid. Reason: Can only include alphanumeric characters,"
                " hyphens, or underscores. 1 to 80 in length",
            ),
        ),
    ],
)
def test_a_permission_that_cannot_be_is_refused(sqs: Any, act: Any, refusal: tuple[str, str]) -> None:
    url = sqs.queue()
    grant(sqs, url, "one", "SendMessage")
    assert sqs.refusal(lambda: act(sqs, url)) == refusal
