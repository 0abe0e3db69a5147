"""The page /check: the table of a pasted definition and policy."""

import json

import pytest
from tests.console.conftest import Browser, Console, Wait

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


def test_a_role_that_may_start_and_approve_is_warned_of(admin: Browser) -> None:
    both = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sagemaker:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": both})
    warned = admin.post("/check", {"definition": DEFINITION, "policy": policy})
    assert "may both start the pipeline and approve step `Ask`" in warned.text
    alone = admin.post("/check", {"definition": DEFINITION, "policy": json.dumps(SEND)})
    assert "may both" not in alone.text


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


def test_files_are_uploaded_and_count_more(admin: Browser) -> None:
    policy = json.dumps(SEND).encode()
    got = admin.upload(
        "/check", {"definition_file": DEFINITION.encode(), "policy_file": policy, "policy": b"{"}
    )
    assert (got.status, "Everything that is needed is allowed" in got.text) == (200, True)
    assert "PastedRole" not in got.text
    empty = admin.upload(
        "/check", {"definition": DEFINITION.encode(), "definition_file": b"", "policy": policy}
    )
    assert "Everything that is needed is allowed" in empty.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--bound",
        b"--bound--\r\n",
        b"--bound\r\n\r\n--bound--",
        b'--bound\r\nContent-Disposition: form-data; name="definition"\r\n\r\n{}',
        b"--bound\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--bound--",
        b'--bound\r\nContent-Disposition: form-data; name="definition"\r\n\r\n\xff\r\n--bound--',
        b"\r\n--bound" * 5_000,
        b"--bound\r\n" + b"x" * 10_000 + b"\r\n\r\n{}\r\n--bound--",
    ],
)
def test_a_body_that_is_no_upload_is_refused(admin: Browser, body: bytes) -> None:
    got = admin.post_raw("/check", body, "multipart/form-data; boundary=bound")
    assert got.status == 400
    assert admin.post_raw("/check", body, "multipart/form-data").status == 400


def test_a_file_of_too_many_bytes_is_not_read(admin: Browser) -> None:
    assert admin.upload("/check", {"definition_file": b"x" * 1_100_000}).status == 413


def test_the_graph_leads_to_the_permissions_of_a_step(admin: Browser) -> None:
    denied = admin.post("/check", {"definition": DEFINITION}).text
    assert '<a href="#step-Ask" class="node s-denied"' in denied
    assert denied.count('id="step-Ask"') == 1
    allowed = admin.post("/check", {"definition": DEFINITION, "policy": json.dumps(SEND)}).text
    assert '<a href="#step-Ask" class="node s-allowed"' in allowed


def test_what_a_check_shows_is_there_for_programs(console: Console, admin: Browser) -> None:
    facts = admin.post("/check.json", {"definition": DEFINITION}).json
    assert {each["word"] for each in facts["missing"]} == {"Denied"}
    assert facts["graph"]["steps"]["Ask"]["status"] == "Denied"
    refused = admin.post("/check.json", {"definition": "{"})
    assert (refused.status, bool(refused.json["problem"])) == (400, True)
    assert Browser(console.url).post("/check.json", {"definition": DEFINITION}).status == 401
