"""Schedules through boto3: shape, refusals, lists, idempotency."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import new_name
from tests.policies import allowing
from tests.refusals import refusal, refusal_with_status
from tests.services.scheduler.conftest import OFF, Workshop

NEVER = "cron(0 0 1 1 ? 2199)"
ROLE_REFUSED = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."


def test_a_schedule_is_described_with_what_it_was_given_and_awss_defaults(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    name = new_name("schedule")
    created = workshop.client.create_schedule(**workshop.request(name, queue, ScheduleExpression=NEVER))
    assert created["ScheduleArn"] == workshop.arn(name)
    described = workshop.client.get_schedule(Name=name)
    dates = {described.pop("CreationDate"), described.pop("LastModificationDate")}
    assert len(dates) == 1
    described.pop("ResponseMetadata")
    assert described == {
        "Arn": workshop.arn(name),
        "GroupName": "default",
        "Name": name,
        "ScheduleExpression": NEVER,
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "ActionAfterCompletion": "NONE",
        "FlexibleTimeWindow": OFF,
        "Target": {
            "Arn": queue,
            "RoleArn": workshop.role,
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
        },
    }


def test_an_update_resets_what_it_leaves_out(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    name = workshop.schedule(
        queue,
        Description="nightly",
        StartDate=start,
        EndDate=start + timedelta(days=1),
        ScheduleExpressionTimezone="Europe/Berlin",
        State="DISABLED",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Target={"RetryPolicy": {"MaximumRetryAttempts": 3}, "Input": "hello"},
    )
    before = workshop.client.get_schedule(Name=name)
    assert (before["Description"], before["StartDate"], before["State"]) == ("nightly", start, "DISABLED")
    assert before["FlexibleTimeWindow"]["MaximumWindowInMinutes"] == 15
    assert before["Target"]["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": 86_400,
        "MaximumRetryAttempts": 3,
    }
    updated = workshop.client.update_schedule(**workshop.request(name, queue, ScheduleExpression=NEVER))
    assert updated["ScheduleArn"] == workshop.arn(name)
    after = workshop.client.get_schedule(Name=name)
    assert not {"Description", "StartDate", "EndDate"} & after.keys()
    assert (after["State"], after["ScheduleExpressionTimezone"]) == ("ENABLED", "UTC")
    assert after["FlexibleTimeWindow"] == OFF and "Input" not in after["Target"]
    assert after["CreationDate"] == before["CreationDate"] < after["LastModificationDate"]


def test_the_same_request_again_is_the_same_schedule_and_another_one_a_conflict(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    request = workshop.request(new_name("schedule"), queue, ScheduleExpression=NEVER)
    create, token = workshop.client.create_schedule, {"ClientToken": "t-1"}
    assert create(**request, **token)["ScheduleArn"] == create(**request, **token)["ScheduleArn"]
    conflict = (409, "ConflictException", f"Schedule {request['Name']} already exists.")
    assert refusal_with_status(create, **request, ClientToken="t-2") == conflict
    assert refusal_with_status(create, **{**request, "Description": "other"}, **token) == conflict


def test_a_schedule_that_is_deleted_is_gone(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    name = workshop.schedule(queue, ScheduleExpression=NEVER)
    workshop.client.delete_schedule(Name=name)
    gone = (404, "ResourceNotFoundException", f"Schedule {name} does not exist.")
    assert refusal_with_status(workshop.client.get_schedule, Name=name) == gone
    assert refusal_with_status(workshop.client.delete_schedule, Name=name) == gone
    update = workshop.request(name, queue)
    assert refusal_with_status(workshop.client.update_schedule, **update) == gone


def test_an_unknown_group_is_named(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    unknown = (404, "ResourceNotFoundException", "Schedule group nowhere does not exist.")
    request = workshop.request(new_name("schedule"), queue, GroupName="nowhere")
    assert refusal_with_status(workshop.client.create_schedule, **request) == unknown
    assert refusal_with_status(workshop.client.get_schedule, Name="s", GroupName="nowhere") == unknown
    assert refusal_with_status(workshop.client.list_schedules, GroupName="nowhere") == unknown


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SOON = datetime(2190, 1, 1, tzinfo=UTC)
LATER = datetime(2191, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        # recorded on AWS
        ({"ScheduleExpression": "cron(0 1 * * * *)"}, "Invalid Schedule Expression cron(0 1 * * * *)."),
        ({"ScheduleExpression": "rate(10 seconds)"}, "Invalid Schedule Expression rate(10 seconds)."),
        ({"ScheduleExpression": " rate(10 minutes)"}, "Invalid Schedule Expression  rate(10 minutes)."),
        (
            {"ScheduleExpression": "at(2021-12-31T23:59:59Z)"},
            "Invalid Schedule Expression at(2021-12-31T23:59:59Z).",
        ),
        ({"ScheduleExpression": "at(2021-12-31)"}, "Invalid Schedule Expression at(2021-12-31)."),
        ({"StartDate": LONG_AGO}, "The StartDate you specify cannot be earlier than 5 minutes ago."),
        # passrole's words
        ({"StartDate": LATER, "EndDate": SOON}, "The EndDate you specify must come after the StartDate."),
        (
            {"ScheduleExpressionTimezone": "Europe/Atlantis"},
            "Invalid ScheduleExpressionTimezone Europe/Atlantis.",
        ),
        ({"ScheduleExpressionTimezone": "../../passwd"}, "Invalid ScheduleExpressionTimezone ../../passwd."),
        ({"ScheduleExpressionTimezone": "Europe"}, "Invalid ScheduleExpressionTimezone Europe."),
        (
            {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
            "MaximumWindowInMinutes is required when the FlexibleTimeWindow is FLEXIBLE.",
        ),
    ],
)
def test_a_timing_that_makes_no_sense_is_refused(
    workshop: Workshop, more: dict[str, Any], message: str
) -> None:
    _, queue = workshop.queue()
    request = workshop.request(new_name("schedule"), queue, **more)
    assert refusal(workshop.client.create_schedule, **request) == ("ValidationException", message)
    name = workshop.schedule(queue, ScheduleExpression=NEVER)
    request = workshop.request(name, queue, **more)
    assert refusal(workshop.client.update_schedule, **request) == ("ValidationException", message)
    assert workshop.client.get_schedule(Name=name)["ScheduleExpression"] == NEVER


@pytest.mark.parametrize("expression", ["at(2199-12-31T23:59:59)", "cron(0 12 * * ?)", "rate(1 day)"])
def test_dates_of_one_time_schedules_are_ignored_and_a_year_may_be_left_out(
    workshop: Workshop, expression: str
) -> None:
    _, queue = workshop.queue()
    dates = {"StartDate": LATER, "EndDate": SOON} if expression.startswith("at") else {}
    name = workshop.schedule(queue, ScheduleExpression=expression, **dates)
    assert workshop.client.get_schedule(Name=name)["ScheduleExpression"] == expression


def test_a_role_that_scheduler_cannot_assume_is_refused(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    for_events = workshop.server.role([], "events.amazonaws.com")
    nobody = f"arn:aws:iam::{workshop.server.account}:role/nobody"
    for role in (for_events, nobody):
        request = workshop.request(new_name("schedule"), queue, Target={"RoleArn": role})
        answer = refusal(workshop.client.create_schedule, **request)
        assert answer == ("ValidationException", ROLE_REFUSED)


@pytest.mark.parametrize("group", ["default", "other"])
def test_what_the_trust_policy_sees_is_the_group_and_the_account(workshop: Workshop, group: str) -> None:
    _, queue = workshop.queue()
    trusted = workshop.role_that(
        ArnEquals={"aws:SourceArn": workshop.group_arn(group)},
        StringEquals={"aws:SourceAccount": workshop.server.account},
    )
    request = workshop.request(
        new_name("schedule"), queue, ScheduleExpression=NEVER, Target={"RoleArn": trusted}
    )
    if group == "default":
        workshop.client.create_schedule(**request)
    else:
        assert refusal(workshop.client.create_schedule, **request)[1] == ROLE_REFUSED


def test_to_create_one_asks_for_the_schedule_and_for_the_role(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    request = workshop.request(new_name("schedule"), queue, ScheduleExpression=NEVER)
    schedule = allowing("scheduler:CreateSchedule", resource=workshop.arn(request["Name"]))
    client = workshop.server.client("scheduler", schedule)
    status, code, message = refusal_with_status(client.create_schedule, **request)
    assert (status, code) == (403, "AccessDeniedException")
    assert f"is not authorized to perform: iam:PassRole on resource: {workshop.role}" in message
    to_scheduler = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    passing = allowing("iam:PassRole", resource=workshop.role, Condition=to_scheduler)
    both = {**schedule, "Statement": [*schedule["Statement"], *passing["Statement"]]}
    workshop.server.client("scheduler", both).create_schedule(**request)
    other = {**request, "Name": new_name("schedule")}
    assert refusal(workshop.server.client("scheduler", both).create_schedule, **other)[0] == (
        "AccessDeniedException"
    )


def test_lists_are_in_pages_and_take_group_prefix_and_state(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    group, prefix = new_name("group"), new_name("listed")
    workshop.client.create_schedule_group(Name=group)
    for number in range(3):
        request = workshop.request(f"{prefix}-{number}", queue, ScheduleExpression=NEVER, GroupName=group)
        workshop.client.create_schedule(**request, State="DISABLED" if number == 1 else "ENABLED")
    workshop.client.create_schedule(**workshop.request(f"{prefix}-x", queue, ScheduleExpression=NEVER))

    def listed(**wanted: Any) -> list[str]:
        pages = workshop.client.get_paginator("list_schedules").paginate(
            **wanted, PaginationConfig={"PageSize": 2}
        )
        return [each["Name"].removeprefix(prefix) for page in pages for each in page["Schedules"]]

    assert listed(GroupName=group) == ["-0", "-1", "-2"]
    assert listed(GroupName=group, State="ENABLED") == ["-0", "-2"]
    assert sorted(listed(NamePrefix=prefix)) == ["-0", "-1", "-2", "-x"]
    (one,) = workshop.client.list_schedules(NamePrefix=f"{prefix}-1")["Schedules"]
    assert one["Target"] == {"Arn": queue} and one["State"] == "DISABLED" and one["GroupName"] == group
    answer = refusal(workshop.client.list_schedules, NextToken="invented")
    assert answer == ("ValidationException", "Invalid NextToken.")
