"""The server of a test session: reset, environment, what it leaves behind."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.eventually import eventually
from tests.testing.pipelines import callback, pipeline

from passrole.testing import Server
from passrole.testing.server_thread import ServerThread


def _left() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("passrole")]


def test_a_reset_removes_everything_and_keeps_clients_good(passrole: Server) -> None:
    queue_url = passrole.queue(name="sagemaker-answers")
    passrole.bucket(name="models", files={"a.txt": "x"})
    passrole.role(name="mine")
    passrole.function("def handler(event, context): return 1", name="sagemaker-f")
    execution = passrole.start(pipeline(callback("Ask", queue_url))).step("Ask").waits()
    passrole.reset()
    assert passrole.client("sqs").list_queues().get("QueueUrls", []) == []
    assert passrole.client("s3").list_buckets()["Buckets"] == []
    assert passrole.client("lambda").list_functions()["Functions"] == []
    assert passrole.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
    assert "mine" not in [role["RoleName"] for role in passrole.client("iam").list_roles()["Roles"]]
    with pytest.raises(AssertionError, match="a reset removes all"):
        assert execution.status


def test_a_reset_ends_a_function_that_runs(passrole: Server) -> None:
    """Its process is killed, so that it cannot act in the next test."""
    function = passrole.function(
        """
        import time
        def handler(event, context):
            while True:
                time.sleep(0.01)
        """,
        Timeout=60,
    )
    before = _children()
    passrole.client("lambda").invoke(FunctionName=function, InvocationType="Event")
    eventually(lambda: _children() - before)
    passrole.reset()
    assert _children() <= before


def _children() -> set[str]:
    """The processes that this one has started and that run."""
    lists = Path("/proc/self/task").glob("*/children")
    return {pid for each in lists for pid in each.read_text().split()}


def test_boto3_reaches_the_server_without_any_setting(passrole: Server) -> None:
    assert boto3.client("sts").get_caller_identity()["Account"] == passrole.access.account


def test_a_role_of_a_test_may_do_what_it_was_allowed_and_no_more(passrole: Server) -> None:
    role = passrole.role(allow=["sqs:ListQueues"], deny=["sqs:CreateQueue"])
    sqs = passrole.client("sqs", role=role)
    sqs.list_queues()
    with pytest.raises(ClientError, match="with an explicit deny"):
        sqs.create_queue(QueueName="q")


def test_a_function_runs_and_its_messages_are_read(passrole: Server) -> None:
    queue_url = passrole.queue()
    sender = passrole.role(trust="lambda.amazonaws.com", allow=["sqs:SendMessage"])
    function = passrole.function(
        """
        import boto3
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody='{"score": 0.9}')
            return {"sent": 1}
        """,
        role=sender,
        Timeout=30,
    )
    step = {
        "Name": "Tell",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": {"queue": queue_url},
        "OutputParameters": [{"OutputName": "sent", "OutputType": "Integer"}],
    }
    execution = passrole.run(pipeline(step)).succeeded()
    assert execution.step("Tell").outputs == {"sent": "1"}
    assert passrole.messages(queue_url) == [{"score": 0.9}]


def test_a_server_of_its_own_leaves_nothing_behind() -> None:
    before, threads = dict(os.environ), _left()
    with Server(region="eu-west-1") as server:
        folder = server._thread.config.data.parent
        assert boto3.client("sts").meta.region_name == "eu-west-1"
        server.queue()
        assert folder.is_dir()
    assert not folder.exists()
    assert dict(os.environ) == before
    assert _left() == threads


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_behind() -> None:
    threads = _left()
    with pytest.raises(Exception, match="no_such_bootstrap"):
        Server(lambda_bootstrap="no_such_bootstrap").open()
    assert _left() == threads


def test_it_works_with_unittest_and_without_pytest(tmp_path: Path) -> None:
    script = tmp_path / "test_mine.py"
    script.write_text(_UNITTEST)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", "-v", "test_mine"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "OK" in ran.stderr and "ran 2 tests" in ran.stderr.lower()
    assert "pytest" not in ran.stdout


def test_the_thread_of_a_server_ends_with_it() -> None:
    assert ServerThread.__doc__ is not None
    with Server():
        assert "passrole-testing" in _left()


_UNITTEST = """
import sys, unittest
from passrole.testing import Server

class MyPipeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.passrole = cls.enterClassContext(Server())

    def setUp(self):
        self.passrole.reset()

    def test_one(self):
        self.assertEqual(self.passrole.bucket(), "sagemaker-bucket-1")
        print([name for name in sys.modules if name == "pytest"])

    def test_two(self):
        self.assertEqual(self.passrole.bucket(), "sagemaker-bucket-1")
"""
