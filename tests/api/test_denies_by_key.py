"""A Deny on a condition key fires where the key has the value, and not where it has another."""

import hashlib
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.conftest import Server

Call = Callable[[Any, Any], object]
"""A client and the things of this module."""

EMPTY_HASH = hashlib.sha256(b"").hexdigest()
TAGS = [{"Key": "team", "Value": "ml"}]
OTHER_ACCOUNT = "999999999999"
SOURCE = "def handler(event, context):\n    return 1\n"
LAYER = "arn:aws:lambda:us-east-1:111122223333:layer:one:1"
PATTERN = json.dumps({"detail": {"service": ["EC2"], "eventTypeCode": ["code"]}})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


class Things(NamedTuple):
    """What the calls are about; made once, by the administrator."""

    server: Server
    bucket: str
    function: str
    role: str
    boundary: str

    @property
    def account(self) -> str:
        return str(self.server.account)

    @property
    def role_name(self) -> str:
        return self.role.rpartition("/")[2]

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.server.region}:{self.account}:{rest}"


def fresh(prefix: str = "keys") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def things(server: Server) -> Things:
    s3, iam, events = server.client("s3"), server.client("iam"), server.client("events")
    bucket = fresh()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="tagged", Body=b"x", Tagging="team=ml")
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    boundary = iam.create_policy(PolicyName=fresh(), PolicyDocument=ALLOW_ALL)["Policy"]["Arn"]
    role = server.role()
    trust = {"Effect": "Allow", "Principal": {"AWS": server.account}, "Action": list(ASSUMING)}
    trusted = {"Effect": "Allow", "Principal": {"Service": SERVICES}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust, trusted]})
    name = role.rpartition("/")[2]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    function = fresh()
    server.function(function, SOURCE)
    events.put_rule(Name=RULE, EventPattern=PATTERN, Tags=TAGS)
    events.create_event_bus(Name=BUS, Tags=TAGS)
    return Things(server, bucket, function, role, boundary)


ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]})
ASSUMING = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
SERVICES = ["lambda.amazonaws.com", "events.amazonaws.com", "sagemaker.amazonaws.com", "ec2.amazonaws.com"]
RULE, BUS = fresh("rule"), fresh("bus")


def denying(operator: str, key: str, value: str) -> dict[str, Any]:
    """Everything is allowed but what has the value."""
    deny = {**ALLOW, "Effect": "Deny", "Condition": {operator: {key: value}}}
    return {"Version": "2012-10-17", "Statement": [ALLOW, deny]}


def is_denied(call: Callable[[], object]) -> bool:
    """Any other refusal comes behind the decision."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
    return False


def put(**more: Any) -> Call:
    return lambda s3, of: s3.put_object(Bucket=of.bucket, Key=fresh(), Body=b"x", **more)


def upload(**more: Any) -> Call:
    return lambda s3, of: s3.create_multipart_upload(Bucket=of.bucket, Key=fresh(), **more)


def part(s3: Any, of: Things) -> object:
    return s3.upload_part(Bucket=of.bucket, Key="k", UploadId="u", PartNumber=1, Body=b"x")


def copy(key: str, **more: Any) -> Call:
    return lambda s3, of: s3.copy_object(
        Bucket=of.bucket, Key=fresh(), CopySource={"Bucket": of.bucket, "Key": key}, **more
    )


def on_tagged(name: str, **more: Any) -> Call:
    return lambda s3, of: getattr(s3, name)(Bucket=of.bucket, Key="tagged", **more)


def on_rule(name: str, **more: Any) -> Call:
    return lambda events, _: getattr(events, name)(Name=RULE, **more)


def on_role(name: str, **more: Any) -> Call:
    return lambda iam, of: getattr(iam, name)(RoleName=of.role_name, **more)


def permit(function: Any, of: Things, principal: str = "s3.amazonaws.com") -> str:
    """Lets S3, or another, invoke the function; the statement's id."""
    sid, action = fresh("s"), "lambda:InvokeFunction"
    given = {"StatementId": sid, "Action": action, "Principal": principal}
    function.add_permission(FunctionName=of.function, **given)
    return sid


def permit_account(function: Any, of: Things) -> str:
    return permit(function, of, f"arn:aws:iam::{of.account}:root")


def forbid_account(function: Any, of: Things) -> object:
    return forbid(function, of, of.account)


def forbid(function: Any, of: Things, principal: str = "s3.amazonaws.com") -> object:
    sid = permit(of.server.client("lambda"), of, principal)
    return function.remove_permission(FunctionName=of.function, StatementId=sid)


def create_function(**more: Any) -> Call:
    return lambda client, of: client.create_function(
        FunctionName="associated",
        Role=of.role,
        Runtime="python3.11",
        Handler="m.handler",
        Code={"ZipFile": b"no archive"},
        **more,
    )


