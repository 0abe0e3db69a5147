"""What an operation asks beside its own action: on which resource, and with which policies."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.refusals import refusal

TAGS = [{"Key": "team", "Value": "ml"}]
Statement = Mapping[str, Any]


def fresh(prefix: str = "further") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def policy(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, resource: str | Sequence[str] = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def denial(call: Callable[[], object]) -> str:
    """The denial's message."""
    code, message = refusal(call)
    assert code in ("AccessDenied", "AccessDeniedException"), (code, message)
    return message


def bucket_with(server: Server, *statements: Statement) -> str:
    """A bucket with a policy, whose statements may name its objects as `{objects}`."""
    s3, name = server.client("s3"), fresh()
    s3.create_bucket(Bucket=name)
    if statements:
        text = json.dumps(policy(*statements)).replace("{objects}", f"arn:aws:s3:::{name}/*")
        s3.put_bucket_policy(Bucket=name, Policy=text)
    return name


def everyone(effect: str, *actions: str) -> Statement:
    return {"Effect": effect, "Principal": "*", "Action": list(actions), "Resource": "{objects}"}


WRITES: list[Callable[[Any, str], object]] = [
    lambda s3, bucket: s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=ml"),
    lambda s3, bucket: s3.create_multipart_upload(Bucket=bucket, Key="k", Tagging="team=ml"),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_buckets_policy_decides_about_tags_too(server: Server, write: Callable[[Any, str], object]) -> None:
    denied = bucket_with(server, everyone("Deny", "s3:PutObjectTagging"))
    allowed = bucket_with(server, everyone("Allow", "s3:PutObject", "s3:PutObjectTagging"))
    halved = bucket_with(server, everyone("Allow", "s3:PutObject"))
    everything, nothing = (server.client("s3", policy(allow(action))) for action in ("*", "sqs:ListQueues"))
    told = denial(partial(write, everything, denied))
    assert "s3:PutObjectTagging" in told
    assert "explicit deny in a resource-based policy" in told
    write(nothing, allowed)
    assert "s3:PutObjectTagging" in denial(partial(write, nothing, halved))


def copy(s3: Any, source: str, key: str, destination: str, **more: Any) -> object:
    named = {"Bucket": source, "Key": key}
    return s3.copy_object(Bucket=destination, Key="copy", CopySource=named, **more)


def test_a_copy_asks_for_the_tags_that_it_copies(server: Server) -> None:
    admin = server.client("s3")
    source, destination = bucket_with(server), bucket_with(server)
    admin.put_object(Bucket=source, Key="tagged", Body=b"x", Tagging="team=ml")
    admin.put_object(Bucket=source, Key="plain", Body=b"x")
    reading, writing = allow("s3:GetObject", "s3:ListBucket"), allow("s3:PutObject")
    plain = server.client("s3", policy(reading, writing))
    copy(plain, source, "plain", destination)
    copy(plain, source, "tagged", destination, TaggingDirective="REPLACE")
    told = denial(partial(copy, plain, source, "tagged", destination))
    assert f'"arn:aws:s3:::{source}/tagged"' in told
    assert "s3:GetObjectTagging" in told
    reader = server.client("s3", policy(reading, writing, allow("s3:GetObjectTagging")))
    told = denial(partial(copy, reader, source, "tagged", destination))
    assert f'"arn:aws:s3:::{destination}/copy"' in told
    assert "s3:PutObjectTagging" in told
    tagger = server.client(
        "s3", policy(reading, writing, allow("s3:GetObjectTagging", "s3:PutObjectTagging"))
    )
    copy(tagger, source, "tagged", destination)
    assert admin.get_object_tagging(Bucket=destination, Key="copy")["TagSet"] == TAGS


def test_a_copy_asks_with_the_policy_of_its_source(server: Server) -> None:
    source = bucket_with(server, everyone("Deny", "s3:GetObjectTagging"))
    destination = bucket_with(server)
    server.client("s3").put_object(Bucket=source, Key="tagged", Body=b"x", Tagging="team=ml")
    everything = server.client("s3", policy(allow("*")))
    told = denial(partial(copy, everything, source, "tagged", destination))
    assert "s3:GetObjectTagging" in told
    assert "explicit deny in a resource-based policy" in told


def test_who_may_not_read_a_copys_source_learns_nothing_of_its_tags(server: Server) -> None:
    source, destination = bucket_with(server), bucket_with(server)
    for key, tagging in (("tagged", "team=ml"), ("plain", "")):
        server.client("s3").put_object(Bucket=source, Key=key, Body=b"x", Tagging=tagging)
    client = server.client("s3", policy(allow("s3:PutObject", "s3:PutObjectTagging")))
    told = [denial(partial(copy, client, source, key, destination)) for key in ("tagged", "plain")]
    assert told[0].replace("tagged", "plain") == told[1]


CONTROLLING: list[tuple[Sequence[str], str, Callable[[Any, str], object]]] = [
    # what the call asks for without an ACL, what the ACL asks for, the call with one
    (
        ("s3:PutObject",),
        "s3:PutObjectAcl",
        lambda s3, bucket: s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control"),
    ),
    (
        ("s3:PutObject",),
        "s3:PutObjectAcl",
        lambda s3, bucket: s3.create_multipart_upload(Bucket=bucket, Key="k", ACL="private"),
    ),
    (
        ("s3:PutObject", "s3:GetObject"),
        "s3:PutObjectAcl",
        lambda s3, bucket: copy(s3, bucket, "plain", bucket, ACL="private"),
    ),
    (
        ("s3:PutObject", "s3:GetObject*", "s3:PutObjectTagging"),
        "s3:PutObjectAcl",
        lambda s3, bucket: copy(s3, bucket, "tagged", bucket, ACL="private"),
    ),
    (
        ("s3:CreateBucket",),
        "s3:PutBucketOwnershipControls",
        lambda s3, _: s3.create_bucket(Bucket=fresh(), ObjectOwnership="BucketOwnerEnforced"),
    ),
]


@pytest.mark.parametrize("plain, controlling, call", CONTROLLING)
def test_an_acl_and_the_ownership_of_objects_ask_for_their_own_permissions(
    server: Server, plain: Sequence[str], controlling: str, call: Callable[[Any, str], object]
) -> None:
    bucket = bucket_with(server)
    for key, tagging in (("tagged", "team=ml"), ("plain", "")):
        server.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x", Tagging=tagging)
    assert controlling in denial(partial(call, server.client("s3", policy(allow(*plain))), bucket))
    call(server.client("s3", policy(allow(*plain, controlling))), bucket)


def test_an_acl_that_a_bucket_refuses_is_refused_to_those_alone_who_may_set_one(server: Server) -> None:
    creating = server.client("s3", policy(allow("s3:CreateBucket")))
    assert "s3:PutBucketAcl" in denial(lambda: creating.create_bucket(Bucket=fresh(), ACL="public-read"))
    creating.create_bucket(Bucket=fresh(), ACL="private")


def test_a_buckets_policy_decides_about_acls_too(server: Server) -> None:
    denied = bucket_with(server, everyone("Deny", "s3:PutObjectAcl"))
    s3 = server.client("s3", policy(allow("*")))
    told = denial(lambda: s3.put_object(Bucket=denied, Key="k", Body=b"x", ACL="private"))
    assert "explicit deny in a resource-based policy" in told
    s3.put_object(Bucket=denied, Key="k", Body=b"x")


TAGGING: list[tuple[str, str, str, Callable[[Any], object]]] = [
    # service, the action that creates, the one that tags, a call that does both
    (
        "events",
        "events:CreateEventBus",
        "events:TagResource",
        lambda c: c.create_event_bus(Name=fresh(), Tags=TAGS),
    ),
    (
        "events",
        "events:PutRule",
        "events:TagResource",
        lambda c: c.put_rule(Name=fresh(), EventPattern='{"source":["a"]}', Tags=TAGS),
    ),
    (
        "sqs",
        "sqs:CreateQueue",
        "sqs:TagQueue",
        lambda c: c.create_queue(QueueName=fresh(), tags={"team": "ml"}),
    ),
    (
        "iam",
        "iam:CreateInstanceProfile",
        "iam:TagInstanceProfile",
        lambda c: c.create_instance_profile(InstanceProfileName=fresh(), Tags=TAGS),
    ),
]


@pytest.mark.parametrize("service, creating, tagging, call", TAGGING, ids=[case[1] for case in TAGGING])
def test_creating_with_tags_asks_for_tagging(
    server: Server, service: str, creating: str, tagging: str, call: Callable[[Any], object]
) -> None:
    told = denial(partial(call, server.client(service, policy(allow(creating)))))
    assert tagging.lower() in told.lower()
    call(server.client(service, policy(allow(creating, tagging))))


def test_a_log_stream_is_created_on_its_own_arn(server: Server) -> None:
    admin, group = server.client("logs"), f"/{fresh()}"
    admin.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{server.region}:{server.account}:log-group:{group}:log-stream:mine"
    client = server.client("logs", policy(allow("logs:CreateLogStream", resource=arn)))
    client.create_log_stream(logGroupName=group, logStreamName="mine")
    told = denial(partial(client.create_log_stream, logGroupName=group, logStreamName="yours"))
    assert f"log-group:{group}:log-stream:yours" in told


@pytest.mark.parametrize(
    "spelt", ["the-bucket/the-source", "/the-bucket/the-source", "the-bucket/%74he-source"]
)
def test_a_copys_source_is_authorised_as_it_is_read(world: Any, spelt: str) -> None:
    asked = world.asked("s3", "copy_object", bucket="the-bucket", key="k", copy_source=spelt)
    assert asked.own.context["s3:x-amz-copy-source"] == "the-bucket/the-source"
    assert [(each.action, each.resource) for each in asked.further] == [
        ("s3:GetObject", "arn:aws:s3:::the-bucket/the-source"),
        ("s3:GetObjectTagging", "arn:aws:s3:::the-bucket/the-source"),
        ("s3:PutObjectTagging", "arn:aws:s3:::the-bucket/k"),
    ]


def test_a_functions_calls_carry_its_arn(server: Server) -> None:
    name = fresh()
    source = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    sqs = boto3.client('sqs', endpoint_url=os.environ.get('AWS_ENDPOINT_URL'))\n"
        "    try:\n"
        "        sqs.list_queues()\n"
        "    except sqs.exceptions.ClientError as error:\n"
        "        return error.response['Error']['Code']\n"
        "    return 'fine'\n"
    )
    arn = f"arn:aws:lambda:{server.region}:{server.account}:function:{name}"
    outcomes: list[str] = []
    for wanted in (arn, f"{arn}x"):
        carried = {"ArnEquals": {"lambda:SourceFunctionArn": wanted}}
        deny = {"Effect": "Deny", "Action": ["sqs:ListQueues"], "Resource": "*", "Condition": carried}
        role = server.role([policy(allow("*"), deny)], trust="lambda.amazonaws.com")
        lambda_ = server.client("lambda")
        if outcomes:
            lambda_.update_function_configuration(FunctionName=name, Role=role)
        else:
            server.function(name, source, role=role)
        outcomes.append(json.loads(lambda_.invoke(FunctionName=name)["Payload"].read()))
    assert outcomes == ["AccessDenied", "fine"]


def test_a_functions_log_is_stored_by_calls_that_carry_its_arn(server: Server) -> None:
    name = fresh()
    arn = f"arn:aws:lambda:{server.region}:{server.account}:function:{name}"
    carried = {"ArnEquals": {"lambda:SourceFunctionArn": arn}}
    role = server.role([policy(allow("logs:*", Condition=carried))], trust="lambda.amazonaws.com")
    server.function(name, "def handler(event, context):\n    return 1\n", role=role)
    server.client("lambda").invoke(FunctionName=name)
    logs, group = server.client("logs"), f"/aws/lambda/{name}"
    assert eventually(lambda: logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"])
