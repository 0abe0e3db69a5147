"""Event invoke configs, destinations and dead-letter queues: shape, refusals, effect."""

import json
from functools import partial
from typing import Any

import pytest
from tests.conftest import new_name
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.lambda_.conftest import Workshop

INVALID = "InvalidParameterValueException"
NOT_FOUND = "ResourceNotFoundException"
SEND = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["sqs:SendMessage", "lambda:InvokeFunction"], "Resource": "*"}
    ],
}


class Async:
    """Functions that are invoked asynchronously, with a role that may tell queues and functions."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop, self.client = workshop, workshop.client
        self.sqs = workshop.server.client("sqs")
        self.role = workshop.server.role([SEND], trust="lambda.amazonaws.com")

    def function(self, body: str = "return event", **parameters: Any) -> str:
        return str(self.workshop.create(body, Role=self.role, **parameters))

    def queue(self, **attributes: str) -> tuple[str, str]:
        """URL and ARN."""
        name = new_name("outcomes") + (".fifo" if "FifoQueue" in attributes else "")
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, got["Attributes"]["QueueArn"]

    def put(self, name: str, **parameters: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.client.put_function_event_invoke_config(FunctionName=name, **parameters)
        return made

    def received(self, url: str) -> dict[str, Any]:

        def messages() -> list[dict[str, Any]]:
            got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])
            return list(got.get("Messages", ()))

        return eventually(messages)[0]

    def invoke(self, name: str, event: Any, **more: Any) -> str:
        """The request's id."""
        payload = json.dumps(event).encode()
        answer = self.client.invoke(FunctionName=name, InvocationType="Event", Payload=payload, **more)
        return str(answer["ResponseMetadata"]["RequestId"])


@pytest.fixture(scope="module")
def scene(workshop: Workshop) -> Async:
    return Async(workshop)


def failing(arn: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": arn}}


# shape


def test_a_config_is_kept_for_the_function_and_for_each_version(scene: Async) -> None:
    name = scene.function()
    made = scene.put(name, MaximumRetryAttempts=0)
    assert made["FunctionArn"] == f"{scene.workshop.arn(name)}:$LATEST"
    assert made["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in made
    assert made["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    number = scene.client.publish_version(FunctionName=name)["Version"]
    missing = refusal(
        lambda: scene.client.get_function_event_invoke_config(FunctionName=name, Qualifier=number)
    )
    arn = f"{scene.workshop.arn(name)}:{number}"
    assert missing == (NOT_FOUND, f"The function {arn} doesn't have an EventInvokeConfig")
    scene.put(name, Qualifier=number, MaximumEventAgeInSeconds=120)
    got = scene.client.get_function_event_invoke_config(FunctionName=f"{name}:{number}")
    assert (got["FunctionArn"], got["MaximumEventAgeInSeconds"]) == (arn, 120)
    pages = scene.client.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}
    )
    listed = [each["FunctionArn"] for page in pages for each in page["FunctionEventInvokeConfigs"]]
    assert sorted(listed) == sorted([arn, made["FunctionArn"]])


def test_put_replaces_and_update_changes(scene: Async) -> None:
    name = scene.function()
    scene.put(name, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60)
    changed = scene.client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (0, 60)
    assert "MaximumEventAgeInSeconds" not in scene.put(name, MaximumRetryAttempts=1)


@pytest.mark.parametrize("what", ["config", "function", "alias"])
def test_a_config_goes_with_what_it_is_for(scene: Async, what: str) -> None:
    client, name = scene.client, scene.function()
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    scene.put(name, Qualifier="live", MaximumRetryAttempts=1)
    if what == "config":
        client.delete_function_event_invoke_config(FunctionName=name, Qualifier="live")
    elif what == "alias":
        client.delete_alias(FunctionName=name, Name="live")
    else:
        client.delete_function(FunctionName=name)
    code, sentence = refusal(
        lambda: client.get_function_event_invoke_config(FunctionName=name, Qualifier="live")
    )
    assert (code, sentence[-34:]) == (NOT_FOUND, ":live doesn't have an EventInvokeConfig"[-34:])


def test_a_dead_letter_queue_is_part_of_the_configuration_and_can_be_taken_away(scene: Async) -> None:
    _, arn = scene.queue()
    name = scene.function(DeadLetterConfig={"TargetArn": arn})
    client = scene.client
    assert client.get_function_configuration(FunctionName=name)["DeadLetterConfig"] == {"TargetArn": arn}
    client.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in client.get_function_configuration(FunctionName=name)


# refusals


def test_a_config_says_something_about_a_function_that_is_there(scene: Async) -> None:
    nothing = (INVALID, "You must specify at least one of error handling or destination setting.")
    assert refusal(lambda: scene.put("doesnotexist")) == nothing
    gone = (NOT_FOUND, "The function doesn't exist.")
    assert refusal(lambda: scene.put("doesnotexist", MaximumRetryAttempts=1)) == gone
    name = scene.function()
    assert refusal(lambda: scene.put(name, Qualifier="nowhere", MaximumRetryAttempts=1)) == gone
    assert (
        refusal(
            lambda: scene.client.update_function_event_invoke_config(
                FunctionName=name, MaximumRetryAttempts=1
            )
        )[0]
        == NOT_FOUND
    )
    for beyond in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 59}):
        with pytest.raises(Exception, match="validation"):
            scene.put(name, **beyond)


