"""The page /check: the table of a pasted definition and policy."""

import json

import pytest
from tests.console.conftest import Browser, Wait

SEND = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
}
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Parameters": [],
        "Steps": [
            {
                "Name": "Ask",
                "Type": "Callback",
                "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/reviews",
                "Arguments": {},
            }
        ],
    }
)


def test_a_policy_that_suffices_and_the_managed_one_that_does_not(admin: Browser) -> None:
    allowed = admin.post("/check", {"definition": DEFINITION, "policy": json.dumps(SEND)})
    assert (allowed.status, "Everything that is needed is allowed" in allowed.text) == (200, True)
    denied = admin.post("/check", {"definition": DEFINITION, "policy": ""})
    assert "permissions are missing" in denied.text
    assert "sqs:SendMessage" in denied.text  # a queue without `sagemaker` in its name
    assert "What would allow it" in denied.text


@pytest.mark.parametrize(
    ("definition", "policy", "told"),
    [
        ("{", "", "JSON"),
        ("[]", "", "of type Object"),
        (DEFINITION, "{", "unexpected end"),
        (DEFINITION, "{}", "Syntax errors in policy"),
        ("<script>alert(1)</script>", "", ""),
    ],
)
def test_what_cannot_be_read_is_said_and_given_back(
    admin: Browser, definition: str, policy: str, told: str
) -> None:
    got = admin.post("/check", {"definition": definition, "policy": policy})
    assert (got.status, told in got.text) == (400, True), got.text
    assert "<script>alert" not in got.text


def test_a_pipeline_is_put_into_the_form(admin: Browser, wait: Wait) -> None:
    waiting = wait()
    assert json.loads(admin.get(f"/check.json?pipeline={waiting.pipeline}").json["definition"])["Steps"]
