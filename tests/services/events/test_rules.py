"""Rules, targets, buses and tags through boto3: shape, refusals, effect."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal
from tests.services.events.conftest import Workshop

NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
}


def test_a_rule_is_described_as_it_was_put(workshop: Workshop) -> None:
    pattern = json.dumps({"source": ["a"]})
    name = workshop.name("rule")
    arn = workshop.client.put_rule(Name=name, EventPattern=pattern, Description="d")["RuleArn"]
    shown = workshop.client.describe_rule(Name=name)
    assert arn == workshop.rule_arn(name)
    assert {key: shown[key] for key in shown if key != "ResponseMetadata"} == {
        "Name": name,
        "Arn": arn,
        "EventPattern": pattern,
        "State": "ENABLED",
        "Description": "d",
        "EventBusName": "default",
        "CreatedBy": workshop.server.account,
    }


def test_putting_a_rule_again_resets_what_is_left_out_and_keeps_tags_and_targets(workshop: Workshop) -> None:
    name = workshop.rule(Description="d", State="DISABLED", Tags=[{"Key": "a", "Value": "1"}])
    _, queue = workshop.queue()
    workshop.leads_to(name, queue)
    workshop.client.put_rule(Name=name, ScheduleExpression="rate(1 day)", Tags=[{"Key": "b", "Value": "2"}])
    shown = workshop.client.describe_rule(Name=name)
    assert (shown["State"], shown["ScheduleExpression"]) == ("ENABLED", "rate(1 day)")
    assert "Description" not in shown
    assert "EventPattern" not in shown
    tags = workshop.client.list_tags_for_resource(ResourceARN=shown["Arn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]
    assert len(workshop.client.list_targets_by_rule(Rule=name)["Targets"]) == 1


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (
            {},
            "ValidationException",
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ),
        (
            {"EventPattern": '{"source": "a"}'},
            "InvalidEventPatternException",
            'Event pattern is not valid. Reason: "source" must be an object or an array',
        ),
        (
            {"ScheduleExpression": "rate(1 minutes)"},
            "ValidationException",
            "Parameter ScheduleExpression is not valid.",
        ),
        (
            {"EventPattern": '{"source": ["a"]}', "EventBusName": "none"},
            "ResourceNotFoundException",
            "Event bus none does not exist.",
        ),
        (
            {"ScheduleExpression": "rate(1 minute)", "EventBusName": "other"},
            "ValidationException",
            "ScheduleExpression is supported only on the default event bus.",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_rule_that_cannot_be_is_refused(
    workshop: Workshop, given: dict[str, Any], code: str, message: str
) -> None:
    name = workshop.name("rule")
    assert refusal(workshop.client.put_rule, Name=name, **given) == (code, message)
    assert refusal(workshop.client.describe_rule, Name=name)[0] == "ResourceNotFoundException"


def test_lists_are_in_pages_and_by_prefix(workshop: Workshop) -> None:
    prefix = workshop.name("list")
    names = [workshop.rule(Name=f"{prefix}-{number}") for number in range(3)]
    first = workshop.client.list_rules(NamePrefix=prefix, Limit=2)
    rest = workshop.client.list_rules(NamePrefix=prefix, Limit=2, NextToken=first["NextToken"])
    assert [rule["Name"] for rule in (*first["Rules"], *rest["Rules"])] == names
    assert "NextToken" not in rest
    assert refusal(workshop.client.list_rules, NextToken="ü")[0] == "ValidationException"


def test_a_rule_is_switched_off_and_on(workshop: Workshop) -> None:
    name = workshop.rule()
    (url, queue), (matched, beside) = workshop.queue(), workshop.queue()
    workshop.leads_to(name, queue)
    workshop.leads_to(workshop.rule(), beside)
    workshop.client.disable_rule(Name=name)
    assert workshop.client.describe_rule(Name=name)["State"] == "DISABLED"
    workshop.put({"n": 1})
    assert workshop.body(matched)["detail"] == {"n": 1}
    workshop.client.enable_rule(Name=name)
    assert workshop.client.describe_rule(Name=name)["State"] == "ENABLED"
    workshop.put({"n": 2})
    assert workshop.body(url)["detail"] == {"n": 2}


def test_a_rule_goes_when_its_targets_are_gone(workshop: Workshop) -> None:
    name = workshop.rule()
    _, queue = workshop.queue()
    workshop.leads_to(name, queue)
    assert refusal(workshop.client.delete_rule, Name=name) == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )
    workshop.client.remove_targets(Rule=name, Ids=["t", "never"])
    workshop.client.delete_rule(Name=name)
    workshop.client.delete_rule(Name=name)
    missing = ("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")
    assert refusal(workshop.client.describe_rule, Name=name) == missing
    assert refusal(workshop.client.enable_rule, Name=name) == missing
    assert refusal(workshop.client.disable_rule, Name=name) == missing
    assert refusal(workshop.client.list_targets_by_rule, Rule=name) == missing
    assert refusal(workshop.client.remove_targets, Rule=name, Ids=["t"]) == missing
    assert refusal(workshop.client.put_targets, Rule=name, Targets=[{"Id": "t", "Arn": queue}]) == missing


def test_three_hundred_rules_are_the_most(start_server: Callable[..., Server]) -> None:
    workshop = Workshop(start_server())
    for number in range(300):
        workshop.rule(Name=f"r{number}")
    assert refusal(workshop.client.put_rule, Name="one-more", EventPattern='{"source": ["a"]}') == (
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
    workshop.rule(Name="r7", Description="a rule that is there can still be changed")


def test_targets_are_listed_as_they_were_put_and_found_by_arn(workshop: Workshop) -> None:
    name = workshop.rule()
    _, queue = workshop.queue()
    target = {
        "Id": "one",
        "Arn": queue,
        "InputTransformer": {"InputPathsMap": {"a": "$.detail.a"}, "InputTemplate": '{"a": <a>}'},
        "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60},
    }
    answer = workshop.client.put_targets(Rule=name, Targets=[target, {"Id": "two", "Arn": queue}])
    assert (answer["FailedEntryCount"], answer["FailedEntries"]) == (0, [])
    assert workshop.client.list_targets_by_rule(Rule=name)["Targets"] == [target, {"Id": "two", "Arn": queue}]
    assert workshop.client.list_rule_names_by_target(TargetArn=queue)["RuleNames"] == [name]
    page = workshop.client.list_targets_by_rule(Rule=name, Limit=1)
    assert [each["Id"] for each in page["Targets"]] == ["one"]
    more = workshop.client.list_targets_by_rule(Rule=name, NextToken=page["NextToken"])
    assert [each["Id"] for each in more["Targets"]] == ["two"]


def test_five_targets_are_the_most(workshop: Workshop) -> None:
    name = workshop.rule()
    _, queue = workshop.queue()
    targets = [{"Id": str(number), "Arn": queue} for number in range(6)]
    limit = ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    assert refusal(workshop.client.put_targets, Rule=name, Targets=targets) == limit
    assert workshop.client.list_targets_by_rule(Rule=name)["Targets"] == []
    workshop.client.put_targets(Rule=name, Targets=targets[:5])
    workshop.client.put_targets(Rule=name, Targets=targets[:1])
    many = [{"Id": str(number), "Arn": queue} for number in range(11)]
    assert refusal(workshop.client.put_targets, Rule=name, Targets=many) == limit


SQS = "arn:aws:sqs:us-east-1:111122223333:q"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Arn": "q"}, "Parameter q is not valid. Reason: Provided Arn is not in correct format."),
        (
            {"Arn": "arn:aws:sns:us-east-1:111122223333:t"},
            "passrole does not support targets of sns: it delivers to sqs, lambda, sagemaker, logs",
        ),
        (
            {"Arn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p"},
            "RoleArn is required for target arn:aws:sagemaker:us-east-1:111122223333:pipeline/p.",
        ),
        (
            {"Arn": f"{SQS}.fifo"},
            "Parameter(s) SqsParameters must be specified for target: t.",
        ),
        (
            {"Arn": SQS, "Input": "{}", "InputPath": "$.detail"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        ({"Arn": SQS, "Input": "{"}, "JSON syntax error in input for target t."),
        ({"Arn": SQS, "InputPath": "detail"}, "Invalid JSON path detail for target t."),
        (
            {"Arn": SQS, "InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '"<b>"'}},
            "InputTemplate for target t contains invalid placeholder b.",
        ),
        (
            {"Arn": SQS, "HttpParameters": {}},
            "passrole does not support HttpParameters of target t",
        ),
        (
            {"Arn": SQS, "RoleArn": "arn:aws:iam::111122223333:role/nobody"},
            "Provided role 'arn:aws:iam::111122223333:role/nobody' cannot be assumed by principal"
            " 'events.amazonaws.com'.",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_target_that_cannot_be_is_refused(workshop: Workshop, target: dict[str, Any], message: str) -> None:
    name = workshop.rule()
    asked = {"Rule": name, "Targets": [{"Id": "t", **target}]}
    assert refusal(workshop.client.put_targets, **asked) == ("ValidationException", message)
    assert workshop.client.list_targets_by_rule(Rule=name)["Targets"] == []


def test_buses_come_hold_rules_and_go(workshop: Workshop) -> None:
    name = workshop.name("bus")
    arn = workshop.client.create_event_bus(Name=name, Description="d")["EventBusArn"]
    assert arn == f"arn:aws:events:{workshop.server.region}:{workshop.server.account}:event-bus/{name}"
    assert workshop.client.describe_event_bus(Name=name)["Description"] == "d"
    assert workshop.client.describe_event_bus()["Name"] == "default"
    assert [bus["Name"] for bus in workshop.client.list_event_buses(NamePrefix=name)["EventBuses"]] == [name]
    assert "default" in [bus["Name"] for bus in workshop.client.list_event_buses()["EventBuses"]]
    again = refusal(workshop.client.create_event_bus, Name=name)
    assert again == ("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
    assert refusal(workshop.client.create_event_bus, Name="a/b")[0] == "ValidationException"
    rule = workshop.rule(EventBusName=arn)
    url, queue = workshop.queue()
    workshop.client.put_targets(Rule=rule, EventBusName=name, Targets=[{"Id": "t", "Arn": queue}])
    workshop.put({"bus": "default"})
    workshop.put({"bus": "own"}, EventBusName=name)
    assert workshop.body(url)["detail"] == {"bus": "own"}
    assert refusal(workshop.client.delete_event_bus, Name=name)[0] == "ValidationException"
    workshop.client.remove_targets(Rule=rule, EventBusName=name, Ids=["t"])
    workshop.client.delete_rule(Name=rule, EventBusName=name)
    workshop.client.delete_event_bus(Name=name)
    workshop.client.delete_event_bus(Name=name)
    assert refusal(workshop.client.describe_event_bus, Name=name)[0] == "ResourceNotFoundException"
    assert refusal(workshop.client.delete_event_bus, Name="default") == (
        "ValidationException",
        "Cannot delete event bus default.",
    )


def test_rules_and_buses_have_tags(workshop: Workshop) -> None:
    bus = workshop.name("bus")
    made = workshop.client.create_event_bus(Name=bus, Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    rule = workshop.rule_arn(workshop.rule(Tags=[{"Key": "a", "Value": "1"}]))
    default = workshop.client.describe_event_bus()["Arn"]
    for arn in (made, rule, default):
        tags = [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}]
        workshop.client.tag_resource(ResourceARN=arn, Tags=tags)
        workshop.client.untag_resource(ResourceARN=arn, TagKeys=["b", "never"])
        found = workshop.client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        assert found == [{"Key": "a", "Value": "3"}]
    names = [each["Name"] for each in workshop.client.list_event_buses()["EventBuses"]]
    assert names.count("default") == 1
    many = [{"Key": str(number), "Value": ""} for number in range(51)]
    assert refusal(workshop.client.tag_resource, ResourceARN=rule, Tags=many)[0] == "LimitExceededException"
    missing = refusal(workshop.client.list_tags_for_resource, ResourceARN=f"{rule}-none")
    assert missing[0] == "ResourceNotFoundException"
    assert refusal(workshop.client.untag_resource, ResourceARN="x", TagKeys=["a"])[0] == "ValidationException"


RULE = {"Name": "mine"}
X_ARN = "arn:aws:events:us-east-1:111122223333:rule/x"


@pytest.mark.parametrize(
    ("operation", "asked", "resource"),
    [
        ("put_rule", {**RULE, "ScheduleExpression": "rate(1 day)"}, "rule/mine"),
        ("describe_rule", RULE, "rule/mine"),
        ("enable_rule", RULE, "rule/mine"),
        ("disable_rule", RULE, "rule/mine"),
        ("delete_rule", RULE, "rule/mine"),
        ("list_rules", {}, "*"),
        ("put_targets", {"Rule": "mine", "Targets": [{"Id": "t", "Arn": SQS}]}, "rule/mine"),
        ("remove_targets", {"Rule": "mine", "Ids": ["t"]}, "rule/mine"),
        ("list_targets_by_rule", {"Rule": "mine"}, "rule/mine"),
        ("list_rule_names_by_target", {"TargetArn": SQS}, "*"),
        ("describe_rule", {**RULE, "EventBusName": "b"}, "rule/b/mine"),
        (
            "put_events",
            {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]},
            "event-bus/default",
        ),
        ("test_event_pattern", {"EventPattern": '{"a": [1]}', "Event": "{}"}, "*"),
        ("create_event_bus", {"Name": "b"}, "event-bus/b"),
        ("describe_event_bus", {"Name": "b"}, "event-bus/b"),
        ("delete_event_bus", {"Name": "b"}, "event-bus/b"),
        ("list_event_buses", {}, "*"),
        (
            "tag_resource",
            {"ResourceARN": X_ARN, "Tags": []},
            "rule/x",
        ),
        (
            "untag_resource",
            {"ResourceARN": X_ARN, "TagKeys": []},
            "rule/x",
        ),
        ("list_tags_for_resource", {"ResourceARN": X_ARN}, "rule/x"),
    ],
)
def test_each_operation_is_decided_on_its_resource(
    server: Server, operation: str, asked: dict[str, Any], resource: str
) -> None:
    action = "events:" + "".join(word.capitalize() for word in operation.split("_"))
    code, message = refusal(getattr(server.client("events", NOTHING), operation), **asked)
    assert code == "AccessDeniedException"
    assert f"{action} on resource: " in message
    assert f"{resource} because no identity-based policy" in message


def test_roles_are_passed_and_tags_need_a_permission(workshop: Workshop) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["events:PutRule", "events:PutTargets"], "Resource": "*"}
        ],
    }
    client, role = (
        workshop.server.client("events", policy),
        workshop.server.role(trust="events.amazonaws.com"),
    )
    schedule = {"Name": workshop.rule(), "ScheduleExpression": "rate(1 day)"}
    code, message = refusal(client.put_rule, **schedule, RoleArn=role)
    assert (code, f"iam:PassRole on resource: {role}" in message) == ("AccessDeniedException", True)
    code, message = refusal(client.put_rule, **schedule, Tags=[{"Key": "a", "Value": "b"}])
    assert "events:TagResource" in message
    target = {"Id": "t", "Arn": SQS, "RoleArn": role}
    code, message = refusal(client.put_targets, Rule=schedule["Name"], Targets=[target])
    assert f"iam:PassRole on resource: {role}" in message
    workshop.client.put_rule(**schedule, RoleArn=role)
    assert workshop.client.describe_rule(Name=schedule["Name"])["RoleArn"] == role


def test_policies_can_ask_for_targets_sources_and_types(workshop: Workshop) -> None:
    def may(action: str, key: str, value: str) -> Any:
        statement = {
            "Effect": "Allow",
            "Action": action,
            "Resource": "*",
            "Condition": {"ForAllValues:StringEquals": {key: value}},
        }
        return workshop.server.client("events", {"Version": "2012-10-17", "Statement": [statement]})

    name = workshop.rule()
    client = may("events:PutTargets", "events:TargetArn", SQS)
    client.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": SQS}])
    other = [{"Id": "t", "Arn": f"{SQS}2"}]
    assert refusal(client.put_targets, Rule=name, Targets=other)[0] == "AccessDeniedException"
    client = may("events:PutRule", "events:source", "mine")
    client.put_rule(Name=name, EventPattern='{"source": ["mine"]}')
    refused = refusal(client.put_rule, Name=name, EventPattern='{"source": ["other"]}')
    assert refused[0] == "AccessDeniedException"
    client = may("events:PutEvents", "events:detail-type", "Mine")
    entry = {"Source": "a", "DetailType": "Mine", "Detail": "{}"}
    client.put_events(Entries=[entry, entry])
    assert (
        refusal(client.put_events, Entries=[entry, {**entry, "DetailType": "X"}])[0]
        == "AccessDeniedException"
    )