def test_a_destination_must_be_there_and_another_function(scene: Async) -> None:
    name = scene.function()
    own, nowhere = scene.workshop.arn(name), scene.workshop.arn("doesnotexist")
    itself = (INVALID, "You can't specify the function as a destination for itself.")
    assert refusal(lambda: scene.put(name, DestinationConfig=failing(own))) == itself
    absent = (INVALID, f"The destination ARN {nowhere} is invalid.")
    assert refusal(lambda: scene.put(name, DestinationConfig=failing(nowhere))) == absent
    no_queue = f"arn:aws:sqs:{scene.workshop.server.region}:{scene.workshop.server.account}:nowhere"
    absent = (INVALID, f"The destination ARN {no_queue} is invalid.")
    assert refusal(lambda: scene.put(name, DestinationConfig=failing(no_queue))) == absent
    for far in (
        no_queue.replace(scene.workshop.server.region, "eu-west-1"),
        f"{own.rpartition(':function')[0]}:odd",
    ):
        absent = (INVALID, f"The destination ARN {far} is invalid.")
        assert refusal(partial(scene.put, name, DestinationConfig=failing(far))) == absent
    odd = own.replace(":lambda:", ":iam:")
    sentence = (
        "The provided destination config"
        f" DestinationConfig(onSuccess=null, onFailure=OnFailure(destination={odd})) is invalid."
    )
    assert refusal(lambda: scene.put(name, DestinationConfig=failing(odd))) == (INVALID, sentence)
    topic = own.replace(":lambda:", ":sns:")
    assert (
        "passrole does not support" in refusal(lambda: scene.put(name, DestinationConfig=failing(topic)))[1]
    )


