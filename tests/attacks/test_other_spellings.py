"""A resource in other words: what is authorised is what is acted on, and what is elsewhere is not here."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from tests.attacks.conftest import document
from tests.conftest import Server, new_name, zipped
from tests.refusals import refusal

CODE = "def handler(event, context):\n    return 'ran'\n"
OTHER_ACCOUNT = "444455556666"
PATTERN = '{"source":["attack"]}'


def all_but(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return document(
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": action, "Resource": resource, **more},
    )


@pytest.fixture
def rule(server: Server) -> Iterator[str]:
    """The name of a rule on the default bus."""
    events, name = server.client("events"), new_name("rule")
    events.put_rule(Name=name, EventPattern=PATTERN)
    yield name
    for target in events.list_targets_by_rule(Rule=name)["Targets"]:
        events.remove_targets(Rule=name, Ids=[target["Id"]])
    events.delete_rule(Name=name)


@pytest.mark.parametrize(
    "spelled",
    [
        "arn:aws:lambda:{region}:{account}:function:{name}",
        "arn:aws:lambda:{region}:{account}:function:{name}:$LATEST",
        "arn:aws-cn:lambda:{region}:{account}:function:{name}",
        "arn:aws:lambda:eu-west-1:{account}:function:{name}",
        "arn:aws:lambda:{region}:444455556666:function:{name}",
        "arn:aws:lambda:{region}::function:{name}",
        "{account}:function:{name}",
        "function:{name}",
        "{name}",
        "{name}:$LATEST",
    ],
)
def test_a_function_is_tagged_under_the_name_that_is_denied_however_it_is_spelled(
    server: Server, spelled: str
) -> None:
    name = new_name("function")
    arn = server.function(name, CODE, Tags={"a": "1"})
    client = server.client("lambda", user_policy=all_but("lambda:*Tag*", arn))
    meant = spelled.format(region=server.region, account=server.account, name=name)
    for call in (
        partial(client.tag_resource, Resource=meant, Tags={"b": "2"}),
        partial(client.untag_resource, Resource=meant, TagKeys=["a"]),
        partial(client.list_tags, Resource=meant),
    ):
        assert refusal(call)[0] in (
            "AccessDeniedException",
            "ValidationException",
            "ResourceNotFoundException",
        )
    assert server.client("lambda").list_tags(Resource=arn)["Tags"] == {"a": "1"}


FUNCTION_CALLS: Mapping[str, Callable[[Any, str, str], Any]] = {
    "UpdateFunctionCode": lambda client, name, _role: client.update_function_code(
        FunctionName=name, ZipFile=zipped({"main.py": CODE})
    ),
    "UpdateFunctionConfiguration": lambda client, name, _role: client.update_function_configuration(
        FunctionName=name, Description="attacked"
    ),
    "PublishVersion": lambda client, name, _role: client.publish_version(FunctionName=name),
    "ListVersionsByFunction": lambda client, name, _role: client.list_versions_by_function(FunctionName=name),
    "CreateFunction": lambda client, name, role: client.create_function(
        FunctionName=name, Role=role, Runtime="python3.11", Handler="main.handler", Code={"ZipFile": b"x"}
    ),
}


@pytest.mark.parametrize(
    "spelled", ["{name}:$LATEST", "{account}:{name}:$LATEST", "{arn}:$LATEST", "{name}:1", "{arn}"]
)
@pytest.mark.parametrize("call", FUNCTION_CALLS)
def test_what_changes_a_function_is_authorised_on_it_whatever_the_qualifier(
    server: Server, call: str, spelled: str
) -> None:
    name, role = new_name("function"), server.access["lambda_role_arn"]
    arn = server.function(name, CODE)
    meant = spelled.format(name=name, account=server.account, arn=arn)
    client = server.client("lambda", user_policy=all_but("lambda:*", arn))
    code, sentence = refusal(lambda: FUNCTION_CALLS[call](client, meant, role))
    assert code == "AccessDeniedException"
    assert f"on resource: {arn} with an explicit deny" in sentence
    described = server.client("lambda").get_function_configuration(FunctionName=name)
    assert described["Description"] == ""


@pytest.mark.parametrize("name", ["put", "update", "get", "delete"])
def test_what_is_kept_for_latest_is_authorised_on_the_function(server: Server, name: str) -> None:
    function, admin = new_name("function"), server.client("lambda")
    arn = server.function(function, CODE)
    admin.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=1)
    client = server.client("lambda", user_policy=all_but("lambda:*EventInvokeConfig", arn))
    call = getattr(client, f"{name}_function_event_invoke_config")
    given = {"MaximumRetryAttempts": 0} if name in ("put", "update") else {}
    for spelled in ({"FunctionName": function, "Qualifier": "$LATEST"}, {"FunctionName": f"{arn}:$LATEST"}):
        assert refusal(partial(call, **spelled, **given))[0] == "AccessDeniedException"
    assert admin.get_function_event_invoke_config(FunctionName=function)["MaximumRetryAttempts"] == 1


def test_a_function_s_tags_and_role_are_given_to_the_function_whatever_the_qualifier(server: Server) -> None:
    name, role = new_name("function"), server.access["lambda_role_arn"]
    arn = f"arn:aws:lambda:{server.region}:{server.account}:function:{name}"
    condition = {"ArnEquals": {"iam:AssociatedResourceArn": arn}}
    for deny in (all_but("lambda:TagResource", arn), all_but("iam:PassRole", "*", Condition=condition)):
        client = server.client("lambda", user_policy=deny)
        create = partial(
            client.create_function,
            FunctionName=f"{name}:$LATEST",
            Role=role,
            Runtime="python3.11",
            Handler="main.handler",
            Code={"ZipFile": zipped({"main.py": CODE})},
            Tags={"a": "1"},
        )
        assert refusal(create)[0] == "AccessDeniedException"


@pytest.mark.parametrize(
    "spelled",
    [
        "arn:aws:events:{region}:{account}:rule/{name}",
        "arn:aws:events:{region}:{account}:rule/default/{name}",
        "arn:aws-cn:events:{region}:{account}:rule/{name}",
        "arn:aws:events:eu-west-1:{account}:rule/{name}",
        "arn:aws:events:{region}:444455556666:rule/{name}",
        "arn:aws:events:::rule/{name}",
    ],
)
def test_a_rule_is_tagged_under_the_name_that_is_denied_however_it_is_spelled(
    server: Server, rule: str, spelled: str
) -> None:
    arn = f"arn:aws:events:{server.region}:{server.account}:rule/{rule}"
    server.client("events").tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}])
    client = server.client("events", user_policy=all_but("events:*Tag*", arn))
    meant = spelled.format(region=server.region, account=server.account, name=rule)
    for call in (
        partial(client.tag_resource, ResourceARN=meant, Tags=[{"Key": "b", "Value": "2"}]),
        partial(client.untag_resource, ResourceARN=meant, TagKeys=["a"]),
        partial(client.list_tags_for_resource, ResourceARN=meant),
    ):
        assert refusal(call)[0] in (
            "AccessDeniedException",
            "ValidationException",
            "ResourceNotFoundException",
        )
    kept = server.client("events").list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert kept == [{"Key": "a", "Value": "1"}]


def test_a_rule_of_the_default_bus_is_tagged_by_either_spelling(server: Server, rule: str) -> None:
    events = server.client("events")
    long = f"arn:aws:events:{server.region}:{server.account}:rule/default/{rule}"
    events.tag_resource(ResourceARN=long, Tags=[{"Key": "a", "Value": "1"}])
    short = long.replace("/default", "")
    assert events.list_tags_for_resource(ResourceARN=short)["Tags"] == [{"Key": "a", "Value": "1"}]


RULE_CALLS: Mapping[str, Callable[[Any, str, str], Any]] = {
    "PutRule": lambda events, rule, bus: events.put_rule(Name=rule, EventPattern=PATTERN, EventBusName=bus),
    "DescribeRule": lambda events, rule, bus: events.describe_rule(Name=rule, EventBusName=bus),
    "DisableRule": lambda events, rule, bus: events.disable_rule(Name=rule, EventBusName=bus),
    "EnableRule": lambda events, rule, bus: events.enable_rule(Name=rule, EventBusName=bus),
    "DeleteRule": lambda events, rule, bus: events.delete_rule(Name=rule, EventBusName=bus),
    "PutTargets": lambda events, rule, bus: events.put_targets(
        Rule=rule, EventBusName=bus, Targets=[{"Id": "t", "Arn": "arn:aws:sqs:us-east-1:111122223333:q"}]
    ),
    "RemoveTargets": lambda events, rule, bus: events.remove_targets(Rule=rule, EventBusName=bus, Ids=["t"]),
    "ListTargetsByRule": lambda events, rule, bus: events.list_targets_by_rule(Rule=rule, EventBusName=bus),
    "ListRules": lambda events, _rule, bus: events.list_rules(EventBusName=bus),
    "ListRuleNamesByTarget": lambda events, _rule, bus: events.list_rule_names_by_target(
        TargetArn="arn:aws:sqs:us-east-1:111122223333:q", EventBusName=bus
    ),
    "DescribeEventBus": lambda events, _rule, bus: events.describe_event_bus(Name=bus),
    "PutEvents": lambda events, _rule, bus: events.put_events(
        Entries=[{"Source": "attack", "DetailType": "d", "Detail": "{}", "EventBusName": bus}]
    ),
}


@pytest.mark.parametrize("call", RULE_CALLS)
def test_another_accounts_bus_is_not_the_local_one(server: Server, rule: str, call: str) -> None:
    bus = f"arn:aws:events:{server.region}:{OTHER_ACCOUNT}:event-bus/default"
    code, sentence = refusal(lambda: RULE_CALLS[call](server.client("events"), rule, bus))
    if call in ("ListRules", "ListRuleNamesByTarget"):  # authorised on `*`
        assert code == "ResourceNotFoundException"
    else:
        resource = (
            bus
            if call in ("PutEvents", "DescribeEventBus")
            else bus.replace("event-bus/default", "rule/" + rule)
        )
        assert code == "AccessDeniedException"
        assert f"events:{call} on resource: {resource} because no resource-based policy allows" in sentence
    assert server.client("events").describe_rule(Name=rule)["State"] == "ENABLED"


@pytest.mark.parametrize(
    "bus",
    [
        "arn:aws-cn:events:{region}:{account}:event-bus/default",
        "arn:aws:events:eu-west-1:{account}:event-bus/default",
        "arn:aws:sqs:{region}:{account}:event-bus/default",
        "arn:aws:events:{region}:{account}:bus/event-bus/default",
        "x:event-bus/default",
    ],
)
@pytest.mark.parametrize("call", RULE_CALLS)
def test_a_bus_in_another_partition_or_region_is_no_bus(
    server: Server, rule: str, call: str, bus: str
) -> None:
    named = bus.format(region=server.region, account=server.account)
    code, _ = refusal(lambda: RULE_CALLS[call](server.client("events"), rule, named))
    assert code == "ValidationException"
    assert server.client("events").describe_rule(Name=rule)["State"] == "ENABLED"


def test_one_event_for_another_accounts_bus_has_none_put(server: Server) -> None:
    entry = {"Source": "attack", "DetailType": "d", "Detail": "{}"}
    theirs = f"arn:aws:events:{server.region}:{OTHER_ACCOUNT}:event-bus/default"
    call = partial(server.client("events").put_events, Entries=[entry, {**entry, "EventBusName": theirs}])
    assert refusal(call)[0] == "AccessDeniedException"


def test_the_own_bus_goes_by_name_and_by_arn(server: Server, rule: str) -> None:
    events = server.client("events")
    arn = f"arn:aws:events:{server.region}:{server.account}:event-bus/default"
    assert events.describe_rule(Name=rule, EventBusName=arn)["EventBusName"] == "default"
    entry = {"Source": "attack", "DetailType": "d", "Detail": "{}", "EventBusName": arn}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.mark.parametrize("members", ["Arn", "DeadLetterConfig"])
def test_a_target_in_another_partition_is_refused(server: Server, rule: str, members: str) -> None:
    queue = f"arn:aws:sqs:{server.region}:{server.account}:q"
    other = queue.replace("arn:aws:", "arn:aws-cn:")
    target = {"Id": "t", "Arn": queue, "DeadLetterConfig": {"Arn": queue}}
    target |= {"Arn": other} if members == "Arn" else {"DeadLetterConfig": {"Arn": other}}
    put = partial(server.client("events").put_targets, Rule=rule, Targets=[target])
    assert refusal(put)[0] == "ValidationException"


def test_a_target_in_another_account_does_not_start_the_local_pipeline(server: Server, rule: str) -> None:
    name, sqs, events = new_name("pipeline"), server.client("sqs"), server.client("events")
    steps = [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "started"}}]
    server.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        RoleArn=server.access["role_arn"],
        ClientRequestToken=name.ljust(32, "-"),
    )
    lost = sqs.create_queue(QueueName=new_name("lost"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=lost, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bury = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    policy = document({**bury, "Principal": {"Service": "events.amazonaws.com"}})
    sqs.set_queue_attributes(QueueUrl=lost, Attributes={"Policy": json.dumps(policy)})
    role = server.role(
        [document({"Effect": "Allow", "Action": "*", "Resource": "*"})], "events.amazonaws.com"
    )
    theirs = f"arn:aws:sagemaker:{server.region}:{OTHER_ACCOUNT}:pipeline/{name}"
    target = {"Id": "t", "Arn": theirs, "RoleArn": role, "DeadLetterConfig": {"Arn": arn}}
    events.put_targets(Rule=rule, Targets=[target])
    events.put_events(Entries=[{"Source": "attack", "DetailType": "d", "Detail": "{}"}])
    found = sqs.receive_message(QueueUrl=lost, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
    assert found[0]["MessageAttributes"]["TARGET_ARN"]["StringValue"] == theirs
    started = server.client("sagemaker").list_pipeline_executions(PipelineName=name)
    assert started["PipelineExecutionSummaries"] == []


def test_a_dead_letter_queue_and_an_event_source_in_another_partition_are_not_the_local_ones(
    server: Server,
) -> None:
    sqs, name = server.client("sqs"), new_name("queue")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws-cn:sqs:{server.region}:{server.account}:{name}"
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    set_ = partial(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    assert "Dead letter target does not exist." in refusal(set_)[1]

    function = new_name("function")
    role = server.role(
        [document({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})], "lambda.amazonaws.com"
    )
    server.function(function, CODE, role)
    client = server.client("lambda")
    create = partial(client.create_event_source_mapping, FunctionName=function)
    assert refusal(lambda: create(EventSourceArn=arn))[0] == "InvalidParameterValueException"
    made = create(EventSourceArn=arn.replace("aws-cn", "aws"))
    client.delete_event_source_mapping(UUID=made["UUID"])


def test_mappings_of_another_region_are_not_the_local_ones(server: Server) -> None:
    arn = f"arn:aws:lambda:eu-west-1:{server.account}:function:f"
    listed = partial(server.client("lambda").list_event_source_mappings, FunctionName=arn)
    assert refusal(listed)[0] == "ResourceNotFoundException"


def test_a_qualifier_is_no_way_to_another_functions_versions(server: Server) -> None:
    name = new_name("function")
    server.function(name, CODE)
    for qualifier in ("1:2", "a/b"):
        get = partial(server.client("lambda").get_function, FunctionName=name, Qualifier=qualifier)
        assert refusal(get)[0] == "ValidationException"


def test_the_source_of_a_copy_is_judged_by_what_it_means(server: Server) -> None:
    s3, bucket = server.client("s3"), new_name("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="secret", Body=b"s")
    condition = {"StringLike": {"s3:x-amz-copy-source": f"{bucket}/secret*"}}
    denied = server.client("s3", user_policy=all_but("s3:PutObject", "*", Condition=condition))
    for source in (f"{bucket}/secret", f"/{bucket}/secret"):
        copy = partial(denied.copy_object, Bucket=bucket, Key="k", CopySource=source)
        assert refusal(copy)[0] == "AccessDenied"


def test_with_another_endpoint_a_copy_is_of_the_object_that_was_decided_on(near: Any) -> None:
    s3 = near.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="a%62", Body=b"open")
    s3.put_object(Bucket="data", Key="a%2562", Body=b"secret")
    reader = near.client("s3", user_policy=all_but("s3:GetObject", "arn:aws:s3:::data/a%2562"))
    reader.copy_object(Bucket="data", Key="copy", CopySource={"Bucket": "data", "Key": "a%62"})
    assert s3.get_object(Bucket="data", Key="copy")["Body"].read() == b"open"
    upload = reader.create_multipart_upload(Bucket="data", Key="parts")["UploadId"]
    part = reader.upload_part_copy(
        Bucket="data",
        Key="parts",
        UploadId=upload,
        PartNumber=1,
        CopySource={"Bucket": "data", "Key": "a%62"},
    )["CopyPartResult"]
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    reader.complete_multipart_upload(Bucket="data", Key="parts", UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(Bucket="data", Key="parts")["Body"].read() == b"open"
