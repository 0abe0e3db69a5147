"""What functions write is in CloudWatch Logs, as far as their roles may write there."""

import json
from typing import Any

import pytest
from tests.eventually import eventually
from tests.services.lambda_.conftest import Workshop

from passrole.worker.log_delivery import BATCH_BYTES_MAX, batches, events_of

LOGS_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def messages(workshop: Workshop, name: str, until: str) -> list[dict[str, Any]]:
    """The events of a function's group, once one begins with `until`."""
    logs, group = workshop.server.client("logs"), f"/aws/lambda/{name}"

    def found() -> list[dict[str, Any]]:
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return events if any(event["message"].startswith(until) for event in events) else []

    return eventually(found)


@pytest.fixture
def role(workshop: Workshop) -> str:
    made: str = workshop.server.role([LOGS_ROLE], trust="lambda.amazonaws.com")
    return made


def test_the_lines_of_an_invocation_are_there_in_lambda_s_order(workshop: Workshop, role: str) -> None:
    body = "import os; print('one'); print('two'); return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']"
    name = workshop.create(body, Role=role)
    stream = json.load(workshop.client.invoke(FunctionName=name)["Payload"])
    events = messages(workshop, name, "REPORT")
    said = [event["message"] for event in events if "[WARNING]" not in event["message"]]
    assert [line.split(" ")[0] for line in said] == ["START", "one", "two", "END", "REPORT"]
    assert {event["logStreamName"] for event in events} == {stream}
    assert stream[4] == stream[7] == "/" and "/[$LATEST]" in stream
    again = json.load(workshop.client.invoke(FunctionName=name)["Payload"])
    assert again == stream


def test_a_failure_and_bytes_that_are_no_text_are_kept(workshop: Workshop, role: str) -> None:
    body = "import os; os.write(1, b'\\xff\\xfe broken\\n'); raise ValueError('no')"
    name = workshop.create(body, Role=role)
    workshop.client.invoke(FunctionName=name)
    said = [event["message"] for event in messages(workshop, name, "REPORT")]
    assert any("broken" in line for line in said)
    assert any("ValueError" in line for line in said)


def test_a_role_that_may_not_write_logs_has_none_and_its_function_runs(workshop: Workshop) -> None:
    name = workshop.create("print('unheard'); return 1")
    assert json.load(workshop.client.invoke(FunctionName=name)["Payload"]) == 1
    other = workshop.create(
        "print('heard')", Role=workshop.server.role([LOGS_ROLE], trust="lambda.amazonaws.com")
    )
    workshop.client.invoke(FunctionName=other)
    messages(workshop, other, "REPORT")
    groups = workshop.server.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")
    assert [group["logGroupName"] for group in groups["logGroups"]] == []
    audit = (workshop.server.data / "audit.jsonl").read_text().splitlines()
    denied = [json.loads(line) for line in audit if f"/aws/lambda/{name}" in line]
    assert any("logs:PutLogEvents" in json.dumps(line) for line in denied)


def test_a_group_that_somebody_deleted_is_made_again(workshop: Workshop, role: str) -> None:
    name = workshop.create("print(event['n'])", Role=role)
    workshop.client.invoke(FunctionName=name, Payload=b'{"n": "first"}')
    messages(workshop, name, "first")
    workshop.server.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")
    workshop.client.invoke(FunctionName=name, Payload=b'{"n": "second"}')
    said = [event["message"] for event in messages(workshop, name, "second")]
    assert "first" not in said


def test_only_the_start_and_what_came_before_has_the_time_of_the_beginning() -> None:
    log = b"[WARNING] other Python\nSTART RequestId: r Version: $LATEST\n\nx\nEND RequestId: r\n"
    assert [(event["timestamp"], event["message"].split(" ")[0]) for event in events_of(log, 1.0, 2.5)] == [
        (1000, "[WARNING]"),
        (1000, "START"),
        (2500, "x"),
        (2500, "END"),
    ]


def test_batches_are_in_order_and_no_larger_than_is_taken() -> None:
    events = [{"timestamp": 9 - number, "message": "m" * 250_000} for number in range(8)]
    made = batches(events)
    assert [len(batch) for batch in made] == [3, 3, 2]
    assert [event["timestamp"] for batch in made for event in batch] == list(range(2, 10))
    assert all(sum(len(event["message"]) for event in batch) <= BATCH_BYTES_MAX for batch in made)
    assert [len(batch) for batch in batches([{"timestamp": 1, "message": ""}] * 10_001)] == [10_000, 1]


def test_a_line_that_is_too_long_is_cut() -> None:
    (event,) = events_of("é".encode() * 200_000, 0, 0)
    assert len(event["message"].encode()) <= 262_118
