"""The log as JSON: each line is an object that says what it is about, and has nothing secret."""

import http.client
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.refusals import refusal

from passrole.log_format import JsonLines, about

HOSTILE = 'x\n{"level": "info"}\r\x1b[2J\x85\u2028\x00'
SECRET = "hunter2-of-nobody"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("json") / "data", log_format="json", log_level="debug")
    yield running
    running.stop()


def lines(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(server.log.name).read_text().splitlines()]


def formatted(message: str, *arguments: Any, **members: Any) -> dict[str, Any]:
    record = logging.LogRecord("passrole", 40, "f", 1, message, arguments, None)
    vars(record).update(members)
    line = JsonLines().format(record)
    assert line.isprintable()
    found: dict[str, Any] = json.loads(line)
    assert list(found)[:4] == ["time", "level", "logger", "message"]
    return found


def test_a_line_says_which_request_and_execution_it_is_about() -> None:
    with about(request_id="r-1"), about(execution="arn:e"):
        found = formatted("m")
    assert (found["request_id"], found["execution"]) == ("r-1", "arn:e")
    assert "request_id" not in formatted("m")


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (HOSTILE, ()),
        ("%s of %s", (HOSTILE, HOSTILE)),
        ("half of a pair: %s", ("\ud800",)),
        ("%(number)d", ({"number": 2**70},)),
        ("%d is no number", ("x",)),
        ("too few %s %s", ("x",)),
        ("%(name)s", ({"name": b"\xff", "time": "forged", "level": "forged", "message": "forged"},)),
    ],
)
def test_whatever_is_logged_is_one_object(message: str, arguments: tuple[Any, ...]) -> None:
    assert formatted(message, *arguments)["level"] == "error"


def test_what_python_would_print_by_itself_is_logged() -> None:
    program = (
        "import logging, threading, warnings\n"
        "from passrole.log_format import JsonLines, catch_all\n"
        "handler = logging.StreamHandler()\n"
        "handler.setFormatter(JsonLines())\n"
        "logging.basicConfig(handlers=[handler])\n"
        "catch_all()\n"
        "warnings.warn('old')\n"
        "thread = threading.Thread(target=lambda: 1 / 0)\n"
        "thread.start()\n"
        "thread.join()\n"
        "class Bad:\n"
        "    def __del__(self): raise ValueError('gone')\n"
        "bad = Bad()\n"
        "del bad\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [each["level"] for each in told] == ["warning", "error", "error"]
    assert "ZeroDivisionError" in told[1]["traceback"] and "gone" in told[2]["traceback"]


def test_nothing_that_callers_send_makes_a_line_that_is_no_object_or_tells_a_secret(server: Server) -> None:
    before = len(lines(server))
    for method, path, headers in _hostile():
        _ask(server, method, path, headers)
    refusal(server.client("sagemaker").describe_pipeline, PipelineName=new_name("none"))
    refusal(server.client_with("events", server.access["access_key_id"], SECRET).list_rules)
    secret = server.client("iam").create_access_key(UserName=server.access["user"])["AccessKey"]
    server.client("sqs").create_queue(QueueName=new_name("q"), tags={"t": SECRET})
    found = eventually(lambda: lines(server)[before:])
    text = Path(server.log.name).read_text()
    assert SECRET not in text
    assert secret["SecretAccessKey"] not in text
    assert server.access["secret_access_key"] not in text
    assert all(each.keys() >= {"time", "level", "logger", "message"} for each in found)
    of_calls = [each for each in found if each["logger"] == "passrole.calls"]
    assert len(of_calls) >= 8
    assert all(each["request_id"] for each in of_calls)


def test_what_the_worker_does_for_an_execution_names_it(server: Server) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [statement]}])
    queue = server.client("sqs").create_queue(QueueName=new_name("sagemaker-q"))["QueueUrl"]
    step = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker, name = server.client("sagemaker"), new_name("pipeline")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]

    def told() -> set[str | None]:
        return {each.get("action") for each in lines(server) if each.get("execution") == arn}

    eventually(lambda: {"sts:AssumeRole", "sqs:SendMessage"} <= told())
    token = json.loads(server.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"])["token"]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    assert token not in Path(server.log.name).read_text()


def _hostile() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Requests that are refused, each with the secret where a secret would be."""
    scope = "AKIAIOSFODNN7EXAMPLE/20260131/us-east-1/s3/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={SECRET}"
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote(scope, '')}&X-Amz-Signature={SECRET}"
    yield "GET", f"/bucket/key?{query}&X-Amz-Security-Token={SECRET}", {}
    yield "GET", f"/bucket/key?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature={SECRET}&Expires=1", {}
    yield "GET", "/", {"Authorization": signed, "X-Amz-Security-Token": SECRET}
    yield "GET", "/", {"Authorization": f"Bearer {SECRET}"}
    yield "POST", "/%0a%0d%1b%5b2J%ff%ed%a0%80", {"Authorization": signed}
    yield "GET", f"/_passrole/job-credentials/{SECRET}", {"Authorization": SECRET}
    yield "BREW", "/%00", {"Authorization": signed, "X-Amz-Target": f"SageMaker.{quote(HOSTILE)}"}


def _ask(server: Server, method: str, path: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    connection.request(method, path, headers=headers)
    connection.getresponse().read()
    connection.close()
