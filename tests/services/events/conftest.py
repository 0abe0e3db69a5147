"""Rules with targets for the tests, made through boto3."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import Server, new_name

EVENTS = "events.amazonaws.com"
PATIENCE_SECONDS = 20.0


class Workshop:
    """Makes rules, queues and buses on a server, and keeps the client of its administrator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = server.client("events")
        self.sqs = server.client("sqs")
        self.source = new_name("team")  # nobody else's events

    def name(self, kind: str) -> str:
        return new_name(kind)

    def rule(self, pattern: Mapping[str, Any] | None = None, **more: Any) -> str:
        """A rule's name; by default it wants every event of this workshop."""
        name = more.pop("Name", None) or self.name("rule")
        wanted = json.dumps({"source": [self.source]} if pattern is None else pattern)
        self.client.put_rule(Name=name, **{"EventPattern": wanted, **more})
        return str(name)

    def rule_arn(self, name: str) -> str:
        return f"arn:aws:events:{self.server.region}:{self.server.account}:rule/{name}"

    def queue(self, *, open_: bool = True, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a queue that EventBridge may send to, or not."""
        suffix = ".fifo" if attributes.get("FifoQueue") else ""
        name = self.name("queue") + suffix
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = f"arn:aws:sqs:{self.server.region}:{self.server.account}:{name}"
        if open_:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": sending(arn)})
        return url, arn

    def leads_to(self, rule: str, arn: str, **more: Any) -> None:
        self.client.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": arn, **more}])

    def put(self, detail: Mapping[str, Any], kind: str = "Thing", **more: Any) -> Any:
        entry = {"Source": self.source, "DetailType": kind, "Detail": json.dumps(detail), **more}
        return self.client.put_events(Entries=[entry])

    def received(self, url: str, wait: int = 10) -> list[dict[str, Any]]:
        """Messages of a queue, with their attributes; none if none comes in time."""
        answer = self.sqs.receive_message(
            QueueUrl=url,
            WaitTimeSeconds=wait,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        return list(answer.get("Messages", ()))

    def body(self, url: str) -> Any:
        """What the one message of a queue says."""
        (message,) = self.received(url)
        return json.loads(message["Body"])


def sending(arn: str, **condition: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        **({"Condition": condition} if condition else {}),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def workshop(server: Server) -> Workshop:
    return Workshop(server)