def test_the_functions_role_must_reach_its_destinations(scene: Async) -> None:
    url, arn = scene.queue()
    name, other = str(scene.workshop.create()), scene.workshop.arn(scene.function())
    for operation, target in (("SendMessage", arn), ("InvokeFunction", other)):
        sentence = f"The function's execution role does not have permissions to call {operation} on {target}"
        put = partial(scene.put, name, DestinationConfig=failing(target))
        assert refusal(put) == (INVALID, sentence)
    given = scene.workshop.parameters(DeadLetterConfig={"TargetArn": arn})
    denied = (INVALID, "The provided execution role does not have permissions to call SendMessage on SQS")
    assert refusal(lambda: scene.client.create_function(**given)) == denied
    update = {"FunctionName": name, "DeadLetterConfig": {"TargetArn": arn}}
    assert refusal(lambda: scene.client.update_function_configuration(**update)) == denied
    shown = scene.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert shown["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.parametrize("kind", ["fifo", "nowhere", "topic"])
def test_dead_letters_go_to_a_standard_queue_that_exists(scene: Async, kind: str) -> None:
    _, standard = scene.queue()
    targets = {
        "fifo": lambda: scene.queue(FifoQueue="true")[1],
        "nowhere": lambda: f"{standard}-nowhere",
        "topic": lambda: standard.replace(":sqs:", ":sns:"),
    }
    given = scene.workshop.parameters(Role=scene.role, DeadLetterConfig={"TargetArn": targets[kind]()})
    assert refusal(lambda: scene.client.create_function(**given))[0] == INVALID


@pytest.mark.parametrize("verb", ["put", "update", "get", "delete"])
def test_each_operation_needs_its_own_permission(scene: Async, verb: str) -> None:
    name = scene.function()
    client = scene.workshop.server.client(
        "lambda",
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "lambda:List*", "Resource": "*"}],
        },
    )
    more = {"MaximumRetryAttempts": 1} if verb in ("put", "update") else {}
    call = getattr(client, f"{verb}_function_event_invoke_config")
    code, sentence = refusal(lambda: call(FunctionName=name, **more))
    assert code == "AccessDeniedException"
    assert (
        f"lambda:{verb.capitalize()}FunctionEventInvokeConfig on resource: {scene.workshop.arn(name)}"
        in sentence
    )
    assert client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"] == []


# effect


def test_a_success_is_told_to_a_queue_with_event_and_answer(scene: Async) -> None:
    url, arn = scene.queue()
    name = scene.function("return {'got': event['n']}")
    scene.put(name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    request = scene.invoke(name, {"n": 1})
    told = json.loads(scene.received(url)["Body"])
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "version": "1.0",
        "requestContext": {
            "requestId": request,
            "functionArn": f"{scene.workshop.arn(name)}:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"got": 1},
    }


def test_a_failure_is_told_and_its_event_goes_to_the_dead_letter_queue(scene: Async) -> None:
    (url, arn), (dead_url, dead_arn) = scene.queue(), scene.queue()
    name = scene.function("raise ValueError('no ' + event['what'])", DeadLetterConfig={"TargetArn": dead_arn})
    scene.put(name, MaximumRetryAttempts=0, DestinationConfig=failing(arn))
    request = scene.invoke(name, {"what": "rows"})
    told = json.loads(scene.received(url)["Body"])
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["responseContext"]["functionError"] == "Unhandled"
    assert told["responsePayload"]["errorMessage"] == "no rows"
    letter = scene.received(dead_url)
    assert json.loads(letter["Body"]) == {"what": "rows"}
    assert letter["MessageAttributes"] == {
        "RequestID": {"StringValue": request, "DataType": "String"},
        "ErrorCode": {"StringValue": "200", "DataType": "Number"},
        "ErrorMessage": {"StringValue": "no rows", "DataType": "String"},
    }


def test_another_function_gets_the_record_as_its_event(scene: Async) -> None:
    url, arn = scene.queue()
    after = scene.function()
    scene.put(after, DestinationConfig={"OnSuccess": {"Destination": arn}})
    name = scene.function("return 'done'")
    client = scene.client
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    target = {"OnSuccess": {"Destination": scene.workshop.arn(after)}}
    scene.put(name, Qualifier="live", DestinationConfig=target)
    scene.invoke(name, {}, Qualifier="live")
    inner = json.loads(scene.received(url)["Body"])["requestPayload"]
    assert inner["requestContext"]["functionArn"] == f"{scene.workshop.arn(name)}:live"
    assert inner["responseContext"]["executedVersion"] == "1"
    assert inner["responsePayload"] == "done"