def create_pipeline(sagemaker: Any, of: Things) -> object:
    steps = [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]
    return sagemaker.create_pipeline(
        PipelineName="associated",
        RoleArn=of.role,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        Tags=TAGS,
    )


def add_to_profile(iam: Any, of: Things) -> object:
    admin, name = of.server.client("iam"), "associated"
    if name not in [each["InstanceProfileName"] for each in profiles(admin)]:
        admin.create_instance_profile(InstanceProfileName=name)
    return iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=of.role_name)


def profiles(iam: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = iam.list_instance_profiles()["InstanceProfiles"]
    return found


def assume(**more: Any) -> Call:
    return lambda sts, of: sts.assume_role(RoleArn=of.role, RoleSessionName="work", **more)


IS, ANY = "StringEquals", "ForAnyValue:StringEquals"
Value = str | Callable[[Things], str]

CASES: list[tuple[str, Call, str, str, Value, Value]] = [
    # service, call, operator, key, the value that it has, another
    ("s3", put(), "Bool", "s3:ObjectCreationOperation", "true", "false"),
    ("s3", copy("plain"), "Bool", "s3:ObjectCreationOperation", "true", "false"),
    ("s3", upload(), "Bool", "s3:ObjectCreationOperation", "false", "true"),
    ("s3", part, "Bool", "s3:ObjectCreationOperation", "false", "true"),
    ("s3", put(), IS, "s3:authType", "REST-HEADER", "REST-QUERY-STRING"),
    ("s3", put(), IS, "s3:signatureversion", "AWS4-HMAC-SHA256", "AWS"),
    ("s3", put(), "NumericLessThan", "s3:signatureAge", "900000", "0"),
    ("s3", on_tagged("get_object"), IS, "s3:x-amz-content-sha256", EMPTY_HASH, "UNSIGNED-PAYLOAD"),
    ("s3", put(), IS, "s3:ResourceAccount", lambda of: of.account, OTHER_ACCOUNT),
    ("s3", put(Tagging="team=ml"), IS, "s3:RequestObjectTag/team", "ml", "web"),
    ("s3", put(Tagging="team=ml"), ANY, "s3:RequestObjectTagKeys", "team", "task"),
    ("s3", upload(Tagging="team=ml"), IS, "s3:RequestObjectTag/team", "ml", "web"),
    ("s3", copy("tagged"), IS, "s3:RequestObjectTag/team", "ml", "web"),
    (
        "s3",
        copy("plain", TaggingDirective="REPLACE", Tagging="team=ml"),
        IS,
        "s3:RequestObjectTag/team",
        "ml",
        "web",
    ),
    (
        "s3",
        on_tagged("put_object_tagging", Tagging={"TagSet": TAGS}),
        ANY,
        "s3:RequestObjectTagKeys",
        "team",
        "task",
    ),
    ("s3", on_tagged("get_object"), IS, "s3:ExistingObjectTag/team", "ml", "web"),
    ("s3", on_tagged("head_object"), IS, "s3:ExistingObjectTag/team", "ml", "web"),
    ("s3", on_tagged("get_object_tagging"), IS, "s3:ExistingObjectTag/team", "ml", "web"),
    ("s3", copy("tagged"), IS, "s3:ExistingObjectTag/team", "ml", "web"),
    ("s3", on_tagged("delete_object", IfMatch="e"), IS, "s3:if-match", "e", "f"),
    ("s3", put(WebsiteRedirectLocation="/w"), IS, "s3:x-amz-website-redirect-location", "/w", "/v"),
    ("s3", copy("plain"), IS, "s3:x-amz-copy-source", lambda of: f"{of.bucket}/plain", "other/plain"),
    ("events", on_rule("describe_rule"), IS, "events:creatorAccount", lambda of: of.account, OTHER_ACCOUNT),
    (
        "events",
        on_rule("put_rule", EventPattern=PATTERN),
        IS,
        "events:creatorAccount",
        lambda of: of.account,
        OTHER_ACCOUNT,
    ),
    ("events", on_rule("put_rule", EventPattern=PATTERN), ANY, "events:detail.service", "EC2", "RDS"),
    ("events", on_rule("put_rule", EventPattern=PATTERN), ANY, "events:detail.eventTypeCode", "code", "c"),
    ("events", on_rule("describe_rule"), IS, "aws:ResourceTag/team", "ml", "web"),
    (
        "events",
        lambda events, _: events.describe_event_bus(Name=BUS),
        IS,
        "aws:ResourceTag/team",
        "ml",
        "web",
    ),
    (
        "events",
        lambda events, _: events.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]),
        "Bool",
        "events:eventBusInvocation",
        "false",
        "true",
    ),
    (
        "events",
        lambda events, of: events.put_rule(Name=RULE, EventPattern=PATTERN, RoleArn=of.role),
        "ArnEquals",
        "iam:AssociatedResourceArn",
        lambda of: of.arn("events", f"rule/{RULE}"),
        lambda of: of.arn("events", "rule/another"),
    ),
    ("lambda", permit, IS, "lambda:Principal", "s3.amazonaws.com", "sns.amazonaws.com"),
    ("lambda", forbid, IS, "lambda:Principal", "s3.amazonaws.com", "sns.amazonaws.com"),
    ("lambda", permit_account, IS, "lambda:Principal", lambda of: of.account, OTHER_ACCOUNT),
    ("lambda", forbid_account, IS, "lambda:Principal", lambda of: of.account, OTHER_ACCOUNT),
    (
        "lambda",
        lambda client, of: client.invoke(FunctionName=of.function, InvocationType="DryRun"),
        "Bool",
        "lambda:InvokedViaFunctionUrl",
        "false",
        "true",
    ),
    ("lambda", create_function(Layers=[LAYER]), ANY, "lambda:Layer", LAYER, LAYER.replace(":one:", ":two:")),
    (
        "lambda",
        create_function(VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
        ANY,
        "lambda:SubnetIds",
        "subnet-1",
        "subnet-2",
    ),
    (
        "lambda",
        create_function(),
        "ArnEquals",
        "iam:AssociatedResourceArn",
        lambda of: of.arn("lambda", "function:associated"),
        lambda of: of.arn("lambda", "function:another"),
    ),
    (
        "sagemaker",
        create_pipeline,
        "ArnEquals",
        "iam:AssociatedResourceArn",
        lambda of: of.arn("sagemaker", "pipeline/associated"),
        lambda of: of.arn("sagemaker", "pipeline/another"),
    ),
    ("sagemaker", create_pipeline, IS, "sagemaker:TaggingAction", "CreatePipeline", "CreateModel"),
    ("iam", add_to_profile, IS, "iam:PassedToService", "ec2.amazonaws.com", "lambda.amazonaws.com"),
    (
        "iam",
        add_to_profile,
        "ArnLike",
        "iam:AssociatedResourceArn",
        "arn:aws:iam::*:instance-profile/associated",
        "arn:aws:iam::*:instance-profile/another",
    ),
    *(
        (
            "iam",
            call,
            "ArnEquals",
            "iam:PermissionsBoundary",
            lambda of: of.boundary,
            "arn:aws:iam::aws:policy/A",
        )
        for call in (
            on_role("get_role"),
            on_role("update_role", Description="d"),
            on_role("update_role_description", Description="d"),
            on_role("update_assume_role_policy", PolicyDocument=POLICY[:-1]),
            on_role("put_role_policy", PolicyName="p", PolicyDocument=POLICY),
        )
    ),
    (
        "iam",
        on_role("detach_role_policy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        "ArnEquals",
        "iam:PolicyARN",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    ),
    ("sts", assume(SourceIdentity="ann"), IS, "sts:SourceIdentity", "ann", "bob"),
    ("sts", assume(Tags=TAGS, TransitiveTagKeys=["team"]), ANY, "sts:TransitiveTagKeys", "team", "task"),
]


@pytest.mark.parametrize(
    "service, call, operator, key, has, other",
    CASES,
    ids=[f"{number}-{case[3]}" for number, case in enumerate(CASES)],
)
def test_a_deny_fires_by_the_keys_value(
    things: Things, service: str, call: Call, operator: str, key: str, has: Value, other: Value
) -> None:
    outcomes = []
    for value in (has, other):
        text = value(things) if callable(value) else value
        client = things.server.client(service, denying(operator, key, text))
        outcomes.append(is_denied(lambda client=client: call(client, things)))  # type: ignore[misc]
    assert outcomes == [True, False]


@pytest.mark.parametrize(
    "version, operator, key, has, other",
    [
        ("s3v4", IS, "s3:authType", "REST-QUERY-STRING", "REST-HEADER"),
        ("s3v4", IS, "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD", EMPTY_HASH),
        ("s3v4", "NumericLessThan", "s3:signatureAge", "900000", "0"),
        ("s3", IS, "s3:authType", "REST-QUERY-STRING", "REST-HEADER"),
        ("s3", IS, "s3:signatureversion", "AWS", "AWS4-HMAC-SHA256"),
        ("s3", "NumericEquals", "s3:signatureAge", "0", "1"),
    ],
)
def test_a_deny_fires_on_a_presigned_url(
    things: Things, version: str, operator: str, key: str, has: str, other: str
) -> None:
    outcomes = []
    for value in (has, other):
        user = things.server.user(denying(operator, key, value))
        client = boto3.Session(
            user["access_key_id"], user["secret_access_key"], region_name=things.server.region
        ).client("s3", endpoint_url=things.server.url, config=Config(signature_version=version))
        url = client.generate_presigned_url("get_object", {"Bucket": things.bucket, "Key": "plain"})
        outcomes.append(status(url))
    assert outcomes == [403, 200]


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
