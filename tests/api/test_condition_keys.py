"""The condition keys that the door fills from real calls: a policy with a condition on one decides by it."""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.policies import allowing

Condition = Mapping[str, Mapping[str, Any]]
Call = Callable[[Any], object]

EVERYONE_MAY = "arn:aws:iam::aws:policy/AdministratorAccess"
PAST, FUTURE = "2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z"

OF_A_USER: list[tuple[str, str, str, str]] = [
    # operator, key, a value that holds, a value that does not
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/user-*", "arn:aws:iam::*:role/*"),
    ("StringLike", "aws:PrincipalAccount", "????????????", "1"),
    ("StringEquals", "aws:PrincipalType", "User", "AssumedRole"),
    ("StringLike", "aws:userid", "AIDA*", "AROA*"),
    ("StringLike", "aws:username", "user-*", "ann"),
    ("Bool", "aws:PrincipalIsAWSService", "false", "true"),
    ("IpAddress", "aws:SourceIp", "127.0.0.0/8", "10.0.0.0/8"),
    ("DateGreaterThan", "aws:CurrentTime", PAST, FUTURE),
    ("NumericGreaterThan", "aws:EpochTime", "1577836800", "4733510400"),
    ("Bool", "aws:SecureTransport", "false", "true"),
    ("Bool", "aws:ViaAWSService", "false", "true"),
    ("StringLike", "aws:UserAgent", "*Boto3/*", "*Terraform*"),
    ("StringEquals", "aws:RequestedRegion", "us-east-1", "eu-west-1"),
    ("StringLike", "aws:ResourceAccount", "????????????", "1"),
    ("Null", "aws:TokenIssueTime", "true", "false"),
    ("Null", "aws:SourceArn", "true", "false"),
    ("Null", "aws:CalledVia", "true", "false"),
]
OF_A_SESSION: list[tuple[str, str, str, str]] = [
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/role-*", "arn:aws:sts::*:assumed-role/*"),
    ("StringEquals", "aws:PrincipalType", "AssumedRole", "User"),
    ("StringLike", "aws:userid", "AROA*:mine", "AROA*:yours"),
    ("Null", "aws:username", "true", "false"),
    ("DateGreaterThan", "aws:TokenIssueTime", PAST, FUTURE),
    ("StringEquals", "aws:PrincipalTag/of-the-role", "r", "s"),
    ("StringEquals", "aws:PrincipalTag/of-the-session", "s", "r"),
]


def is_denied(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDenied", "AccessDeniedException"), error
        return True
    return False


def fresh(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize("operator, key, holds, fails", OF_A_USER, ids=[case[1] for case in OF_A_USER])
def test_a_key_of_a_users_call_decides(
    server: Server, operator: str, key: str, holds: str, fails: str
) -> None:
    outcomes = [
        is_denied(
            server.client("sqs", allowing("sqs:ListQueues", Condition={operator: {key: value}})).list_queues
        )
        for value in (holds, fails)
    ]
    assert outcomes == [False, True]


@pytest.mark.parametrize("operator, key, holds, fails", OF_A_SESSION, ids=[case[1] for case in OF_A_SESSION])
def test_a_key_of_a_sessions_call_decides(
    server: Server, operator: str, key: str, holds: str, fails: str
) -> None:
    outcomes = []
    for value in (holds, fails):
        role = server.role([allowing("sqs:ListQueues", Condition={operator: {key: value}})])
        trust = {"Effect": "Allow", "Principal": {"AWS": server.account}}
        trust |= {"Action": ["sts:AssumeRole", "sts:TagSession"]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        name, iam = role.rpartition("/")[2], server.client("iam")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        iam.tag_role(RoleName=name, Tags=[{"Key": "of-the-role", "Value": "r"}])
        tags = [{"Key": "of-the-session", "Value": "s"}]
        made = server.client("sts").assume_role(RoleArn=role, RoleSessionName="mine", Tags=tags)
        keys = made["Credentials"]
        secrets = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        outcomes.append(is_denied(server.client_with("sqs", *secrets).list_queues))
    assert outcomes == [False, True]


def queue(server: Server, team: str) -> Call:
    url = server.client("sqs").create_queue(QueueName=fresh("keys"), tags={"team": team})["QueueUrl"]
    return lambda client: client.send_message(QueueUrl=url, MessageBody="x")


def function(server: Server, team: str) -> Call:
    source = "def handler(event, context):\n    return 1\n"
    arn = server.function(fresh("keys"), source, Tags={"team": team})
    return lambda client: client.get_function(FunctionName=arn)


def version_of_a_function(server: Server, team: str) -> Call:
    source = "def handler(event, context):\n    return 1\n"
    arn = server.function(fresh("keys"), source, Tags={"team": team}, Publish=True)
    return lambda client: client.get_function(FunctionName=f"{arn}:1")


def pipeline(server: Server, team: str) -> Call:
    name = fresh("keys")
    steps = [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]
    server.client("sagemaker").create_pipeline(
        PipelineName=name,
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        Tags=[{"Key": "team", "Value": team}],
    )
    return lambda client: client.describe_pipeline(PipelineName=name)


def role(server: Server, team: str) -> Call:
    name = server.role().rpartition("/")[2]
    server.client("iam").tag_role(RoleName=name, Tags=[{"Key": "team", "Value": team}])
    return lambda client: client.get_role(RoleName=name)


TAGGED: list[tuple[str, str, str, Callable[[Any, str], Call]]] = [
    ("sqs", "sqs:SendMessage", "aws:ResourceTag/team", queue),
    ("lambda", "lambda:GetFunction", "aws:ResourceTag/team", function),
    ("lambda", "lambda:GetFunction", "aws:ResourceTag/team", version_of_a_function),
    ("sagemaker", "sagemaker:DescribePipeline", "aws:ResourceTag/team", pipeline),
    ("sagemaker", "sagemaker:DescribePipeline", "sagemaker:ResourceTag/team", pipeline),
    ("iam", "iam:GetRole", "aws:ResourceTag/team", role),
    ("iam", "iam:GetRole", "iam:ResourceTag/team", role),
]


@pytest.mark.parametrize("service, action, key, make", TAGGED)
def test_the_tags_of_a_resource_decide(
    server: Server, service: str, action: str, key: str, make: Callable[[Any, str], Call]
) -> None:
    client = server.client(service, allowing(action, Condition={"StringEquals": {key: "a"}}))
    calls = [make(server, team) for team in ("a", "b")]
    assert [is_denied(partial(call, client)) for call in calls] == [False, True]


def test_a_tag_of_the_resource_counts_as_a_variable_and_in_a_deny(server: Server) -> None:
    policy = allowing("sqs:*")
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {}}
    deny["Condition"] = {"StringEquals": {"aws:username": "${aws:ResourceTag/not-for}"}}
    user = server.user({**policy, "Statement": [*policy["Statement"], deny]})
    client = server.client_with("sqs", user["access_key_id"], user["secret_access_key"])
    sqs, outcomes = server.client("sqs"), []
    for name in (user["user"], "somebody-else"):
        url = sqs.create_queue(QueueName=fresh("keys"), tags={"not-for": name})["QueueUrl"]
        outcomes.append(is_denied(partial(client.send_message, QueueUrl=url, MessageBody="x")))
    assert outcomes == [True, False]


def test_the_tags_of_a_role_do_not_decide_who_may_pass_it(server: Server) -> None:
    arn = server.role()
    tags = [{"Key": "team", "Value": "a"}]
    server.client("iam").tag_role(RoleName=arn.rpartition("/")[2], Tags=tags)
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    policy = allowing("sagemaker:*")
    policy["Statement"].append(allowing("iam:PassRole", Condition=condition)["Statement"][0])
    client = server.client("sagemaker", policy)
    definition = json.dumps({"Version": "2020-12-01", "Steps": []})
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_pipeline(PipelineName=fresh("keys"), RoleArn=arn, PipelineDefinition=definition)


def test_what_a_service_asks_in_the_callers_name_comes_via_a_service(server: Server) -> None:
    bucket = fresh("keys")
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    steps = [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]
    s3.put_object(
        Bucket=bucket, Key="p.json", Body=json.dumps({"Version": "2020-12-01", "Steps": steps}).encode()
    )
    policy = allowing("sagemaker:*", "iam:PassRole")
    policy["Statement"].append(
        allowing("s3:GetObject", Condition={"Bool": {"aws:ViaAWSService": "true"}})["Statement"][0]
    )
    user = server.user(policy)
    keys = user["access_key_id"], user["secret_access_key"]
    location = {"Bucket": bucket, "ObjectKey": "p.json"}
    server.client_with("sagemaker", *keys).create_pipeline(
        PipelineName=fresh("keys"), RoleArn=server.access["role_arn"], PipelineDefinitionS3Location=location
    )
    assert is_denied(lambda: server.client_with("s3", *keys).get_object(Bucket=bucket, Key="p.json"))


@pytest.mark.parametrize(
    "condition, expected",
    [
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, "Executing"),
        ({"StringEquals": {"aws:PrincipalTag/team": "b"}}, "Failed"),
        ({"Bool": {"aws:SecureTransport": "true"}}, "Executing"),
        ({"Null": {"aws:SourceIp": "true", "aws:UserAgent": "true"}}, "Executing"),
    ],
    ids=["its tag", "another tag", "between services", "no client"],
)
def test_the_keys_of_an_executions_role_decide(server: Server, condition: Condition, expected: str) -> None:
    name = fresh("keys-sagemaker")
    url = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    execution_role = server.role([allowing("sqs:SendMessage", Condition=condition)])
    tags = [{"Key": "team", "Value": "a"}]
    server.client("iam").tag_role(RoleName=execution_role.rpartition("/")[2], Tags=tags)
    sagemaker = server.client("sagemaker")
    steps = [{"Name": "Ask", "Type": "Callback", "SqsQueueUrl": url, "Arguments": {}, "OutputParameters": []}]
    sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=execution_role,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
    )
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    if expected == "Failed":
        assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
        assert "sqs:sendmessage" in server.steps(execution)["Ask"]["FailureReason"]
        return
    assert server.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
