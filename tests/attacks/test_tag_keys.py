"""Tag keys that differ in letter case at most: none lifts a Deny, none grants beside another."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from tests.attacks.conftest import document
from tests.conftest import Server, new_name
from tests.refusals import refusal

CODE = "def handler(event, context):\n    return 'ran'\n"
DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
RESERVED = "aws: prefixed tag key names are not allowed for external use."
Tagging = Callable[[Any, Mapping[str, str]], Any]


def allow(action: str, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    asked = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": "*", **asked}


def deny(action: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    return {**allow(action, condition), "Effect": "Deny"}


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Thing:
    """Something with the tag `prot`: the service's client, how more tags get on it, and how it is deleted."""

    def __init__(self, service: str, tag: Tagging, delete: Callable[[Any], Any]) -> None:
        self.service = service
        self.tag = tag
        self.delete = delete


PROT = {"prot": "yes"}


def queue(server: Server) -> Thing:
    url = server.client("sqs").create_queue(QueueName=new_name("queue"), tags=PROT)["QueueUrl"]
    return Thing(
        "sqs",
        lambda client, tags: client.tag_queue(QueueUrl=url, Tags=tags),
        lambda client: client.delete_queue(QueueUrl=url),
    )


def function(server: Server) -> Thing:
    name = new_name("function")
    arn = server.function(name, CODE, Tags=PROT)
    return Thing(
        "lambda",
        lambda client, tags: client.tag_resource(Resource=arn, Tags=tags),
        lambda client: client.delete_function(FunctionName=name),
    )


def pipeline(server: Server) -> Thing:
    name = new_name("pipeline")
    definition = {"Version": "2020-12-01", "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {}}]}
    arn = server.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=server.access["role_arn"],
        ClientRequestToken=name.ljust(32, "-"),
        Tags=listed(PROT),
    )["PipelineArn"]
    return Thing(
        "sagemaker",
        lambda client, tags: client.add_tags(ResourceArn=arn, Tags=listed(tags)),
        lambda client: client.delete_pipeline(PipelineName=name, ClientRequestToken="d" * 32),
    )


def policy(server: Server) -> Thing:
    made = server.client("iam").create_policy(
        PolicyName=new_name("policy"), PolicyDocument=json.dumps(document(allow("sqs:*"))), Tags=listed(PROT)
    )
    arn = made["Policy"]["Arn"]
    return Thing(
        "iam",
        lambda client, tags: client.tag_policy(PolicyArn=arn, Tags=listed(tags)),
        lambda client: client.delete_policy(PolicyArn=arn),
    )


THINGS = [queue, function, pipeline, policy]


@pytest.mark.parametrize("condition", ["StringEquals yes", "StringNotEquals no"])
@pytest.mark.parametrize("thing", THINGS[:3])
def test_a_second_tag_in_another_letter_case_lifts_no_deny(
    server: Server, thing: Callable[[Any], Thing], condition: str
) -> None:
    made = thing(server)
    operator, value = condition.split()
    guard = deny("*", {operator: {"aws:ResourceTag/prot": value}, "Bool": {"aws:ViaAWSService": "false"}})
    may_tag = server.client(made.service, user_policy=document(allow("*")))
    may_not_touch = server.client(made.service, user_policy=document(allow("*"), guard))
    assert "AccessDenied" in refusal(lambda: made.delete(may_not_touch))[0]
    for key in ("PROT", "Prot", "aprot"):
        made.tag(may_tag, {key: "no"})
        assert "AccessDenied" in refusal(lambda: made.delete(may_not_touch))[0]


@pytest.mark.parametrize("thing", THINGS)
def test_a_tag_in_another_letter_case_grants_nothing_beside_the_one_that_does_not(
    server: Server, thing: Callable[[Any], Thing]
) -> None:
    made = thing(server)
    condition = {"StringEquals": {"aws:RequestTag/team": "ml"}}
    client = server.client(made.service, user_policy=document(allow("*", condition)))
    made.tag(client, {"team": "ml", "site": "b"})
    made.tag(client, {"TEAM": "ml"})
    for tags in ({"team": "ml", "TEAM": "x"}, {"TEAM": "x", "team": "ml"}, {"team": "x", "Team": "ml"}):
        assert "AccessDenied" in refusal(partial(made.tag, client, tags))[0]


