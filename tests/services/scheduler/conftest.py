"""Schedules for the tests, made through boto3."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import Server, new_name, trusting
from tests.eventually import eventually
from tests.policies import allowing

SCHEDULER = "scheduler.amazonaws.com"
OFF = {"Mode": "OFF"}


class Workshop:
    """Makes schedules, queues and roles on a server, and keeps the client of its administrator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = server.client("scheduler")
        self.sqs = server.client("sqs")
        self.role = self.role_that(allowing("sqs:SendMessage"))

    def role_that(self, *policies: Mapping[str, Any], **condition: Any) -> str:
        """A role that EventBridge Scheduler may assume, on a condition if one is given."""
        arn = self.server.role([dict(policy) for policy in policies], SCHEDULER)
        if condition:
            trust = trusting(SCHEDULER)
            trust["Statement"][0]["Condition"] = condition
            document = json.dumps(trust)
            self.server.client("iam").update_assume_role_policy(
                RoleName=arn.rpartition("/")[2], PolicyDocument=document
            )
        return arn

    def queue(self, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a queue without a policy: roles may send there, EventBridge itself may not."""
        name = new_name("queue") + (".fifo" if attributes.get("FifoQueue") else "")
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{self.server.region}:{self.server.account}:{name}"

    def arn(self, name: str, group: str = "default") -> str:
        return f"arn:aws:scheduler:{self.server.region}:{self.server.account}:schedule/{group}/{name}"

    def group_arn(self, group: str) -> str:
        return f"arn:aws:scheduler:{self.server.region}:{self.server.account}:schedule-group/{group}"

    def request(self, name: str, target: str, **more: Any) -> dict[str, Any]:
        """CreateSchedule's and UpdateSchedule's request; `target` is an ARN."""
        members = {"Arn": target, "RoleArn": self.role, **more.pop("Target", {})}
        return {
            "Name": name,
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": OFF,
            "Target": members,
            **more,
        }

    def schedule(self, target: str, **more: Any) -> str:
        """The name of a schedule that runs at once, and then every hour."""
        name = new_name("schedule")
        self.client.create_schedule(**self.request(name, target, **more))
        return name

    def messages(self, url: str, count: int = 1) -> list[dict[str, Any]]:
        """So many messages of a queue, with their attributes."""
        found: list[dict[str, Any]] = []

        def received() -> list[dict[str, Any]] | None:
            answer = self.sqs.receive_message(
                QueueUrl=url,
                WaitTimeSeconds=1,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                AttributeNames=["All"],
            )
            found.extend(answer.get("Messages", ()))
            return found if len(found) >= count else None

        return eventually(received)

    def body(self, url: str) -> Any:
        """What the one message of a queue says."""
        (message,) = self.messages(url)
        return json.loads(message["Body"])


@pytest.fixture(scope="module")
def workshop(server: Server) -> Workshop:
    return Workshop(server)
