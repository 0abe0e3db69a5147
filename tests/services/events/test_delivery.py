"""Events on their way: what is put, who gets it, in which form, with which permission, and what fails."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.events.conftest import EVENTS, Workshop, sending


def test_an_event_comes_in_its_envelope(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    workshop.leads_to(workshop.rule(), queue)
    answer = workshop.put({"a": 1}, Resources=["arn:aws:x"], Time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    (entry,) = answer["Entries"]
    assert answer["FailedEntryCount"] == 0
    assert workshop.body(url) == {
        "version": "0",
        "id": entry["EventId"],
        "detail-type": "Thing",
        "source": workshop.source,
        "account": workshop.server.account,
        "time": "2026-01-02T03:04:05Z",
        "region": workshop.server.region,
        "resources": ["arn:aws:x"],
        "detail": {"a": 1},
    }


def test_only_rules_that_want_it_get_it(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    wanted = {"source": [workshop.source], "detail": {"n": [{"numeric": [">", 1]}]}}
    workshop.leads_to(workshop.rule(wanted), queue)
    for number in (1, 2, 3):
        workshop.put({"n": number})
    seen: list[int] = []

    def both() -> bool:
        seen.extend(json.loads(each["Body"])["detail"]["n"] for each in workshop.received(url, wait=1))
        return len(seen) >= 2

    eventually(both)
    assert sorted(seen) == [2, 3]


def test_what_is_wrong_with_an_entry_is_told_of_that_entry(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    workshop.leads_to(workshop.rule(), queue)
    good = {"Source": workshop.source, "DetailType": "T", "Detail": "{}"}
    bad = [
        {**good, "Source": ""},
        {"Source": workshop.source, "Detail": "{}"},
        {"Source": workshop.source, "DetailType": "T"},
        {**good, "Source": "aws.emr"},
        {**good, "Detail": "["},
        {**good, "Detail": "[]"},
    ]
    answer = workshop.client.put_events(Entries=[good, *bad, {**good, "EventBusName": "none"}])
    assert answer["FailedEntryCount"] == 6
    assert answer["Entries"].pop()["EventId"]  # to a bus that is not there: taken, and heard by nobody
    told = [(each.get("ErrorCode"), each.get("ErrorMessage")) for each in answer["Entries"]]
    missing = "Parameter {0} is not valid. Reason: {0} is a required argument."
    assert told == [
        (None, None),
        ("InvalidArgument", missing.format("Source")),
        ("InvalidArgument", missing.format("DetailType")),
        ("InvalidArgument", missing.format("Detail")),
        ("NotAuthorizedForSource", "Not authorized for the source."),
        ("MalformedDetail", "Detail is malformed."),
        ("MalformedDetail", "Detail is malformed."),
    ]
    assert len(workshop.received(url)) == 1


def test_ten_entries_and_256_kilobytes_are_the_most(workshop: Workshop) -> None:
    entry = {"Source": "a", "DetailType": "T", "Detail": "{}"}
    assert refusal(workshop.client.put_events, Entries=[entry] * 11)[0] == "ValidationException"
    large = {**entry, "Detail": json.dumps({"x": "y" * 262_144})}
    assert refusal(workshop.client.put_events, Entries=[large]) == (
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
    )


def test_a_pattern_can_be_tried(workshop: Workshop) -> None:
    event = {"id": "1", "account": "2", "source": "a", "time": "t", "region": "r", "detail-type": "T"}

    def tried(pattern: str) -> Any:
        return workshop.client.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]

    assert tried('{"source": ["a"]}') is True
    assert tried('{"source": ["b"]}') is False
    call = workshop.client.test_event_pattern
    assert refusal(call, EventPattern='{"a": []}', Event="{}") == (
        "InvalidEventPatternException",
        "Event pattern is not valid. Reason: Empty arrays are not allowed",
    )
    lacking = [json.dumps({name: event[name] for name in event if name != one}) for one in event]
    for bad in ("[]", "{", *lacking):
        assert refusal(call, EventPattern='{"a": [1]}', Event=bad) == (
            "ValidationException",
            "Parameter Event is not valid.",
        )


def test_a_target_is_given_what_its_input_says(workshop: Workshop) -> None:
    rule, urls = workshop.rule(), {}
    inputs: dict[str, dict[str, Any]] = {
        "constant": {"Input": '{"always": true}'},
        "part": {"InputPath": "$.detail.deep[1]"},
        "nowhere": {"InputPath": "$.detail.none"},
        "made": {
            "InputTransformer": {
                "InputPathsMap": {"n": "$.detail.n", "s": "$.detail.s", "d": "$.detail.deep", "no": "$.no"},
                "InputTemplate": '{"n": <n>, "s": <s>, "text": "<s> has <n>", "d": <d>, "no": "<no>",'
                ' "rule": "<aws.events.rule-name>"}',
            }
        },
    }
    for name, given in inputs.items():
        urls[name], queue = workshop.queue()
        workshop.client.put_targets(Rule=rule, Targets=[{"Id": name, "Arn": queue, **given}])
    workshop.put({"n": 5, "s": 'a "quoted" word', "deep": [1, {"x": None}]})
    assert workshop.body(urls["constant"]) == {"always": True}
    assert workshop.body(urls["part"]) == {"x": None}
    assert workshop.body(urls["nowhere"]) is None
    assert workshop.body(urls["made"]) == {
        "n": 5,
        "s": 'a "quoted" word',
        "text": 'a "quoted" word has 5',
        "d": [1, {"x": None}],
        "no": "",
        "rule": rule,
    }


@pytest.mark.parametrize(
    "template, made",
    [
        ('"it has <list> and <object>, not <no>"', "it has [1,{x:null}] and {id:a,n:b}, not "),
        ('{"object": <object>, "no": <no>}', {"object": {"id": "a", "n": "b"}, "no": ""}),
    ],
)
def test_a_template_is_filled_as_aws_does(workshop: Workshop, template: str, made: Any) -> None:
    url, queue = workshop.queue()
    paths = {"list": "$.detail.list", "object": "$.detail.object", "no": "$.no"}
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    workshop.leads_to(workshop.rule(), queue, InputTransformer=transformer)
    workshop.put({"list": [1, {"x": None}], "object": {"id": "a", "n": "b"}})
    assert workshop.body(url) == made


def test_the_event_in_a_template_spells_its_type_otherwise(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    made = {"InputPathsMap": {}, "InputTemplate": '{"e": <aws.events.event>}'}
    workshop.leads_to(workshop.rule(), queue, InputTransformer=made)
    workshop.put({"n": 1})
    told = workshop.body(url)["e"]
    assert told["detailType"] == "Thing"
    assert not {"detail-type", "detail"} & told.keys()


@pytest.mark.parametrize("path", ["$.detail.object", "$.detail.list"])
def test_an_object_inside_quotes_of_an_object_is_not_delivered(workshop: Workshop, path: str) -> None:
    """It makes no JSON: the event goes to the dead-letter queue, and nothing to the target."""
    (url, queue), (dead, dead_arn) = workshop.queue(), workshop.queue()
    made = {"InputPathsMap": {"x": path}, "InputTemplate": '{"a": "it is <x>", "b": <x>}'}
    rule = workshop.rule()
    workshop.leads_to(rule, queue, InputTransformer=made, DeadLetterConfig={"Arn": dead_arn})
    workshop.put({"object": {"id": "a"}, "list": [1]})
    (message,) = workshop.received(dead)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "INVALID_JSON"
    assert workshop.received(url, wait=0) == []


def test_a_queue_must_allow_the_rule(workshop: Workshop) -> None:
    dead_url, dead = workshop.queue()
    closed_url, closed = workshop.queue(open_=False)
    rule = workshop.rule()
    workshop.leads_to(rule, closed, DeadLetterConfig={"Arn": dead})
    workshop.put({"n": 1})
    (message,) = workshop.received(dead_url)
    told = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    assert told["RULE_ARN"] == workshop.rule_arn(rule)
    assert told["TARGET_ARN"] == closed
    assert told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "sqs:sendmessage" in told["ERROR_MESSAGE"]
    only_others = sending(closed, ArnEquals={"aws:SourceArn": workshop.rule_arn("another")})
    workshop.sqs.set_queue_attributes(QueueUrl=closed_url, Attributes={"Policy": only_others})
    workshop.put({"n": 2})
    assert len(workshop.received(dead_url)) == 1
    ours = sending(
        closed,
        ArnEquals={"aws:SourceArn": workshop.rule_arn(rule)},
        StringEquals={"aws:SourceAccount": workshop.server.account},
    )
    workshop.sqs.set_queue_attributes(QueueUrl=closed_url, Attributes={"Policy": ours})
    workshop.put({"n": 3})
    assert workshop.body(closed_url)["detail"] == {"n": 3}


def test_a_queue_that_is_gone_is_said_to_be(workshop: Workshop) -> None:
    dead_url, dead = workshop.queue()
    workshop.leads_to(workshop.rule(), f"{dead}-gone", DeadLetterConfig={"Arn": dead})
    workshop.put({})
    (message,) = workshop.received(dead_url)
    # whether it is there is not told to whom it does not allow
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_what_fails_is_tried_again_as_often_as_its_policy_says(workshop: Workshop) -> None:
    dead_url, dead = workshop.queue()
    _, small = workshop.queue(MaximumMessageSize="1024")
    retries = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}
    workshop.leads_to(workshop.rule(), small, DeadLetterConfig={"Arn": dead}, RetryPolicy=retries)
    workshop.put({"x": "y" * 2_000})
    (message,) = eventually(lambda: workshop.received(dead_url))
    told = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert told["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert told["RETRY_ATTEMPTS"] == "1"


def test_a_fifo_queue_gets_its_group(workshop: Workshop) -> None:
    url, queue = workshop.queue(FifoQueue="true", ContentBasedDeduplication="true")
    workshop.leads_to(workshop.rule(), queue, SqsParameters={"MessageGroupId": "g"})
    workshop.put({"n": 1})
    (message,) = workshop.received(url)
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_a_role_of_the_target_delivers_in_the_place_of_a_policy(workshop: Workshop) -> None:
    url, queue = workshop.queue(open_=False)
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}],
    }
    role = workshop.server.role([allowed], trust=EVENTS)
    workshop.leads_to(workshop.rule(), queue, RoleArn=role)
    workshop.put({"n": 1})
    assert workshop.body(url)["detail"] == {"n": 1}


def test_a_function_is_invoked_if_its_policy_allows_it(workshop: Workshop) -> None:
    url, _ = workshop.queue()
    source = (
        "import boto3, json\n"
        "def handler(event, context):\n"
        f"    boto3.client('sqs').send_message(QueueUrl={url!r}, MessageBody=json.dumps(event['detail']))\n"
    )
    sending = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}],
    }
    role = workshop.server.role([sending], trust="lambda.amazonaws.com")
    name = workshop.name("function")
    function = workshop.server.function(name, source, role)
    dead_url, dead = workshop.queue()
    rule = workshop.rule()
    workshop.leads_to(rule, function, DeadLetterConfig={"Arn": dead})
    workshop.put({"n": 1})
    (message,) = workshop.received(dead_url)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    workshop.server.client("lambda").add_permission(
        FunctionName=name,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal=EVENTS,
        SourceArn=workshop.rule_arn(rule),
    )
    workshop.put({"n": 2})
    assert workshop.body(url) == {"n": 2}


def test_a_pipeline_is_started_with_parameters_taken_from_the_event(workshop: Workshop) -> None:
    sagemaker = workshop.server.client("sagemaker")
    name = workshop.name("pipeline")
    parameters = [
        {"Name": "File", "Type": "String"},
        {"Name": "Count", "Type": "Integer"},
        {"Name": "Left", "Type": "String", "DefaultValue": "default"},
        {"Name": "Fixed", "Type": "String"},
    ]
    steps = [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]
    definition = {"Version": "2020-12-01", "Parameters": parameters, "Steps": steps}
    arn = sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=workshop.server.role(),
        ClientRequestToken="x" * 32,
    )["PipelineArn"]
    starting = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sagemaker:StartPipelineExecution", "Resource": arn}],
    }
    given = {"File": "$.detail.file", "Count": "$.detail.count", "Left": "$.detail.none", "Fixed": "as it is"}
    workshop.leads_to(
        workshop.rule(),
        arn,
        RoleArn=workshop.server.role([starting], trust=EVENTS),
        SageMakerPipelineParameters={
            "PipelineParameterList": [{"Name": key, "Value": value} for key, value in given.items()]
        },
    )
    workshop.put({"file": "s3://b/k", "count": 3})
    (execution,) = eventually(
        lambda: sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    )
    found = sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )["PipelineParameters"]
    assert {each["Name"]: each["Value"] for each in found} == {
        "File": "s3://b/k",
        "Count": "3",
        "Left": "default",
        "Fixed": "as it is",
    }


def test_a_log_group_is_written_to_if_a_policy_allows_it(workshop: Workshop) -> None:
    logs, group = workshop.server.client("logs"), f"/aws/events/{workshop.name('group')}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{workshop.server.region}:{workshop.server.account}:log-group:{group}"
    dead_url, dead = workshop.queue()
    workshop.leads_to(workshop.rule(), arn, DeadLetterConfig={"Arn": dead})
    workshop.put({"n": 1})
    assert len(workshop.received(dead_url)) == 1
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{arn}:*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    logs.put_resource_policy(policyName=workshop.name("policy"), policyDocument=document)
    workshop.put({"n": 2})
    (event,) = eventually(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert json.loads(event["message"])["detail"] == {"n": 2}


def test_a_scheduled_rule_comes_to_be(start_server: Callable[..., Server]) -> None:
    """Every minute of the clock, so that this takes a minute at most."""
    workshop = Workshop(start_server())
    url, queue = workshop.queue()
    rule = workshop.name("rule")
    workshop.client.put_rule(Name=rule, ScheduleExpression="cron(* * * * ? *)")
    workshop.leads_to(rule, queue)
    messages = next((got for _ in range(4) if (got := workshop.received(url, wait=20))), [])
    body = json.loads(messages[0]["Body"])
    assert (body["source"], body["detail-type"]) == ("aws.events", "Scheduled Event")
    assert (body["resources"], body["detail"]) == ([workshop.rule_arn(rule)], {})
    assert body["time"].endswith(":00Z")


def test_what_was_acknowledged_is_delivered_after_a_kill(start_server: Callable[..., Server]) -> None:
    server = start_server()
    workshop = Workshop(server)
    url, queue = workshop.queue()
    workshop.leads_to(workshop.rule(), queue)
    for number in range(20):
        workshop.put({"n": number})
    server.kill()
    server.start()
    seen: set[int] = set()

    def arrived() -> bool:
        seen.update(json.loads(each["Body"])["detail"]["n"] for each in workshop.received(url, wait=1))
        return len(seen) == 20

    eventually(arrived)
    assert seen == set(range(20))


def test_emr_tells_of_its_clusters_and_steps(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    workshop.leads_to(workshop.rule({"source": ["aws.emr"]}), queue)
    server = workshop.server
    role, instances = (
        server.role(trust="elasticmapreduce.amazonaws.com"),
        server.role(trust="ec2.amazonaws.com"),
    )
    iam, profile = server.client("iam"), workshop.name("profile")
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=instances.rpartition("/")[2])
    step = {
        "Name": "one",
        "ActionOnFailure": "CONTINUE",
        "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", "true"]},
    }
    cluster = server.client("emr").run_job_flow(
        Name="told", Instances={}, JobFlowRole=profile, ServiceRole=role, Steps=[step]
    )["JobFlowId"]
    seen: list[dict[str, Any]] = []

    def told() -> set[tuple[str, str]]:
        for message in workshop.received(url, wait=1):
            event = json.loads(message["Body"])
            if event["detail"]["clusterId"] == cluster:
                seen.append(event)
        return {(event["detail-type"], event["detail"]["state"]) for event in seen}

    cluster_states, step_states = ("STARTING", "RUNNING", "TERMINATED"), ("PENDING", "RUNNING", "COMPLETED")
    wanted = {("EMR Cluster State Change", state) for state in cluster_states}
    wanted |= {("EMR Step Status Change", state) for state in step_states}
    eventually(lambda: told() >= wanted)  # events come in any order
    assert told() == wanted
    (last,) = [event for event in seen if event["detail"]["state"] == "TERMINATED"]
    assert json.loads(last["detail"]["stateChangeReason"])["code"] == "ALL_STEPS_COMPLETED"
    assert last["resources"] == []
    (done,) = [event for event in seen if event["detail"]["state"] == "COMPLETED"]
    assert set(done["detail"]) == {
        "severity",
        "actionOnFailure",
        "stepId",
        "name",
        "clusterId",
        "state",
        "message",
    }