def test_a_queue_made_with_one_key_in_two_letter_cases_is_judged_by_both(server: Server) -> None:
    guard = deny("sqs:*", {"StringEquals": {"aws:RequestTag/team": "secret"}})
    sqs = server.client("sqs", user_policy=document(allow("sqs:*"), guard))
    for tags in ({"team": "secret", "TEAM": "x"}, {"TEAM": "x", "team": "secret"}):
        create = partial(sqs.create_queue, QueueName=new_name("queue"), tags=tags)
        assert refusal(create)[0] == "AccessDenied"
    # SQS tells keys apart by their letter case, so both tags are kept where nothing is asked of them.
    url = sqs.create_queue(QueueName=new_name("queue"), tags={"team": "a", "TEAM": "b"})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a", "TEAM": "b"}


def test_a_buckets_objects_are_judged_by_every_letter_case_of_their_tags(server: Server) -> None:
    bucket = new_name("bucket")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key="k", Body=b"")
    guard = deny("s3:PutObjectTagging", {"StringEquals": {"s3:RequestObjectTag/level": "secret"}})
    s3 = server.client("s3", user_policy=document(allow("s3:*"), guard))
    for tags in ({"level": "secret", "LEVEL": "x"}, {"LEVEL": "x", "level": "secret"}):
        put = partial(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": listed(tags)})
        assert refusal(put)[0] == "AccessDenied"


@pytest.fixture
def tagged_role(server: Server) -> Iterator[str]:
    """A role with the tag `team`, which may do everything unless its tag is `out`."""
    iam, name = server.client("iam"), new_name("role")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{server.account}:root"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    made = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(document(trust)),
        Tags=listed({"team": "out", "site": "b"}),
    )
    guard = deny("*", {"StringEquals": {"aws:PrincipalTag/team": "out"}})
    iam.put_role_policy(
        RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document(allow("*"), guard))
    )
    yield made["Role"]["Arn"]


def session(server: Server, role: str, tags: Mapping[str, str]) -> Any:
    keys = server.client("sts").assume_role(RoleArn=role, RoleSessionName="work", Tags=listed(tags))
    given = keys["Credentials"]
    return server.client_with("iam", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def test_a_session_tag_takes_the_place_of_the_roles_in_any_letter_case(
    server: Server, tagged_role: str
) -> None:
    assert refusal(session(server, tagged_role, {}).list_users)[0] == "AccessDenied"
    assert refusal(session(server, tagged_role, {"Site": "c"}).list_users)[0] == "AccessDenied"
    session(server, tagged_role, {"Team": "in"}).list_users()
    server.client("iam").tag_role(RoleName=tagged_role.rpartition("/")[2], Tags=listed({"TEAM": "in"}))
    assert refusal(session(server, tagged_role, {"tEAM": "out"}).list_users)[0] == "AccessDenied"


@pytest.mark.parametrize(
    "tags, sentence",
    [
        ({"team": "a", "TEAM": "b"}, DUPLICATE),
        ({"aws:PrincipalTag": "a"}, RESERVED),
        ({"AWS:x": "a"}, RESERVED),
    ],
)
def test_session_tags_have_each_key_once_and_none_of_awss(
    server: Server, tagged_role: str, tags: Mapping[str, str], sentence: str
) -> None:
    assert refusal(lambda: session(server, tagged_role, tags)) == ("InvalidParameterValue", sentence)


@pytest.mark.parametrize(
    "thing, code",
    [
        (queue, "InvalidParameterValue"),
        (function, "InvalidParameterValueException"),
        (pipeline, "ValidationException"),
        (policy, "InvalidInput"),
    ],
)
def test_keys_that_are_awss_own_are_refused(server: Server, thing: Callable[[Any], Thing], code: str) -> None:
    made = thing(server)
    for key in ("aws:x", "Aws:x"):
        assert refusal(partial(made.tag, server.client(made.service), {key: "v"}))[0] == code


def test_rules_and_clusters_take_none_of_awss_keys(server: Server) -> None:
    events, emr, name = server.client("events"), server.client("emr"), new_name("rule")
    rule = events.put_rule(Name=name, EventPattern='{"source":["x"]}')["RuleArn"]
    tags = listed({"aws:x": "v"})
    assert refusal(lambda: events.tag_resource(ResourceARN=rule, Tags=tags)) == (
        "ValidationException",
        RESERVED,
    )
    assert refusal(lambda: events.create_event_bus(Name=new_name("bus"), Tags=tags))[1] == RESERVED
    assert refusal(lambda: emr.add_tags(ResourceId="j-X", Tags=tags)) == ("InvalidRequestException", RESERVED)
    events.delete_rule(Name=name)
