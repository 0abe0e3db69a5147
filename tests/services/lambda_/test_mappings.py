"""Event source mappings from SQS: shape, refusals, effect."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.lambda_.conftest import Workshop

from passrole.services.lambda_ import sqs_events

INVALID = "InvalidParameterValueException"
SQS_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
NOTE = """
import json
with open(%r, "a") as file:
    for record in event["Records"]:
        file.write(json.dumps(record) + "\\n")
"""


class Line:
    """A queue whose messages a function may have, and a file in which it can note them."""

    def __init__(self, workshop: Workshop, folder: Any) -> None:
        self.workshop, self.client = workshop, workshop.client
        self.sqs = workshop.server.client("sqs")
        self.notes = folder / "notes"
        self.role = workshop.server.role([SQS_ROLE], trust="lambda.amazonaws.com")

    def queue(self, **attributes: str) -> tuple[str, str]:
        """URL and ARN."""
        name = new_name("line") + (".fifo" if "FifoQueue" in attributes else "")
        url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "3", **attributes})[
            "QueueUrl"
        ]
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, got["Attributes"]["QueueArn"]

    def function(self, body: str = "", **parameters: Any) -> str:
        """A function's name; it notes its records and then does what `body` says."""
        given = {"Role": self.role, "Timeout": 3, **parameters}
        return str(self.workshop.create(NOTE % str(self.notes) + body, **given))

    def map(self, function: str, arn: str, **parameters: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.client.create_event_source_mapping(
            FunctionName=function, EventSourceArn=arn, **parameters
        )
        return made

    def noted(self, count: int) -> list[dict[str, Any]]:
        """The records, once there are so many."""

        def lines() -> list[str]:
            return self.notes.read_text().splitlines() if self.notes.exists() else []

        eventually(lambda: len(lines()) >= count, seen=lines)
        return [json.loads(line) for line in lines()]

    def left(self, url: str) -> int:
        """Messages that are in the queue, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(got[name]) for name in names)

    def emptied(self, url: str) -> None:
        eventually(lambda: not self.left(url))


@pytest.fixture
def line(workshop: Workshop, tmp_path: Any) -> Line:
    return Line(workshop, tmp_path)


def test_a_mapping_is_described_as_it_was_made_until_it_is_deleted(line: Line) -> None:
    _, arn = line.queue()
    function = line.function()
    made = line.map(function, arn, BatchSize=5, ScalingConfig={"MaximumConcurrency": 2})
    uuid = made["UUID"]
    assert made["State"] == "Creating"
    got = line.client.get_event_source_mapping(UUID=uuid)
    assert (got["State"], got["LastProcessingResult"]) == ("Enabled", "No records processed")
    assert (got["EventSourceArn"], got["BatchSize"]) == (arn, 5)
    assert got["FunctionArn"] == line.workshop.arn(function)
    assert got["EventSourceMappingArn"].endswith(f":event-source-mapping:{uuid}")
    assert got["ScalingConfig"] == {"MaximumConcurrency": 2}
    for chosen in ({"FunctionName": function}, {"EventSourceArn": arn}):
        listed = line.client.list_event_source_mappings(**chosen)["EventSourceMappings"]
        assert [each["UUID"] for each in listed] == [uuid]
    assert line.client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Updating"
    assert line.client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    assert line.client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    gone = ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert refusal(lambda: line.client.get_event_source_mapping(UUID=uuid)) == gone
    assert refusal(lambda: line.client.delete_event_source_mapping(UUID=uuid)) == gone
    assert refusal(lambda: line.client.update_event_source_mapping(UUID=uuid)) == gone


def test_mappings_are_listed_in_pages(line: Line) -> None:
    function = line.function()
    made = {line.map(function, line.queue()[1], Enabled=False)["UUID"] for _ in range(3)}
    pages = line.client.get_paginator("list_event_source_mappings").paginate(
        FunctionName=function, PaginationConfig={"PageSize": 2}
    )
    sizes = [[each["UUID"] for each in page["EventSourceMappings"]] for page in pages]
    assert [len(page) for page in sizes] == [2, 1]
    assert {uuid for page in sizes for uuid in page} == made


def test_what_cannot_work_is_refused_before_it_is_made(line: Line, workshop: Workshop) -> None:
    url, arn = line.queue()
    function = line.function()
    code, _ = refusal(lambda: line.map("nobody", arn))
    assert code == "ResourceNotFoundException"
    kinesis = "arn:aws:kinesis:us-east-1:111122223333:stream/s"
    assert refusal(lambda: line.map(function, kinesis))[0] == INVALID
    code, sentence = refusal(lambda: line.map(function, f"{arn}-not-there"))
    assert (code, "AWS.SimpleQueueService.NonExistentQueue" in sentence) == (INVALID, True)
    patient = line.function(Timeout=60)
    assert refusal(lambda: line.map(patient, arn)) == (
        INVALID,
        "Queue visibility timeout: 3 seconds is less than Function timeout: 60 seconds",
    )
    assert refusal(lambda: line.map(function, arn, BatchSize=11))[0] == INVALID
    line.map(function, arn, Enabled=False)
    code, sentence = refusal(lambda: line.map(function, arn))
    assert (code, "mapping already exists" in sentence) == ("ResourceConflictException", True)
    assert line.left(url) == 0


@pytest.mark.parametrize("denied", ["GetQueueAttributes", "ReceiveMessage"])
def test_a_role_that_may_not_receive_is_refused_and_no_message_is_touched(line: Line, denied: str) -> None:
    url, arn = line.queue()
    line.sqs.send_message(QueueUrl=url, MessageBody="untouched")
    statements = [
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Deny", "Action": f"sqs:{denied}", "Resource": "*"},
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    line.role = line.workshop.server.role([policy], trust="lambda.amazonaws.com")
    function = line.function()
    assert refusal(lambda: line.map(function, arn)) == (
        INVALID,
        f"The function execution role does not have permissions to call {denied} on SQS",
    )
    received = line.sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert received[0]["Attributes"]["ApproximateReceiveCount"] == "1"


def test_making_one_can_be_limited_to_a_function(line: Line) -> None:
    _, arn = line.queue()
    allowed, other = line.function(), line.function()
    condition = {"ArnEquals": {"lambda:FunctionArn": line.workshop.arn(allowed)}}
    statement = {
        "Effect": "Allow",
        "Action": "lambda:CreateEventSourceMapping",
        "Resource": "*",
        "Condition": condition,
    }
    client = line.workshop.server.client("lambda", {"Version": "2012-10-17", "Statement": [statement]})
    client.create_event_source_mapping(FunctionName=allowed, EventSourceArn=arn, Enabled=False)
    code, _ = refusal(lambda: client.create_event_source_mapping(FunctionName=other, EventSourceArn=arn))
    assert code == "AccessDeniedException"


@pytest.mark.parametrize("qualifier", ["", ":$LATEST"], ids=["plain", "latest"])
def test_a_denied_function_is_denied_whichever_way_its_mapping_is_named(line: Line, qualifier: str) -> None:
    _, arn = line.queue()
    kept, other = line.function(), line.function()
    uuid = line.map(kept, arn, Enabled=False)["UUID"]
    elsewhere = line.map(other, line.queue()[1], Enabled=False)["UUID"]
    condition = {"ArnEquals": {"lambda:FunctionArn": line.workshop.arn(kept)}}
    deny = {"Effect": "Deny", "Action": "lambda:*", "Resource": "*", "Condition": condition}
    allow = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    client = line.workshop.server.client("lambda", {"Version": "2012-10-17", "Statement": [allow, deny]})
    named = f"{kept}{qualifier}"
    calls: list[Callable[[], Any]] = [
        lambda: client.get_event_source_mapping(UUID=uuid),
        lambda: client.update_event_source_mapping(UUID=uuid, BatchSize=3),
        lambda: client.update_event_source_mapping(UUID=uuid, FunctionName=other),
        lambda: client.update_event_source_mapping(UUID=elsewhere, FunctionName=named),
        lambda: client.delete_event_source_mapping(UUID=uuid),
        lambda: client.create_event_source_mapping(FunctionName=named, EventSourceArn=arn),
    ]
    assert [refusal(call)[0] for call in calls] == ["AccessDeniedException"] * len(calls)
    client.get_event_source_mapping(UUID=elsewhere)


def test_who_is_allowed_for_one_function_may_work_with_its_mappings(line: Line) -> None:
    _, arn = line.queue()
    function = line.function()
    uuid = line.map(function, arn, Enabled=False)["UUID"]
    condition = {"ArnEquals": {"lambda:FunctionArn": line.workshop.arn(function)}}
    allow = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*", "Condition": condition}
    client = line.workshop.server.client("lambda", {"Version": "2012-10-17", "Statement": [allow]})
    client.get_event_source_mapping(UUID=uuid)
    client.update_event_source_mapping(UUID=uuid, BatchSize=3)
    client.delete_event_source_mapping(UUID=uuid)
    assert refusal(lambda: client.get_event_source_mapping(UUID=uuid))[0] == "AccessDeniedException"


def test_an_update_makes_no_second_mapping_of_the_same_pair_and_takes_no_bad_filters(line: Line) -> None:
    _, arn = line.queue()
    first, second = line.function(), line.function()
    line.map(first, arn, Enabled=False)
    uuid = line.map(second, arn, Enabled=False)["UUID"]
    code, _ = refusal(lambda: line.client.update_event_source_mapping(UUID=uuid, FunctionName=first))
    assert code == "ResourceConflictException"
    filters = {"Filters": [{"Pattern": "{}"}]}
    assert refusal(lambda: line.map(first, line.queue()[1], FilterCriteria=filters))[0] == INVALID
    code, _ = refusal(lambda: line.client.update_event_source_mapping(UUID=uuid, FilterCriteria=filters))
    assert code == INVALID


def test_a_mapping_keeps_its_filters_until_they_are_taken_away(line: Line) -> None:
    _, arn = line.queue()
    criteria = {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}
    made = line.map(line.function(), arn, FilterCriteria=criteria, Enabled=False)
    assert made["FilterCriteria"] == criteria
    client, uuid = line.client, made["UUID"]
    client.update_event_source_mapping(UUID=uuid, BatchSize=2)
    assert client.get_event_source_mapping(UUID=uuid)["FilterCriteria"] == criteria
    client.update_event_source_mapping(UUID=uuid, FilterCriteria={"Filters": []})
    assert "FilterCriteria" not in client.get_event_source_mapping(UUID=uuid)


@pytest.mark.parametrize("fifo", [False, True])
def test_a_message_that_no_filter_wants_is_deleted_and_runs_nothing(line: Line, fifo: bool) -> None:
    url, arn = line.queue(**({"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}))
    group = {"MessageGroupId": "g"} if fifo else {}
    criteria = {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}
    line.map(line.function(), arn, FilterCriteria=criteria)
    for body in ('{"kind": "visit"}', "text", '{"kind": "order"}'):
        line.sqs.send_message(QueueUrl=url, MessageBody=body, **group)
    line.emptied(url)
    assert [each["body"] for each in line.noted(1)] == ['{"kind": "order"}']


def test_a_message_runs_with_the_function_as_it_is_when_it_comes(line: Line) -> None:
    url, arn = line.queue()
    function = line.function()
    uuid = line.map(function, arn)["UUID"]
    line.client.update_function_configuration(FunctionName=function, Handler="h.nowhere")
    line.sqs.send_message(QueueUrl=url, MessageBody="m")
    line.workshop.waited(
        lambda: (
            line.client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"]
            == "PROBLEM: Function call failed"
        )
    )
    assert not line.notes.exists()


def test_no_more_batches_run_at_once_than_allowed_though_the_mapping_changes(
    line: Line, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url, arn = line.queue(VisibilityTimeout="30")
    gate = line.notes.with_name("gate")
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.02)"
    uuid = line.map(
        line.function(wait, Timeout=20), arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2}
    )
    for number in range(4):
        line.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    line.noted(2)
    line.client.update_event_source_mapping(UUID=uuid["UUID"], MaximumBatchingWindowInSeconds=0)
    other = tmp_path_factory.mktemp("later")
    later = Line(line.workshop, other)  # when this one has come through, so has a poller that does not count
    later_url, later_arn = later.queue()
    later.map(later.function(), later_arn)
    later.sqs.send_message(QueueUrl=later_url, MessageBody="m")
    later.noted(1)
    assert len(line.noted(2)) == 2
    gate.touch()
    line.emptied(url)
    assert len(line.noted(4)) == 4


def test_messages_reach_the_function_in_aws_s_shape_and_are_deleted_when_it_succeeds(line: Line) -> None:
    url, arn = line.queue()
    uuid = line.map(line.function(), arn)["UUID"]
    attributes = {"kind": {"DataType": "String", "StringValue": "x"}}
    sent = line.sqs.send_message(QueueUrl=url, MessageBody='{"a": 1}', MessageAttributes=attributes)
    (record,) = line.noted(1)
    assert record["messageId"] == sent["MessageId"]
    assert (record["body"], record["md5OfBody"]) == ('{"a": 1}', sent["MD5OfMessageBody"])
    assert record["messageAttributes"]["kind"]["stringValue"] == "x"
    assert record["messageAttributes"]["kind"]["dataType"] == "String"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", arn)
    line.emptied(url)
    line.workshop.waited(
        lambda: line.client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"] == "OK"
    )


def test_a_failed_batch_comes_again_and_at_last_goes_to_the_dead_letter_queue(line: Line) -> None:
    dead_url, dead_arn = line.queue()
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "2"})
    url, arn = line.queue(RedrivePolicy=redrive, VisibilityTimeout="2")
    line.map(line.function("raise ValueError('not yet')", Timeout=1), arn)
    line.sqs.send_message(QueueUrl=url, MessageBody="m")
    counts = [record["attributes"]["ApproximateReceiveCount"] for record in line.noted(2)]
    assert counts == ["1", "2"]
    received = line.sqs.receive_message(QueueUrl=dead_url, WaitTimeSeconds=10)["Messages"]
    assert received[0]["Body"] == "m"
    assert line.left(url) == 0


def test_a_function_may_give_back_some_of_its_messages(line: Line) -> None:
    url, arn = line.queue(VisibilityTimeout="2")
    give_back = (
        "return {'batchItemFailures': [{'itemIdentifier': r['messageId']} for r in event['Records']"
        " if r['body'] == 'bad' and r['attributes']['ApproximateReceiveCount'] == '1']}"
    )
    line.map(line.function(give_back, Timeout=1), arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(("good", "bad"))]
    line.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert sorted(record["body"] for record in line.noted(3)) == ["bad", "bad", "good"]
    line.emptied(url)


def test_a_group_of_a_fifo_queue_stays_in_order_across_failures(line: Line) -> None:
    url, arn = line.queue(FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="2")
    fail_once = (
        "if event['Records'][0]['attributes']['ApproximateReceiveCount'] == '1'"
        " and event['Records'][0]['body'] == 'm0': raise ValueError()"
    )
    line.map(line.function(fail_once, Timeout=1), arn, BatchSize=1)
    for number in range(3):
        line.sqs.send_message(QueueUrl=url, MessageBody=f"m{number}", MessageGroupId="g")
    assert [record["body"] for record in line.noted(4)] == ["m0", "m0", "m1", "m2"]


def test_a_window_gathers_messages_into_one_batch(line: Line) -> None:
    url, arn = line.queue()
    note_size = f"open({str(line.notes) + '-sizes'!r}, 'a').write(str(len(event['Records'])) + '\\n')"
    line.map(line.function(note_size), arn, BatchSize=12, MaximumBatchingWindowInSeconds=2)
    for number in range(12):
        line.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    line.noted(12)
    line.emptied(url)
    assert line.notes.with_name("notes-sizes").read_text() == "12\n"


def test_a_disabled_mapping_leaves_the_messages_and_an_enabled_one_takes_them_up(line: Line) -> None:
    url, arn = line.queue()
    uuid = line.map(line.function(), arn, Enabled=False)["UUID"]
    line.sqs.send_message(QueueUrl=url, MessageBody="waits")
    assert line.left(url) == 1 and not line.notes.exists()
    line.client.update_event_source_mapping(UUID=uuid, Enabled=True)
    assert line.noted(1)[0]["body"] == "waits"


def test_a_role_that_lost_its_permission_is_told_and_works_again_when_it_has_it(line: Line) -> None:
    url, arn = line.queue()
    uuid = line.map(line.function(), arn, Enabled=False)["UUID"]
    iam, role = line.workshop.server.client("iam"), line.role.rpartition("/")[2]
    iam.detach_role_policy(RoleName=role, PolicyArn=SQS_ROLE)
    line.client.update_event_source_mapping(UUID=uuid, Enabled=True)

    def result() -> str:
        return str(line.client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"])

    line.workshop.waited(lambda: result().startswith("PROBLEM: User: arn:aws:sts::"))
    assert "sqs:receivemessage" in result()
    iam.attach_role_policy(RoleName=role, PolicyArn=SQS_ROLE)
    line.sqs.send_message(QueueUrl=url, MessageBody="m")
    assert line.noted(1)[0]["body"] == "m"


def test_a_mapping_works_on_after_a_restart(start_server: Callable[..., Server], tmp_path: Any) -> None:
    server = start_server()
    role = server.role([SQS_ROLE], trust="lambda.amazonaws.com")
    notes = tmp_path / "notes"
    source = (
        f"def handler(event, context):\n    open({str(notes)!r}, 'a').write(event['Records'][0]['body'])\n"
    )
    arn = server.function("noting", source, role)
    url = server.client("sqs").create_queue(QueueName="line")["QueueUrl"]
    server.client("lambda").create_event_source_mapping(
        FunctionName=arn, EventSourceArn=f"arn:aws:sqs:{server.region}:{server.account}:line"
    )
    server.kill()
    server.start()
    server.client("sqs").send_message(QueueUrl=url, MessageBody="after")
    eventually(lambda: notes.exists() and notes.read_text())
    assert notes.read_text() == "after"


MESSAGES = [{"MessageId": "a"}, {"MessageId": "b"}]


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        (b"", ""),
        (b"null", ""),
        (b"{}", ""),
        (b'"text"', ""),
        (b'{"batchItemFailures": null}', ""),
        (b'{"batchItemFailures": []}', ""),
        (b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', "b"),
        (b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}', "ab"),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', "ab"),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', "ab"),
        (b'{"batchItemFailures": [{"other": "b"}]}', "ab"),
        (b'{"batchItemFailures": [{"itemIdentifier": "unknown"}]}', "ab"),
        (b'{"batchItemFailures": [{"itemIdentifier": {"a": 1}}]}', "ab"),
        (b'{"batchItemFailures": "b"}', "ab"),
        (b"no json", "ab"),
    ],
)
def test_an_answer_says_which_messages_failed_and_an_odd_one_that_all_did(
    payload: bytes, failed: str
) -> None:
    assert sqs_events.failed(MESSAGES, payload) == frozenset(failed)


ARN = "arn:aws:sqs:us-east-1:111122223333:q"


def message(number: int, body: str = "b", **more: Any) -> dict[str, Any]:
    return {"MessageId": f"m{number}", "ReceiptHandle": "r", "Body": body, "MD5OfBody": "d", **more}


def test_an_event_holds_no_more_than_an_invocation_takes() -> None:
    messages = [message(number, "x" * 1_000_000) for number in range(14)]
    made = sqs_events.parts(messages, ARN, "us-east-1")
    assert [len(part) for part in made] == [6, 6, 2]
    assert [each for part in made for each in part] == messages
    assert all(len(sqs_events.event(part, ARN, "us-east-1")) <= 6_291_456 for part in made)


def test_a_message_that_was_received_twice_counts_once_with_its_last_receipt() -> None:
    twice = [message(1), message(2), message(1, ReceiptHandle="newer")]
    assert [(each["MessageId"], each["ReceiptHandle"]) for each in sqs_events.newest(twice)] == [
        ("m1", "newer"),
        ("m2", "r"),
    ]


def test_binary_attributes_are_in_base64_and_their_digest_goes_along() -> None:
    attributes = {"raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    given = message(1, MessageAttributes=attributes, MD5OfMessageAttributes="digest")
    (record,) = json.loads(sqs_events.event([given], ARN, "us-east-1"))["Records"]
    assert record["messageAttributes"]["raw"] == {
        "binaryValue": "AP8=",
        "dataType": "Binary",
        "stringListValues": [],
        "binaryListValues": [],
    }
    assert record["md5OfMessageAttributes"] == "digest"


def test_a_message_without_attributes_has_no_digest_of_them() -> None:
    (record,) = json.loads(sqs_events.event([message(1)], ARN, "us-east-1"))["Records"]
    assert record["md5OfMessageAttributes"] is None
