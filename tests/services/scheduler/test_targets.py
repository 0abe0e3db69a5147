"""What schedules invoke, really: each kind of target, as the role of the target and nobody else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.policies import allowing
from tests.refusals import refusal
from tests.services.scheduler.conftest import Workshop

ASKS: dict[str, Any] = {
    "Version": "2020-12-01",
    "Metadata": {},
    "Parameters": [{"Name": "When", "Type": "String"}],
    "PipelineExperimentConfig": None,
    "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.When"}}}],
}
TELLS = "def handler(event, context):\n    print('got', event)\n    return event\n"


def pipeline(server: Server) -> str:
    """A pipeline that fails with the value of its parameter, which so can be seen."""
    name = new_name("scheduled")
    arn: str = server.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(ASKS),
        RoleArn=server.role([allowing("lambda:InvokeFunction")]),
        ClientRequestToken="t" * 32,
    )["PipelineArn"]
    return arn


def test_a_queue_gets_the_input_or_a_notification(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    name = workshop.schedule(queue, Target={"Input": "good <aws.scheduler.schedule-arn> morning"})
    (got,) = workshop.messages(url)
    assert got["Body"] == f"good {workshop.arn(name)} morning"
    name = workshop.schedule(queue)
    notified = workshop.body(url)
    assert (notified["source"], notified["detail-type"]) == ("aws.scheduler", "Scheduled Event")
    assert (notified["resources"], notified["detail"]) == ([workshop.arn(name)], "{}")


def test_a_fifo_queue_needs_a_group(workshop: Workshop) -> None:
    url, queue = workshop.queue(FifoQueue="true", ContentBasedDeduplication="true")
    request = workshop.request(new_name("schedule"), queue)
    code, message = refusal(workshop.client.create_schedule, **request)
    assert (code, "MessageGroupId is required" in message) == ("ValidationException", True)
    workshop.schedule(queue, Target={"SqsParameters": {"MessageGroupId": "g"}})
    (got,) = workshop.messages(url)
    assert got["Attributes"]["MessageGroupId"] == "g"


def test_a_pipeline_starts_once_with_its_parameters(workshop: Workshop) -> None:
    arn = pipeline(workshop.server)
    role = workshop.role_that(allowing("sagemaker:StartPipelineExecution", resource=arn))
    given = {"PipelineParameterList": [{"Name": "When", "Value": "<aws.scheduler.scheduled-time>"}]}
    name = workshop.schedule(arn, Target={"RoleArn": role, "SageMakerPipelineParameters": given})
    sagemaker = workshop.server.client("sagemaker")

    def started() -> list[dict[str, Any]]:
        listed = sagemaker.list_pipeline_executions(PipelineName=arn.rpartition("/")[2])
        found: list[dict[str, Any]] = listed["PipelineExecutionSummaries"]
        return found

    (execution,) = eventually(started)
    ended = workshop.server.finished(execution["PipelineExecutionArn"])
    said = workshop.server.steps(execution["PipelineExecutionArn"])["Stop"]["FailureReason"]
    created = workshop.client.get_schedule(Name=name)["CreationDate"].astimezone(UTC)
    assert created.strftime("%Y-%m-%dT%H:%M:%SZ") in said
    assert ended["CreatedBy"]["IamIdentity"]["Arn"].startswith(
        f"arn:aws:sts::{workshop.server.account}:assumed-role/{role.rpartition('/')[2]}/"
    )
    assert len(started()) == 1


def test_a_function_is_invoked(workshop: Workshop) -> None:
    function = workshop.server.function(new_name("scheduled"), TELLS)
    role = workshop.role_that(allowing("lambda:InvokeFunction", resource=function))
    workshop.schedule(function, Target={"RoleArn": role, "Input": '{"mark": "by-schedule"}'})
    logs, group = workshop.server.client("logs"), f"/aws/lambda/{function.rpartition(':')[2]}"

    def told() -> list[Any]:
        try:
            found: list[Any] = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event for event in found if "by-schedule" in event["message"]]

    eventually(told)


def test_an_event_is_put_on_a_bus(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    events, rule = workshop.server.client("events"), new_name("rule")
    workshop.server.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps(open_to_events(queue))}
    )
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": queue}])
    bus = f"arn:aws:events:{workshop.server.region}:{workshop.server.account}:event-bus/default"
    given = {"EventBridgeParameters": {"Source": rule, "DetailType": "Tick"}, "Input": '{"n": 1}'}
    role = workshop.role_that(allowing("events:PutEvents", resource=bus))
    workshop.schedule(bus, Target={"RoleArn": role, **given})
    event = workshop.body(url)
    assert (event["detail-type"], event["detail"]) == ("Tick", {"n": 1})


def open_to_events(queue: str) -> dict[str, Any]:
    return allowing("sqs:SendMessage", resource=queue, Principal={"Service": "events.amazonaws.com"})


def test_a_universal_target_is_the_operation_that_it_names(workshop: Workshop) -> None:
    url, _ = workshop.queue()
    request = {"QueueUrl": url, "MessageBody": "at <aws.scheduler.scheduled-time>"}
    target = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
    workshop.schedule(target, Target={"Input": json.dumps(request)})
    (message,) = workshop.messages(url)
    assert message["Body"].startswith("at 20")
    function = workshop.server.function(new_name("scheduled"), TELLS)
    role = workshop.role_that(allowing("lambda:InvokeFunction"))
    called = {"FunctionName": function, "InvocationType": "Event", "Payload": '{"mark": "universal"}'}
    universal = "arn:aws:scheduler:::aws-sdk:lambda:invoke"
    workshop.schedule(universal, Target={"RoleArn": role, "Input": json.dumps(called)})
    logs, group = workshop.server.client("logs"), f"/aws/lambda/{function.rpartition(':')[2]}"

    def told() -> bool:
        try:
            return "universal" in str(logs.filter_log_events(logGroupName=group)["events"])
        except logs.exceptions.ResourceNotFoundException:
            return False

    eventually(told)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Arn": "nonsense"}, "Invalid target ARN nonsense."),
        ({"Arn": "arn:aws-cn:sqs:cn-north-1:111122223333:q"}, "Invalid target ARN arn:aws-cn:sqs"),
        ({"Arn": "arn:aws:sqs:nowhere:111122223333:q"}, "`nowhere` is not the code of a region"),
        ({"Arn": "arn:aws:sqs:us-east-1:1:q"}, "`1` is not an account id"),
        (
            {
                "Arn": "arn:aws:sqs:us-east-1:111122223333:q",
                "DeadLetterConfig": {"Arn": "arn:aws:sqs:nowhere:111122223333:q"},
            },
            "`nowhere` is not the code of a region",
        ),
        (
            {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": '{"QueueUrl": 5}'},
            "of the type str",
        ),
        (
            {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": '{"Queue": "q"}'},
            "no member Queue",
        ),
        (
            {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": '{"DelaySeconds": true}'},
            "DelaySeconds of the target's input is not of the type integer",
        ),
        (
            {
                "Arn": "arn:aws:scheduler:::aws-sdk:eventbridge:putEvents",
                "Input": '{"Entries": [{"Time": "x"}]}',
            },
            "PutEvents.Entries[0].Time of the target's input is not of the type timestamp",
        ),
        ({"Arn": "arn:aws:ecs:us-east-1:111122223333:cluster/c"}, "passrole does not support the target"),
        ({"Arn": "arn:aws:sagemaker:us-east-1:111122223333:model/m"}, "passrole does not support the target"),
        (
            {"Arn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p"},
            "SageMakerPipelineParameters is",
        ),
        ({"Arn": "arn:aws:lambda:us-east-1:111122223333:function:f", "Input": "text"}, "well-formed JSON"),
        ({"Arn": "arn:aws:events:us-east-1:111122223333:event-bus/default"}, "EventBridgeParameters is requ"),
        (
            {"Arn": "arn:aws:sqs:us-east-1:111122223333:q", "SageMakerPipelineParameters": {}},
            "SageMakerPipelineParameters is not supported for the target",
        ),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}, "Input is required"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": "[]"}, "well-formed JSON"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage", "Input": "{}"}, "only reads"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:inventMessage", "Input": "{}"}, "not an operation of sqs"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:SendMessage", "Input": "{}"}, "not an operation of sqs"),
        (
            {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startNotebookInstance", "Input": "{}"},
            "passrole does not support the operation sagemaker:StartNotebookInstance",
        ),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:ec2:runInstances", "Input": "{}"}, "passrole does not support"),
    ],
)
def test_a_target_that_could_not_be_invoked_is_refused(
    workshop: Workshop, target: dict[str, Any], message: str
) -> None:
    request = workshop.request(new_name("schedule"), "", Target=target)
    code, said = refusal(workshop.client.create_schedule, **request)
    assert (code, message in said) == ("ValidationException", True), said


def test_what_the_role_may_not_do_goes_to_the_dead_letter_queue_at_once(workshop: Workshop) -> None:
    dead, dead_arn = workshop.queue()
    _, queue = workshop.queue()
    role = workshop.role_that(allowing("sqs:SendMessage", resource=dead_arn))
    given = {"RoleArn": role, "DeadLetterConfig": {"Arn": dead_arn}, "Input": "the input"}
    name = workshop.schedule(queue, Target=given)
    (letter,) = workshop.messages(dead)
    said = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    assert letter["Body"] == "the input"
    assert said.pop("ERROR_MESSAGE").startswith(f"User: arn:aws:sts::{workshop.server.account}:assumed-role/")
    assert len(said.pop("EXECUTION_ID")) == 16 and said.pop("SCHEDULED_TIME").endswith("Z")
    assert said == {
        "ERROR_CODE": "AccessDenied",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULE_ARN": workshop.arn(name),
        "TARGET_ARN": queue,
    }


UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
EVENT = {"EventBridgeParameters": {"Source": "denied", "DetailType": "Tick"}, "Input": "{}"}


@pytest.mark.parametrize(
    ("action", "resource", "target"),
    [
        ("lambda:InvokeFunction", "lambda:{place}:function:denied", {}),
        (
            "sagemaker:StartPipelineExecution",
            "sagemaker:{place}:pipeline/denied",
            {"SageMakerPipelineParameters": {"PipelineParameterList": []}},
        ),
        ("events:PutEvents", "events:{place}:event-bus/default", EVENT),
        (
            "sagemaker:StartPipelineExecution",
            f"{UNIVERSAL}sagemaker:startPipelineExecution",
            {"Input": '{"PipelineName": "denied", "ClientRequestToken": "' + "t" * 32 + '"}'},
        ),
        (
            "lambda:InvokeFunction",
            f"{UNIVERSAL}lambda:invoke",
            {"Input": '{"FunctionName": "denied", "InvocationType": "Event"}'},
        ),
    ],
)
def test_each_kind_of_target_asks_its_role_for_its_action(
    workshop: Workshop, action: str, resource: str, target: dict[str, Any]
) -> None:
    dead, dead_arn = workshop.queue()
    role = workshop.role_that(allowing("sqs:SendMessage", resource=dead_arn))
    place = f"{workshop.server.region}:{workshop.server.account}"
    arn = resource if resource.startswith("arn:") else f"arn:aws:{resource.format(place=place)}"
    workshop.schedule(arn, Target={"RoleArn": role, "DeadLetterConfig": {"Arn": dead_arn}, **target})
    (letter,) = workshop.messages(dead)
    said = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    assert f" is not authorized to perform: {action} on resource: " in said["ERROR_MESSAGE"]
    assert said["ERROR_CODE"].startswith("AccessDenied")  # SQS has another code than the others
    assert said["RETRY_ATTEMPTS"] == "0"


def test_a_schedule_that_has_run_for_the_last_time_is_deleted_if_it_is_to_be(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    once = {"ScheduleExpression": just_now(), "Target": {"Input": "once"}}
    kept = workshop.schedule(queue, **once)
    gone = workshop.schedule(queue, **once, ActionAfterCompletion="DELETE")
    assert [each["Body"] for each in workshop.messages(url, 2)] == ["once", "once"]
    names = {kept, gone}

    def left() -> set[str]:
        listed = workshop.client.list_schedules(GroupName="default", NamePrefix="schedule")["Schedules"]
        return {each["Name"] for each in listed} & names

    eventually(lambda: left() == {kept})


def just_now() -> str:
    return f"at({(datetime.now(UTC) - timedelta(seconds=5)).strftime('%Y-%m-%dT%H:%M:%S')})"
