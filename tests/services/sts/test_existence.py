"""A refusal does not tell whether what was asked for exists: permission comes before existence."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.conftest import Server, new_name, trusting
from tests.refusals import refusal_with_status
from tests.services.emr.conftest import Fleet

Refusal = tuple[int, str, str]
Statement = dict[str, Any]


def policy(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


ALLOW = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
DENY = {**ALLOW, "Effect": "Deny"}
OTHER = {**ALLOW, "Action": "sts:GetSessionToken"}


def trust_of(server: Server, kind: str) -> Mapping[str, Any]:
    if kind == "service":
        return trusting("sagemaker.amazonaws.com")
    principal = {"AWS": f"arn:aws:iam::{server.account}:root" if kind != "stranger" else "999988887777"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if kind == "external id":
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": "secret"}}
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    return policy(statement, deny) if kind == "deny" else policy(statement)


def made(server: Server, kind: str) -> str:
    name = new_name("exists")
    document = json.dumps(trust_of(server, kind))
    role = server.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(role["Role"]["Arn"])


@pytest.mark.parametrize("kind", ["service", "stranger", "external id", "deny"])
@pytest.mark.parametrize("statement", [ALLOW, DENY, OTHER], ids=["allowed", "denied", "nothing"])
@pytest.mark.parametrize("tags", [[], [{"Key": "team", "Value": "x"}]], ids=["plain", "tags"])
def test_assume_role_does_not_tell_which_roles_exist(
    server: Server, kind: str, statement: Statement, tags: list[dict[str, str]]
) -> None:
    user = server.user(policy(statement))
    sts = server.client_with("sts", user["access_key_id"], user["secret_access_key"])
    there, missing = made(server, kind), f"arn:aws:iam::{server.account}:role/{new_name('missing')}"

    def refused(arn: str) -> Refusal:
        given: dict[str, Any] = {
            "RoleArn": arn,
            "RoleSessionName": "work",
            **({"Tags": tags} if tags else {}),
        }
        return refusal_with_status(lambda: sts.assume_role(**given))

    status, code, sentence = refused(there)
    assert refused(missing) == (status, code, sentence.replace(there, missing))
    assert (status, code) == (403, "AccessDenied")
    caller = f"arn:aws:iam::{server.account}:user/{user['user']}"
    plain = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {there}"
    ending = " with an explicit deny in an identity-based policy" if statement is DENY else ""
    assert sentence == plain + ending


def test_a_role_that_trusts_the_account_is_no_exception(server: Server) -> None:
    user = server.user(policy(OTHER))
    sts = server.client_with("sts", user["access_key_id"], user["secret_access_key"])
    there, missing = made(server, "account"), f"arn:aws:iam::{server.account}:role/{new_name('missing')}"
    said = [
        refusal_with_status(lambda arn=arn: sts.assume_role(RoleArn=arn, RoleSessionName="work"))
        for arn in (there, missing)
    ]
    assert said[0] == (*said[1][:2], said[1][2].replace(missing, there))


@pytest.fixture(scope="module")
def things(server: Server) -> Iterator[dict[str, str]]:
    """The name of one thing of each kind that exists."""
    name = new_name("exists")
    role = server.role()
    function = server.function(name, "def handler(event, context):\n    return {}\n")
    queue = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{server.region}:{server.account}:{name}"
    server.client("s3").create_bucket(Bucket=name)
    server.client("s3").put_object(Bucket=name, Key="key", Body=b"x")
    events = server.client("events")
    events.put_rule(Name=name, EventPattern='{"source":["nobody"]}', State="DISABLED")
    events.create_event_bus(Name=name)
    server.client("logs").create_log_group(logGroupName=name)
    server.client("logs").create_log_stream(logGroupName=name, logStreamName=name)
    iam = server.client("iam")
    iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(policy(OTHER)))
    iam.create_user(UserName=name)
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
    sagemaker = server.client("sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    fleet = Fleet(server)
    yield {
        "name": name,
        "function": function,
        "queue": queue,
        "queue arn": arn,
        "execution": execution,
        "cluster": fleet.run(),
        "profile": fleet.profile,
    }
    fleet.end()


Ask = Callable[[Any, Mapping[str, str]], Any]
ASKED: list[tuple[str, Ask]] = [
    ("sagemaker", lambda c, t: c.describe_pipeline(PipelineName=t["name"])),
    ("sagemaker", lambda c, t: c.start_pipeline_execution(PipelineName=t["name"])),
    ("sagemaker", lambda c, t: c.describe_pipeline_execution(PipelineExecutionArn=t["execution"])),
    ("lambda", lambda c, t: c.get_function(FunctionName=t["name"])),
    ("lambda", lambda c, t: c.invoke(FunctionName=t["name"])),
    ("lambda", lambda c, t: c.list_aliases(FunctionName=t["name"])),
    ("lambda", lambda c, t: c.get_policy(FunctionName=t["name"])),
    ("lambda", lambda c, t: c.list_tags(Resource=t["function"])),
    ("sqs", lambda c, t: c.get_queue_url(QueueName=t["name"])),
    ("sqs", lambda c, t: c.receive_message(QueueUrl=t["queue"])),
    ("sqs", lambda c, t: c.delete_queue(QueueUrl=t["queue"])),
    ("s3", lambda c, t: c.get_bucket_location(Bucket=t["name"])),
    ("s3", lambda c, t: c.list_objects_v2(Bucket=t["name"])),
    ("events", lambda c, t: c.describe_rule(Name=t["name"])),
    ("events", lambda c, t: c.list_targets_by_rule(Rule=t["name"])),
    ("events", lambda c, t: c.describe_event_bus(Name=t["name"])),
    ("logs", lambda c, t: c.describe_log_streams(logGroupName=t["name"])),
    ("logs", lambda c, t: c.get_log_events(logGroupName=t["name"], logStreamName=t["name"])),
    ("iam", lambda c, t: c.get_user(UserName=t["name"])),
    ("iam", lambda c, t: c.list_attached_user_policies(UserName=t["name"])),
    ("iam", lambda c, t: c.get_instance_profile(InstanceProfileName=t["profile"])),
    ("iam", lambda c, t: c.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{t['name']}")),
    (
        "iam",
        lambda c, t: c.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/{t['name']}", ActionNames=["s3:GetObject"]
        ),
    ),
    ("emr", lambda c, t: c.describe_cluster(ClusterId=t["cluster"])),
    ("emr", lambda c, t: c.list_steps(ClusterId=t["cluster"])),
    ("emr", lambda c, t: c.terminate_job_flows(JobFlowIds=[t["cluster"]])),
]
ACCOUNT = "111122223333"


@pytest.mark.parametrize("service, ask", ASKED)
def test_no_refusal_tells_whether_the_thing_exists(
    server: Server, things: dict[str, str], service: str, ask: Ask
) -> None:
    user = server.user(policy(OTHER))
    client = server.client_with(service, user["access_key_id"], user["secret_access_key"])
    name, other = things["name"], f"no{things['name'][2:]}"
    missing = {key: value.replace(name, other) for key, value in things.items()}
    missing |= {"cluster": f"j-{'0' * (len(things['cluster']) - 2)}", "profile": f"{things['profile']}x"}
    missing["execution"] = missing["execution"][:-4] + "0000"
    there, absent = (refusal_with_status(lambda seen=seen: ask(client, seen)) for seen in (things, missing))
    sentence = there[2]
    for key in sorted(things, key=lambda key: -len(things[key])):
        sentence = sentence.replace(things[key], missing[key])
    assert absent == (*there[:2], sentence)
    assert "AccessDenied" in there[1] or there[0] == 403
