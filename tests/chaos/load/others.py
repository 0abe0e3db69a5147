"""What is asked of a cluster beside pipelines: messages, events, objects, sessions."""

import itertools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.chaos.caller import Caller
from tests.chaos.load.crew import Crew
from tests.chaos.load.mailbox import Mailbox, body
from tests.conftest import trusting

GROUPS = ("red", "green", "blue")
_ENDS = {"source": ["aws.sagemaker"], "detail": {"currentPipelineExecutionStatus": ["Succeeded"]}}
_KEPT_SESSIONS = 5


class Messages:
    """A standard queue, and a FIFO queue of groups, each with a sender that goes on after an answer."""

    def __init__(self, caller: Caller) -> None:
        self._plain, self._fifo = Mailbox(caller, "chaos-plain"), Mailbox(caller, "chaos.fifo")
        self._numbers = itertools.count()
        self._next = {group: itertools.count() for group in GROUPS}

    def join(self, crew: Crew) -> None:
        crew.produces(self._send, 0.3)
        crew.consumes(self._receive, 0.1)
        crew.consumes(self._receive_in_order, 0.1)
        crew.consumes(self._receive_in_order, 0.1)
        for group in GROUPS:
            crew.produces(lambda group=group: self._send_in_order(group), 0.3)  # type: ignore[misc]

    def _send(self) -> None:
        self._plain.send(f"m{next(self._numbers)}")

    def _receive(self) -> None:
        self._plain.receive(body)

    def _send_in_order(self, group: str) -> None:
        text = f"{group}-{next(self._next[group])}"
        self._fifo.send(text, MessageGroupId=group, MessageDeduplicationId=text)

    def _receive_in_order(self) -> None:
        self._fifo.receive(body)


class Events:
    """Events of one's own, those of ended executions and one a minute, each by a rule to a queue."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._numbers = caller, itertools.count()
        self._own = self._rule("chaos-events", EventPattern=json.dumps({"source": ["chaos"]}))
        self._ends = self._rule("chaos-ends", EventPattern=json.dumps(_ENDS))
        self._minutes = self._rule("chaos-minutes", ScheduleExpression="rate(1 minute)")

    def join(self, crew: Crew) -> None:
        crew.produces(self._put, 0.3)
        crew.consumes(lambda: self._own.receive(_detail), 0.1)
        crew.consumes(lambda: self._ends.receive(_execution), 0.2)
        crew.consumes(lambda: self._minutes.receive(self._minute), 1.0)

    def _put(self) -> None:
        number = f"e{next(self._numbers)}"
        entry = {"Source": "chaos", "DetailType": "Thing", "Detail": json.dumps({"n": number})}
        answer = self._caller.until_told("events.put_events", Entries=[entry])
        if not answer["FailedEntryCount"]:
            with self._caller.told.lock:
                self._caller.told.sent[self._own.name].add(number)

    def _minute(self, message: Mapping[str, Any]) -> str:
        event = json.loads(message["Body"])
        planned = datetime.fromisoformat(event["time"]).timestamp()
        with self._caller.told.lock:
            self._caller.told.minutes[planned].add(event["id"])
        return str(event["time"])

    def _rule(self, name: str, **when: str) -> Mailbox:
        mailbox = Mailbox(self._caller, name)
        sending = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": mailbox.arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [sending]})
        self._caller.until_told(
            "sqs.set_queue_attributes", QueueUrl=mailbox.url, Attributes={"Policy": policy}
        )
        self._caller.until_told("events.put_rule", Name=name, **when)
        targets = [{"Id": "t", "Arn": mailbox.arn}]
        self._caller.until_told("events.put_targets", Rule=name, Targets=targets)
        return mailbox


class Objects:
    """Objects that are put and read again."""

    BUCKET = "chaos-objects"

    def __init__(self, caller: Caller) -> None:
        self._caller, self._numbers = caller, itertools.count()
        caller.until_told("s3.create_bucket", Bucket=self.BUCKET)

    def join(self, crew: Crew) -> None:
        crew.produces(self._put, 0.5)

    def _put(self) -> None:
        key = f"o{next(self._numbers)}"
        text = key * 1000
        self._caller.until_told("s3.put_object", Bucket=self.BUCKET, Key=key, Body=text.encode())
        with self._caller.told.lock:
            self._caller.told.objects[key] = text

    def read(self, key: str) -> str:
        answer = self._caller.until_told("s3.get_object", Bucket=self.BUCKET, Key=key)
        text: bytes = answer["Body"].read()
        return text.decode()


class Sessions:
    """Sessions of a role: one that was given by a node is known at each, as whose it is."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._numbers = caller, itertools.count()
        self._sessions: list[tuple[str, Caller]] = []
        me = caller.until_told("sts.get_caller_identity")["Arn"]
        trust = trusting("sagemaker.amazonaws.com")
        statement = {**trust["Statement"][0], "Principal": {"AWS": me}}
        made = caller.until_told(
            "iam.create_role",
            RoleName="chaos-visitor",
            AssumeRolePolicyDocument=json.dumps({**trust, "Statement": [statement]}),
        )
        self._role = made["Role"]["Arn"]

    def join(self, crew: Crew) -> None:
        crew.produces(self._visit, 1.0)

    def _visit(self) -> None:
        name = f"v{next(self._numbers)}"
        given = self._caller.until_told("sts.assume_role", RoleArn=self._role, RoleSessionName=name)
        visitor = self._caller.with_keys(given["Credentials"])
        self._sessions = [*self._sessions, (given["AssumedRoleUser"]["Arn"], visitor)][-_KEPT_SESSIONS:]
        for arn, each in self._sessions:
            found = each.until_told("sts.get_caller_identity")["Arn"]
            if found != arn:
                self._caller.told.wrong(f"the session of {arn} is {found}'s")


def _detail(message: Mapping[str, Any]) -> str:
    return str(json.loads(message["Body"])["detail"]["n"])


def _execution(message: Mapping[str, Any]) -> str:
    return str(json.loads(message["Body"])["detail"]["pipelineExecutionArn"])
