"""passrole's own operations, as somebody sees them who may do little: they give nothing that AWS keeps."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from tests.conftest import Server, new_name, trusting
from tests.gateway.test_asgi import Answer
from tests.gateway.test_way_in import called
from tests.services.emr.conftest import Fleet, shell

OPENS = "sagemaker:CreatePresignedNotebookInstanceUrl"
Statement = dict[str, Any]


def allow(action: str, resource: str = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> Statement:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def asked(
    server: Server,
    statements: Sequence[Statement] | None,
    operation: str,
    parameters: Mapping[str, Any],
    region: str | None = None,
) -> Answer:
    """The answer to a fresh user with these statements, or to the administrator."""
    keys = None
    if statements is not None:
        keys = server.user({"Version": "2012-10-17", "Statement": list(statements)})
    body = json.dumps(parameters).encode()
    return called(server, "passrole", {}, body, path=f"/_passrole/{operation}", keys=keys, region=region)


def passing(role: str, to: str = "sagemaker.amazonaws.com") -> Statement:
    return allow("iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": to}})


def test_a_notebook_s_role_is_for_who_may_pass_it_and_open_a_notebook(server: Server) -> None:
    role = server.role()
    answer = asked(server, [passing(role), allow(OPENS)], "AssumeRoleForUser", {"RoleArn": role})
    assert answer.status == 200 and b"SecretAccessKey" in answer.body


@pytest.mark.parametrize(
    "statements",
    [
        lambda role: [allow("sts:AssumeRole")],
        lambda role: [allow("sts:*"), allow(OPENS)],
        lambda role: [passing(role)],
        lambda role: [passing(role, "lambda.amazonaws.com"), allow(OPENS)],
        lambda role: [passing(f"{role}-other"), allow(OPENS)],
        lambda role: [allow("*"), deny("iam:PassRole", role)],
        lambda role: [allow("*"), deny(OPENS)],
    ],
    ids=["assume", "no-pass", "no-open", "passed-elsewhere", "other-role", "pass-denied", "open-denied"],
)
def test_a_notebook_s_role_is_for_nobody_else(
    server: Server, statements: Callable[[str], list[Statement]]
) -> None:
    role = server.role()
    answer = asked(server, statements(role), "AssumeRoleForUser", {"RoleArn": role})
    assert (answer.code, answer.status) == ("AccessDeniedException", 400)
    assert b"SecretAccessKey" not in answer.body


def test_the_role_s_trust_policy_decides_for_the_administrator_too(server: Server) -> None:
    role = server.role(trust="lambda.amazonaws.com")
    assert asked(server, None, "AssumeRoleForUser", {"RoleArn": role}).code == "AccessDeniedException"
    denying = {
        "Version": "2012-10-17",
        "Statement": [
            trusting("sagemaker.amazonaws.com")["Statement"][0],
            {
                "Effect": "Deny",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            },
        ],
    }
    server.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(denying)
    )
    assert asked(server, None, "AssumeRoleForUser", {"RoleArn": role}).code == "AccessDeniedException"


@pytest.fixture(scope="module")
def waiting(server: Server) -> Iterator[tuple[str, str]]:
    """Two executions that wait for an answer."""
    queue = server.client("sqs").create_queue(QueueName=new_name("own-callbacks"))["QueueUrl"]
    role = server.role([{"Version": "2012-10-17", "Statement": allow("sqs:SendMessage")}])
    step = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {"secret": "cars"}}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker, started = server.client("sagemaker"), []
    for name in (new_name("own-first"), new_name("own-second")):
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
        started.append(sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"])
    deadline = time.monotonic() + 20
    while not set(started) <= set(listed(asked(server, None, "ListWaitingCallbacks", {}))):
        assert time.monotonic() < deadline
    yield started[0], started[1]
    for execution in started:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken=execution[-32:])


def listed(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [each["PipelineExecutionArn"] for each in json.loads(answer.body)["Callbacks"]]


LISTS = "sagemaker:ListPipelineExecutionSteps"


def test_callbacks_are_shown_of_executions_whose_steps_the_caller_may_list(
    server: Server, waiting: tuple[str, str]
) -> None:
    first, second = waiting

    def seen(*statements: Statement, region: str | None = None) -> set[str]:
        return set(listed(asked(server, statements, "ListWaitingCallbacks", {}, region))) & set(waiting)

    assert seen(allow(LISTS)) == {first, second}
    assert seen(allow(LISTS, first)) == {first}
    assert seen(allow(LISTS), deny(LISTS, first)) == {second}
    assert seen(allow("sqs:*")) == set()
    assert seen(deny("*")) == set()
    assert seen(allow(LISTS), region="eu-west-1") == set()


def test_executions_are_counted_and_shown_of_pipelines_whose_executions_the_caller_may_list(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    sagemaker, role = server.client("sagemaker"), server.access["role_arn"]
    failing = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
    queue = server.client("sqs").create_queue(QueueName="sagemaker-counted")["QueueUrl"]
    asking = {"Name": "C", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}
    for name, step in (("ends", failing), ("asks", asking)):
        definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
    ended = [
        sagemaker.start_pipeline_execution(PipelineName="ends")["PipelineExecutionArn"] for _ in range(2)
    ]
    for each in ended:
        server.finished(each)
    asks = sagemaker.start_pipeline_execution(PipelineName="asks")["PipelineExecutionArn"]

    def answer(operation: str, *statements: Statement, region: str | None = None) -> Any:
        return json.loads(asked(server, statements, operation, {}, region).body)

    lists, pipeline = "sagemaker:ListPipelineExecutions", asks.partition("/execution/")[0]
    all_, one = [allow(lists)], [allow(lists, pipeline)]
    assert answer("CountExecutions", *all_) == {"Counts": {"Executing": 1, "Failed": 2}}
    assert answer("CountExecutions", *one) == {"Counts": {"Executing": 1}}
    assert answer("CountExecutions", deny("*")) == {"Counts": {}}
    assert answer("CountExecutions", *all_, region="eu-west-1") == {"Counts": {}}
    (running,) = answer("ListRecentExecutions", *all_)["PipelineExecutions"]
    assert (running["PipelineExecutionArn"], running["PipelineArn"]) == (asks, pipeline)
    assert answer("ListRecentExecutions", deny("*")) == {"PipelineExecutions": []}


def test_the_caller_s_own_address_counts_where_our_operation_asks_another(
    server: Server, waiting: tuple[str, str]
) -> None:
    near = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "Bool": {"aws:ViaAWSService": "false"}}
    far = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    by_near = asked(server, [allow(LISTS, Condition=near)], "ListWaitingCallbacks", {})
    by_far = asked(server, [allow(LISTS, Condition=far)], "ListWaitingCallbacks", {})
    assert set(waiting) <= set(listed(by_near))
    assert not set(waiting) & set(listed(by_far))


@pytest.fixture
def fleet(server: Server) -> Iterator[Fleet]:
    fleet = Fleet(server)
    yield fleet
    fleet.end()


def test_a_step_s_log_is_for_who_may_describe_the_step_by_tags_and_region(
    server: Server, fleet: Fleet
) -> None:
    cluster = fleet.run(Tags=[{"Key": "team", "Value": "secret"}])
    (step,) = fleet.add(cluster, shell("echo of the step"))
    fleet.step_until(cluster, step)
    log = {"ClusterId": cluster, "StepId": step, "Stream": "stdout"}

    def read(*statements: Statement, region: str | None = None) -> Answer:
        return asked(server, statements, "ReadEmrStepLog", log, region)

    describes = "elasticmapreduce:DescribeStep"
    tagged = {"StringEquals": {"aws:ResourceTag/team": "secret"}}
    own = {"StringEquals": {"elasticmapreduce:ResourceTag/team": "secret"}}
    assert json.loads(read(allow(describes)).body)["Text"] == "of the step\n"
    assert json.loads(read(allow(describes, Condition=tagged)).body)["Text"] == "of the step\n"
    for condition in (tagged, own):
        refused = read(allow(describes), deny(describes, Condition=condition))
        assert (refused.code, refused.status) == ("AccessDeniedException", 400)
    end = json.loads(asked(server, None, "ReadEmrStepLog", {**log, "Offset": -5}).body)
    assert end == {"Text": "step\n", "Start": len("of the "), "Offset": len("of the step\n")}
    assert read(allow("s3:*")).code == "AccessDeniedException"
    elsewhere = read(allow("*"), region="eu-west-1")
    assert (elsewhere.code, b"of the step" in elsewhere.body) == ("InvalidRequestException", False)
