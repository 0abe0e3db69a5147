"""SQS as boto3 sees it: the server's answers pass its parser, and IAM stands before every operation."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.refusals import refusal_with_status

WORD = {"DataType": "String", "StringValue": "Bar"}


@pytest.fixture
def client(server: Server) -> Any:
    return server.client("sqs")


def fresh(client: Any, *, fifo: bool = False, **attributes: str) -> str:
    """The URL of a queue that no other test knows."""
    name = new_name("boto")
    if fifo:
        name, attributes = f"{name}.fifo", {"FifoQueue": "true", **attributes}
    url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def test_shape_of_a_messages_life(client: Any) -> None:
    url = fresh(client)
    binary = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    sent = client.send_message(
        QueueUrl=url, MessageBody="ä & <b>", MessageAttributes={"Foo": WORD, "Pic": binary}
    )
    asked = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
    (message,) = client.receive_message(QueueUrl=url, **asked)["Messages"]
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "ä & <b>"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == {"Foo": WORD, "Pic": binary}
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    client.change_message_visibility(**handle, VisibilityTimeout=60)
    client.delete_message(**handle)
    assert "Messages" not in client.receive_message(QueueUrl=url)


def test_shape_of_the_batches(client: Any) -> None:
    url = fresh(client)
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(3)]
    assert len(client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 3
    messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    handles = [{"Id": m["Body"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages]
    changes = [{**handle, "VisibilityTimeout": 60} for handle in handles]
    changed = client.change_message_visibility_batch(QueueUrl=url, Entries=changes)
    assert [told["Id"] for told in changed["Successful"]] == ["0", "1", "2"]
    bad = {"Id": "x", "ReceiptHandle": "garbage"}
    answer = client.delete_message_batch(QueueUrl=url, Entries=[*handles, bad])
    assert [told["Id"] for told in answer["Successful"]] == ["0", "1", "2"]
    assert [(told["Id"], told["Code"]) for told in answer["Failed"]] == [("x", "ReceiptHandleIsInvalid")]


def test_shape_of_a_queues_life(client: Any, server: Server) -> None:
    url = fresh(client, VisibilityTimeout="5")
    name = url.rsplit("/", 1)[1]
    assert client.get_queue_url(QueueName=name)["QueueUrl"] == url
    assert client.list_queues(QueueNamePrefix=name)["QueueUrls"][0] == url
    client.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "1"})
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("5", "1")
    assert found["QueueArn"] == f"arn:aws:sqs:{server.region}:{server.account}:{name}"
    client.tag_queue(QueueUrl=url, Tags={"team": "ml"})
    assert client.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "ml"}
    client.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert "Tags" not in client.list_queue_tags(QueueUrl=url)
    client.purge_queue(QueueUrl=url)
    client.delete_queue(QueueUrl=url)


def test_shape_of_the_dead_letter_sources(client: Any) -> None:
    dead = fresh(client)
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = fresh(client, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1}))
    assert client.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]


def test_shape_of_a_fifo_queue(client: Any) -> None:
    url = fresh(client, fifo=True)
    sent = client.send_message(QueueUrl=url, MessageBody="a", MessageGroupId="g", MessageDeduplicationId="d")
    (message,) = client.receive_message(QueueUrl=url, AttributeNames=["SequenceNumber"])["Messages"]
    assert message["Attributes"] == {"SequenceNumber": sent["SequenceNumber"]}


def test_a_long_poll_ends_as_soon_as_there_is_something(client: Any) -> None:
    url = fresh(client)
    client.send_message(QueueUrl=url, MessageBody="a")
    assert client.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]


NONE = "http://127.0.0.1:1/{account}/none"


@pytest.mark.parametrize(
    "act, code, message, status",
    [
        (
            lambda client, url, none: client.send_message(QueueUrl=none, MessageBody="a"),
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
            400,
        ),
        (
            lambda client, url, none: client.receive_message(QueueUrl=url, MaxNumberOfMessages=11),
            "InvalidParameterValue",
            "Value 11 for parameter MaxNumberOfMessages is invalid."
            " Reason: Must be between 1 and 10, if provided.",
            400,
        ),
        (
            lambda client, url, none: client.send_message(QueueUrl=url, MessageBody=""),
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
            400,
        ),
        (
            lambda client, url, none: [client.purge_queue(QueueUrl=url) for _ in range(2)],
            "AWS.SimpleQueueService.PurgeQueueInProgress",
            "Only one PurgeQueue operation on {name} is allowed every 60 seconds.",
            403,
        ),
        (
            lambda client, url, none: client.delete_message_batch(QueueUrl=url, Entries=[]),
            "AWS.SimpleQueueService.EmptyBatchRequest",
            "There should be at least one DeleteMessageBatchRequestEntry in the request.",
            400,
        ),
    ],
)
def test_refusals_carry_the_codes_that_clients_have_always_known(
    client: Any, server: Server, act: Any, code: str, message: str, status: int
) -> None:
    url = fresh(client)
    name = url.rsplit("/", 1)[1]
    refusal = refusal_with_status(lambda: act(client, url, NONE.format(account=server.account)))
    assert refusal == (status, code, message.format(name=name))


def test_the_exception_has_the_modelled_class(client: Any, server: Server) -> None:
    with pytest.raises(client.exceptions.QueueDoesNotExist):
        client.purge_queue(QueueUrl=NONE.format(account=server.account))


def statement(action: str, resource: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}],
    }


def test_a_user_does_what_the_policy_allows_and_no_more(client: Any, server: Server) -> None:
    url = fresh(client)
    arn = f"arn:aws:sqs:{server.region}:{server.account}:{url.rsplit('/', 1)[1]}"
    sender = server.client("sqs", user_policy=statement("sqs:SendMessage", arn))
    sender.send_message(QueueUrl=url, MessageBody="a")
    sender.send_message_batch(QueueUrl=url, Entries=[{"Id": "b", "MessageBody": "b"}])
    status, code, message = refusal_with_status(lambda: sender.receive_message(QueueUrl=url))
    assert (code, status) == ("AccessDenied", 403)
    assert f"is not authorized to perform: sqs:receivemessage on resource: {arn}" in message
    other = fresh(client)
    assert (
        refusal_with_status(lambda: sender.send_message(QueueUrl=other, MessageBody="a"))[1] == "AccessDenied"
    )
    assert client.get_queue_attributes(QueueUrl=other, AttributeNames=["ApproximateNumberOfMessages"])[
        "Attributes"
    ] == {"ApproximateNumberOfMessages": "0"}


def test_whoever_is_refused_does_not_learn_whether_the_queue_exists(server: Server) -> None:
    nobody = server.client("sqs", user_policy=statement("sqs:ListQueues", "*"))
    none = NONE.format(account=server.account)
    assert (
        refusal_with_status(lambda: nobody.send_message(QueueUrl=none, MessageBody="a"))[1] == "AccessDenied"
    )


def test_a_queues_own_policy_lets_a_user_in(client: Any, server: Server) -> None:
    url = fresh(client)
    arn = f"arn:aws:sqs:{server.region}:{server.account}:{url.rsplit('/', 1)[1]}"
    guest = server.client("sqs", user_policy=statement("sqs:ListQueues", "*"))
    assert refusal_with_status(lambda: guest.send_message(QueueUrl=url, MessageBody="a"))[1] == "AccessDenied"
    policy = statement("sqs:SendMessage", arn)
    policy["Statement"][0]["Principal"] = "*"
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    guest.send_message(QueueUrl=url, MessageBody="a")
    assert client.receive_message(QueueUrl=url)["Messages"]


def test_to_create_with_tags_needs_two_permissions(server: Server) -> None:
    creator = server.client("sqs", user_policy=statement("sqs:CreateQueue", "*"))
    name = new_name("boto")
    tagged = {"QueueName": name, "tags": {"team": "ml"}}
    _, code, message = refusal_with_status(lambda: creator.create_queue(**tagged))
    assert code == "AccessDenied"
    assert "sqs:tagqueue" in message
    creator.create_queue(QueueName=name)


def test_shape_of_permissions(client: Any) -> None:
    url = fresh(client)
    client.add_permission(QueueUrl=url, Label="l", AWSAccountIds=["999999999999"], Actions=["SendMessage"])
    told = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(told)["Statement"][0]["Sid"] == "l"
    client.remove_permission(QueueUrl=url, Label="l")
    assert "Attributes" not in client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])


def test_an_error_has_its_name_in_json_beside_the_older_code(client: Any) -> None:
    url = fresh(client)
    with pytest.raises(ClientError) as caught:
        client.receive_message(QueueUrl=url, MaxNumberOfMessages=11)
    error: Any = caught.value.response["Error"]
    assert (error["Code"], error["QueryErrorCode"], error["Type"]) == (
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "Sender",
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_queue_is_called_at_its_own_url(client: Any, server: Server, method: str) -> None:
    url = fresh(client)
    for action in ("SendMessage&MessageBody=a", "ReceiveMessage"):
        request = AWSRequest(method, f"{url}?Action={action}&Version=2012-11-05")
        keys = Credentials(server.access["access_key_id"], server.access["secret_access_key"])
        SigV4Auth(keys, "sqs", server.region).add_auth(request)
        answer = urllib3.request(method, str(request.url), headers=dict(request.headers.items()))
        assert answer.status == 200, answer.data
    assert b"<Body>a</Body>" in answer.data


def test_a_client_that_closes_its_connection_takes_no_message(client: Any, server: Server) -> None:
    """It waits when it closes: a server that reads a request says so to who expects it."""
    url = fresh(client)
    request = AWSRequest("GET", f"{url}?Action=ReceiveMessage&WaitTimeSeconds=20&Version=2012-11-05")
    keys = Credentials(server.access["access_key_id"], server.access["secret_access_key"])
    SigV4Auth(keys, "sqs", server.region).add_auth(request)
    place = urlsplit(str(request.url))
    connection = http.client.HTTPConnection(place.netloc)
    headers = {**dict(request.headers.items()), "Expect": "100-continue"}
    connection.request("GET", f"{place.path}?{place.query}", headers=headers)
    assert connection.sock.recv(1_000).startswith(b"HTTP/1.1 100 ")
    connection.close()
    client.send_message(QueueUrl=url, MessageBody="a")
    assert "Messages" in client.receive_message(QueueUrl=url, WaitTimeSeconds=5)


def test_a_queue_is_named_by_the_public_url_and_meant_by_any(start_server: Callable[..., Server]) -> None:
    server = start_server(public_url="http://balancer.example:8080")
    client, path = server.client("sqs"), f"/{server.account}/jobs"
    url = client.create_queue(QueueName="jobs")["QueueUrl"]
    assert url == f"http://balancer.example:8080{path}"
    assert client.get_queue_url(QueueName="jobs")["QueueUrl"] == url
    assert client.list_queues()["QueueUrls"] == [url]
    for each in (url, f"{server.url}{path}", f"http://10.0.0.22:4566{path}"):
        client.send_message(QueueUrl=each, MessageBody=each)
        (message,) = client.receive_message(QueueUrl=each)["Messages"]
        assert message["Body"] == each
        client.delete_message(QueueUrl=each, ReceiptHandle=message["ReceiptHandle"])
