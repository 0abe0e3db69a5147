"""Every operation of CloudWatch Logs through boto3: shape, refusals, effect, permission."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name

NO_GROUP = "ResourceNotFoundException.*The specified log group does not exist."
NO_STREAM = "ResourceNotFoundException.*The specified log stream does not exist."


class Logs:
    """A group with one stream, and what is put there."""

    def __init__(self, server: Server) -> None:
        self.client = server.client("logs")
        self.group, self.stream = new_name("/test/group"), "one"
        self.client.create_log_group(logGroupName=self.group)
        self.client.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
        self.named = {"logGroupName": self.group, "logStreamName": self.stream}
        self.now = int(time.time() * 1000)

    def put(self, *messages: str, stream: str = "one", at: int | None = None) -> dict[str, Any]:
        """A batch, a millisecond apart and the last now unless told otherwise."""
        start = self.now - len(messages) if at is None else at
        events = [{"timestamp": start + n, "message": text} for n, text in enumerate(messages)]
        answer: dict[str, Any] = self.client.put_log_events(
            logGroupName=self.group, logStreamName=stream, logEvents=events
        )
        return answer

    def got(self, **options: Any) -> tuple[list[str], dict[str, Any]]:
        answer = self.client.get_log_events(**self.named, **options)
        return [event["message"] for event in answer["events"]], answer

    def filtered(self, **options: Any) -> list[str]:
        pages = self.client.get_paginator("filter_log_events").paginate(logGroupName=self.group, **options)
        return [event["message"] for page in pages for event in page["events"]]


@pytest.fixture
def logs(server: Server) -> Logs:
    return Logs(server)


def test_a_group_is_described_as_aws_does_and_gone_when_deleted(logs: Logs) -> None:
    (group,) = logs.client.describe_log_groups(logGroupNamePrefix=logs.group + "")["logGroups"][:1]
    assert group["logGroupName"] == logs.group
    assert group["arn"].endswith(f":log-group:{logs.group}:*")
    assert group["logGroupArn"].endswith(f":log-group:{logs.group}")
    logs.put("x")
    logs.client.delete_log_group(logGroupName=logs.group)
    logs.client.create_log_group(logGroupName=logs.group)
    assert logs.client.describe_log_streams(logGroupName=logs.group)["logStreams"] == []
    assert logs.filtered() == []


def test_what_is_there_cannot_be_created_again(logs: Logs) -> None:
    with pytest.raises(ClientError, match=r"AlreadyExists.*The specified log group already exists"):
        logs.client.create_log_group(logGroupName=logs.group)
    with pytest.raises(ClientError, match=r"AlreadyExists.*The specified log stream already exists"):
        logs.client.create_log_stream(**logs.named)


@pytest.mark.parametrize(
    "operation, more",
    [
        ("delete_log_group", {}),
        ("put_retention_policy", {"retentionInDays": 1}),
        ("delete_retention_policy", {}),
        ("create_log_stream", {"logStreamName": "s"}),
        ("delete_log_stream", {"logStreamName": "s"}),
        ("describe_log_streams", {}),
        ("put_log_events", {"logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]}),
        ("get_log_events", {"logStreamName": "s"}),
        ("filter_log_events", {}),
    ],
)
def test_a_group_that_is_not_there_is_refused(
    server: Server, operation: str, more: Mapping[str, Any]
) -> None:
    with pytest.raises(ClientError, match=NO_GROUP):
        getattr(server.client("logs"), operation)(logGroupName="nowhere", **more)


@pytest.mark.parametrize(
    "operation, more",
    [
        ("delete_log_stream", {"logStreamName": "s"}),
        ("put_log_events", {"logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]}),
        ("get_log_events", {"logStreamName": "s"}),
        ("filter_log_events", {"logStreamNames": ["s"]}),
    ],
)
def test_a_stream_that_is_not_there_is_refused(logs: Logs, operation: str, more: Mapping[str, Any]) -> None:
    with pytest.raises(ClientError, match=NO_STREAM):
        getattr(logs.client, operation)(logGroupName=logs.group, **more)


def test_groups_and_streams_are_paged(logs: Logs) -> None:
    for name in ("two", "three"):
        logs.client.create_log_stream(logGroupName=logs.group, logStreamName=name)
    logs.put("x", stream="two")
    pages = logs.client.get_paginator("describe_log_streams").paginate
    small = {"PaginationConfig": {"PageSize": 2}}
    for options, names in (
        ({}, ["one", "three", "two"]),
        ({"descending": True}, ["two", "three", "one"]),
        ({"orderBy": "LastEventTime", "descending": True}, ["two", "three", "one"]),
        ({"logStreamNamePrefix": "t"}, ["three", "two"]),
    ):
        shown = [s for page in pages(logGroupName=logs.group, **small, **options) for s in page["logStreams"]]
        assert [stream["logStreamName"] for stream in shown] == names
    names = [f"{logs.group}/{n}" for n in range(3)]
    for name in names:
        logs.client.create_log_group(logGroupName=name)
    groups = logs.client.get_paginator("describe_log_groups").paginate
    shown = [g for page in groups(logGroupNamePrefix=f"{logs.group}/", **small) for g in page["logGroups"]]
    assert [group["logGroupName"] for group in shown] == names


@pytest.mark.parametrize("operation", ["describe_log_groups", "describe_log_streams"])
def test_a_token_that_no_list_gave_is_refused(logs: Logs, operation: str) -> None:
    given = {"logGroupName": logs.group} if operation == "describe_log_streams" else {}
    with pytest.raises(ClientError, match=r"InvalidParameterException.*nextToken is invalid"):
        getattr(logs.client, operation)(nextToken="one", **given)


def test_a_deleted_stream_takes_its_events_along(logs: Logs) -> None:
    logs.put("gone")
    logs.client.delete_log_stream(**logs.named)
    logs.client.create_log_stream(**logs.named)
    assert logs.got()[0] == []


def test_events_are_read_forward_until_the_token_stays(logs: Logs) -> None:
    logs.put("a", "b", "c")
    first, answer = logs.got(startFromHead=True, limit=2)
    rest, answer = logs.got(nextToken=answer["nextForwardToken"], limit=2)
    none, last = logs.got(nextToken=answer["nextForwardToken"])
    assert (first, rest, none) == (["a", "b"], ["c"], [])
    assert last["nextForwardToken"] == answer["nextForwardToken"]
    logs.put("d", at=logs.now)
    assert logs.got(nextToken=last["nextForwardToken"])[0] == ["d"]


def test_the_newest_page_comes_first_and_tokens_lead_back(logs: Logs) -> None:
    logs.put("a", "b", "c")
    newest, answer = logs.got(limit=2)
    oldest, answer = logs.got(nextToken=answer["nextBackwardToken"], limit=2)
    none, last = logs.got(nextToken=answer["nextBackwardToken"])
    assert (newest, oldest, none) == (["b", "c"], ["a"], [])
    assert logs.got(nextToken=last["nextForwardToken"])[0] == ["a", "b", "c"]


def test_times_bound_what_is_read(logs: Logs) -> None:
    logs.put("a", "b", "c", at=logs.now - 10)
    span = {"startTime": logs.now - 9, "endTime": logs.now - 8}
    assert logs.got(**span)[0] == ["b"]  # its end is not in it
    assert logs.filtered(**span) == ["b", "c"]  # its end is


@pytest.mark.parametrize("token", ["x", "f/1", "f/a/b", "f/1/2/3", "g/1/2"])
def test_a_token_that_we_never_gave_is_refused(logs: Logs, token: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterException.*nextToken is invalid"):
        logs.got(nextToken=token)


@pytest.mark.parametrize(
    "pattern, found",
    [
        ("", ["an ERROR here", "a WARN there", "all is well"]),
        ("ERROR", ["an ERROR here"]),
        ("error", []),
        ('"WARN there"', ["a WARN there"]),
        ("a -ERROR", ["a WARN there", "all is well"]),
        ("?ERROR ?WARN", ["an ERROR here", "a WARN there"]),
        ('"a.*"', []),
    ],
)
def test_a_pattern_finds_its_messages_in_every_stream(logs: Logs, pattern: str, found: list[str]) -> None:
    logs.client.create_log_stream(logGroupName=logs.group, logStreamName="two")
    logs.put("an ERROR here", at=logs.now - 30)
    logs.put("a WARN there", "all is well", stream="two", at=logs.now - 20)
    assert logs.filtered(filterPattern=pattern, PaginationConfig={"PageSize": 1}) == found


def test_streams_can_be_chosen(logs: Logs) -> None:
    logs.client.create_log_stream(logGroupName=logs.group, logStreamName="two")
    logs.put("x")
    logs.put("y", stream="two")
    assert logs.filtered(logStreamNames=["two"]) == logs.filtered(logStreamNamePrefix="t") == ["y"]


@pytest.mark.parametrize("pattern", ["{ $.a = 1 }", "[a, b]", "%a+%", '"open', "-", "a.b"])
def test_other_patterns_are_refused(logs: Logs, pattern: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.filtered(filterPattern=pattern)


@pytest.mark.parametrize(
    "messages, words",
    [
        ([(2, "late"), (1, "early")], "chronological order"),
        ([(0, "a"), (86_400_001, "b")], "24 hours"),
        ([(0, "x" * 262_144)], "too large"),
        ([(0, "x" * 250_000)] * 5, "Upload too large"),
    ],
)
def test_a_batch_that_cannot_be_taken_is_refused(
    logs: Logs, messages: list[tuple[int, str]], words: str
) -> None:
    events = [{"timestamp": logs.now - 90_000_000 + at, "message": text} for at, text in messages]
    with pytest.raises(ClientError, match=f"InvalidParameterException.*{words}"):
        logs.client.put_log_events(**logs.named, logEvents=events)


def test_events_too_old_or_too_new_are_left_out_and_said(logs: Logs) -> None:
    day = 86_400_000
    assert "rejectedLogEventsInfo" not in logs.put("now")
    old = logs.put("old", at=logs.now - 15 * day)
    new = logs.put("new", at=logs.now + day // 8)
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    assert logs.got()[0] == ["now"]


def test_retention_hides_what_has_expired(logs: Logs) -> None:
    logs.put("yesterday", at=logs.now - 90_000_000)
    logs.put("today")
    logs.client.put_retention_policy(logGroupName=logs.group, retentionInDays=1)
    assert logs.got()[0] == logs.filtered() == ["today"]
    expired = logs.put("yesterday", at=logs.now - 90_000_000)["rejectedLogEventsInfo"]
    assert expired == {"expiredLogEventEndIndex": 1}
    shown = logs.client.describe_log_groups(logGroupNamePrefix=logs.group)["logGroups"][0]
    assert shown["retentionInDays"] == 1
    logs.client.delete_retention_policy(logGroupName=logs.group)
    shown = logs.client.describe_log_groups(logGroupNamePrefix=logs.group)["logGroups"][0]
    assert "retentionInDays" not in shown
    with pytest.raises(ClientError, match=r"InvalidParameterException.*Valid values"):
        logs.client.put_retention_policy(logGroupName=logs.group, retentionInDays=2)


def test_a_group_is_authorised_with_what_stands_behind_its_name(server: Server, logs: Logs) -> None:
    where = f"arn:aws:logs:{server.region}:{server.account}:log-group:{logs.group}"
    for resource, allowed in ((f"{where}:*", True), (where, False)):
        statement = {"Effect": "Allow", "Action": "logs:*", "Resource": resource}
        client = server.client("logs", {"Version": "2012-10-17", "Statement": [statement]})
        if allowed:
            client.put_log_events(**logs.named, logEvents=[{"timestamp": logs.now, "message": "m"}])
            client.filter_log_events(logGroupName=logs.group)
            continue
        with pytest.raises(ClientError, match=r"AccessDeniedException.*logs:GetLogEvents"):
            client.get_log_events(**logs.named)


def test_resource_policies_come_and_go(logs: Logs) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "logs:PutLogEvents",
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    put = logs.client.put_resource_policy(policyName="events", policyDocument=document)["resourcePolicy"]
    assert (put["policyName"], put["policyDocument"]) == ("events", document)
    assert put in logs.client.describe_resource_policies()["resourcePolicies"]
    logs.client.delete_resource_policy(policyName="events")
    assert put not in logs.client.describe_resource_policies()["resourcePolicies"]


def test_resource_policies_are_refused_where_they_cannot_be(logs: Logs, server: Server) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterException.*invalid Json"):
        logs.client.put_resource_policy(policyName="bad", policyDocument="{")
    with pytest.raises(ClientError, match=r"InvalidParameterException.*invalid Json"):
        logs.client.put_resource_policy(policyName="bad", policyDocument='{"Statement": 1, "Statement": 2}')
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*\[none\] does not exist"):
        logs.client.delete_resource_policy(policyName="none")
    other = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    nobody = server.client("logs", {"Version": "2012-10-17", "Statement": [other]})
    for call, asked in (
        (nobody.put_resource_policy, {"policyName": "a", "policyDocument": "{}"}),
        (nobody.describe_resource_policies, {}),
        (nobody.delete_resource_policy, {"policyName": "a"}),
    ):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            call(**asked)


def test_resource_policies_are_judged_one_by_one(logs: Logs, server: Server) -> None:
    """Two may have the same Sid, and the version of one says nothing about another's variables."""
    user = server.user({"Version": "2012-10-17", "Statement": [_allow("s3:ListBucket", "*")]})
    arn = f"arn:aws:iam::{server.account}:user/{user['user']}"
    group = f"arn:aws:logs:{server.region}:{server.account}:log-group:{logs.named['logGroupName']}"
    writer = server.client_with("logs", user["access_key_id"], user["secret_access_key"])
    written = {**logs.named, "logEvents": [{"timestamp": int(time.time() * 1000), "message": "m"}]}
    service = {**_allow("logs:PutLogEvents", "*"), "Principal": {"Service": "events.amazonaws.com"}}
    own = {**_allow("logs:PutLogEvents", f"{group}:*"), "Principal": {"AWS": arn}}
    none = {"StringEquals": {"aws:username": "${aws:username}"}}
    for name, version, statement in (
        ("a", "2012-10-17", {**service, "Sid": "same"}),
        ("b", "2008-10-17", {**own, "Sid": "same", "Condition": none}),  # not a variable in this version
    ):
        document = json.dumps({"Version": version, "Statement": [statement]})
        logs.client.put_resource_policy(policyName=name, policyDocument=document)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        writer.put_log_events(**written)
    document = json.dumps({"Version": "2012-10-17", "Statement": {**own, "Sid": "same", "Condition": none}})
    logs.client.put_resource_policy(policyName="c", policyDocument=document)
    writer.put_log_events(**written)
    for name in "abc":
        logs.client.delete_resource_policy(policyName=name)


def _allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}
