"""A line of the server's log for each call, without anything secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.eventually import eventually

from passrole.api.call_log import without_values

StartServer = Callable[..., Server]
DENY = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}}


def lines_with(server: Server, text: str) -> list[str]:
    log = Path(server.log.name)
    return eventually(
        lambda: [line for line in log.read_text().splitlines() if text in line], seen=log.read_text
    )


def test_a_call_is_a_line_with_who_what_verdict_status_time_and_request_id(server: Server) -> None:
    answer = server.client("sqs").create_queue(QueueName="logged")
    id_ = answer["ResponseMetadata"]["RequestId"]
    (line,) = lines_with(server, id_)
    _, _, level, logger, principal, action, verdict, status, seconds, unit, told = line.split()
    assert (level, logger) == ("INFO", "passrole.calls:")
    assert (principal, action) == (
        f"arn:aws:iam::{server.account}:user/{server.access['user']}",
        "sqs:CreateQueue",
    )
    assert (verdict, status, unit, told) == ("allowed", "200", "ms", id_)
    assert float(seconds) > 0


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    """The request id and the message."""
    with pytest.raises(ClientError) as told:
        call(**parameters)
    return told.value.response["ResponseMetadata"]["RequestId"], told.value.response["Error"]["Message"]


def test_a_denied_call_is_a_warning_with_the_reason(server: Server) -> None:
    id_, message = refusal(server.client("sqs", DENY).create_queue, QueueName="logged")
    (line,) = lines_with(server, id_)
    assert " WARNING passrole.calls: " in line
    assert " sqs:CreateQueue denied 403 " in line
    assert line.endswith(f"{id_}: AccessDenied: {message}")


def test_a_refused_call_is_a_warning_without_the_value_that_it_quotes(server: Server) -> None:
    call = server.client("lambda").get_function
    id_, message = refusal(call, FunctionName="my secret!")
    (line,) = lines_with(server, id_)
    assert "my secret!" in message and "my secret!" not in line
    assert " lambda:GetFunction refused 400 " in line and "ValidationException" in line


def test_a_request_of_nobody_known_is_a_warning_without_its_query(server: Server) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7NOBODY0",
        aws_secret_access_key="hidden",
    )
    id_, _ = refusal(s3.list_objects_v2, Bucket="bucket", Prefix="hidden-prefix")
    (line,) = lines_with(server, id_)
    assert " WARNING passrole.calls: - GET /bucket refused 403 " in line
    assert "InvalidAccessKeyId" in line and "hidden" not in line


def test_json_has_the_parts_of_a_call(start_server: StartServer) -> None:
    server = start_server(log_format="json")
    id_ = server.client("sqs").list_queues()["ResponseMetadata"]["RequestId"]
    denied, message = refusal(server.client("sqs", DENY).list_queues)
    (line,), (other,) = lines_with(server, id_), lines_with(server, denied)
    told, refused = json.loads(line), json.loads(other)
    assert (told["level"], told["logger"], told["action"]) == ("info", "passrole.calls", "sqs:ListQueues")
    assert (told["verdict"], told["status"], told["request_id"]) == ("allowed", 200, id_)
    assert told["duration_ms"] > 0 and told["time"].endswith("+00:00")
    assert (refused["level"], refused["verdict"], refused["status"]) == ("warning", "denied", 403)
    assert refused["reason"] == message


def test_no_calls_are_logged_where_they_are_not_wanted(start_server: StartServer) -> None:
    quiet = start_server(log_calls="false")
    quiet.client("sqs").list_queues()
    refusal(quiet.client("sqs", DENY).list_queues)
    assert "passrole.calls" not in Path(quiet.log.name).read_text()


def test_a_message_loses_the_values_that_it_quotes() -> None:
    message = (
        "2 validation errors detected: Value 'a at \n'' at 'x' failed to satisfy constraint: c; "
        "Value 'b' at 'y' failed to satisfy constraint: d"
    )
    assert without_values(message) == (
        "2 validation errors detected: Value at 'x' failed to satisfy constraint: c; "
        "Value at 'y' failed to satisfy constraint: d"
    )
    assert without_values("bad: " + "Value ' at '" * 100_000) == "bad: Value "
    assert without_values("Value secret for parameter Days is invalid. Reason: r").startswith("Value for par")
    assert without_values("Value for 'MaxAttempts' must be of type Number.").endswith("Number.")
    assert without_values("first\nThe canonical string was GET /?secret") == "first"
