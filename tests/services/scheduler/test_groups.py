"""Schedule groups and their tags through boto3."""

import pytest
from tests.conftest import new_name
from tests.policies import allowing
from tests.refusals import refusal, refusal_with_status
from tests.services.scheduler.conftest import Workshop

TAGS = [{"Key": "team", "Value": "ml"}]


def test_a_group_is_made_described_and_deleted_with_its_schedules(workshop: Workshop) -> None:
    url, queue = workshop.queue()
    group = new_name("group")
    created = workshop.client.create_schedule_group(Name=group, Tags=TAGS)
    assert created["ScheduleGroupArn"] == workshop.group_arn(group)
    described = workshop.client.get_schedule_group(Name=group)
    assert (described["Arn"], described["State"]) == (workshop.group_arn(group), "ACTIVE")
    name = workshop.schedule(queue, GroupName=group)
    assert workshop.body(url)["resources"] == [workshop.arn(name, group)]
    workshop.client.delete_schedule_group(Name=group)
    gone = (404, "ResourceNotFoundException", f"Schedule group {group} does not exist.")
    assert refusal_with_status(workshop.client.get_schedule_group, Name=group) == gone
    assert refusal_with_status(workshop.client.delete_schedule_group, Name=group) == gone
    workshop.client.create_schedule_group(Name=group)
    assert workshop.client.list_schedules(GroupName=group)["Schedules"] == []


def test_the_default_group_is_there_and_stays(workshop: Workshop) -> None:
    assert workshop.client.get_schedule_group(Name="default")["Arn"] == workshop.group_arn("default")
    answer = refusal(workshop.client.delete_schedule_group, Name="default")
    assert answer == ("ValidationException", "The default schedule group cannot be deleted.")
    taken = refusal_with_status(workshop.client.create_schedule_group, Name="default")
    assert taken == (409, "ConflictException", "Schedule group default already exists.")


def test_the_same_request_again_is_the_same_group_and_another_one_a_conflict(workshop: Workshop) -> None:
    create, name = workshop.client.create_schedule_group, new_name("group")
    create(Name=name, ClientToken="t-1", Tags=TAGS)
    assert create(Name=name, ClientToken="t-1", Tags=TAGS)["ScheduleGroupArn"] == workshop.group_arn(name)
    for again in ({"ClientToken": "t-2", "Tags": TAGS}, {"ClientToken": "t-1"}):
        assert refusal(create, Name=name, **again)[0] == "ConflictException"


def test_groups_are_listed_by_name(workshop: Workshop) -> None:
    prefix = new_name("listed")
    for number in range(3):
        workshop.client.create_schedule_group(Name=f"{prefix}-{number}")
    pages = workshop.client.get_paginator("list_schedule_groups").paginate(
        NamePrefix=prefix, PaginationConfig={"PageSize": 2}
    )
    found = [[each["Name"] for each in page["ScheduleGroups"]] for page in pages]
    assert found == [[f"{prefix}-0", f"{prefix}-1"], [f"{prefix}-2"]]
    everything = workshop.client.list_schedule_groups()["ScheduleGroups"]
    assert "default" in [each["Name"] for each in everything]


@pytest.mark.parametrize("group", ["default", "own"])
def test_groups_have_tags(workshop: Workshop, group: str) -> None:
    if group == "own":
        workshop.client.create_schedule_group(Name=(group := new_name("group")))
    arn = workshop.group_arn(group)
    workshop.client.tag_resource(ResourceArn=arn, Tags=[*TAGS, {"Key": "stage", "Value": "test"}])
    workshop.client.untag_resource(ResourceArn=arn, TagKeys=["stage", "none"])
    assert workshop.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == TAGS
    workshop.client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    elsewhere = arn.replace(workshop.server.region, "eu-west-9")
    assert refusal(workshop.client.list_tags_for_resource, ResourceArn=elsewhere)[0] == (
        "ResourceNotFoundException"
    )


def test_tags_of_the_group_count_for_its_schedules(workshop: Workshop) -> None:
    _, queue = workshop.queue()
    group = new_name("group")
    workshop.client.create_schedule_group(Name=group, Tags=TAGS)
    name = workshop.schedule(queue, GroupName=group, ScheduleExpression="cron(0 0 1 1 ? 2199)")
    of_team = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    client = workshop.server.client("scheduler", allowing("scheduler:GetSchedule", Condition=of_team))
    assert client.get_schedule(Name=name, GroupName=group)["Name"] == name
    assert refusal(client.get_schedule, Name=name)[0] == "AccessDeniedException"


def test_to_delete_a_group_is_to_delete_its_schedules(workshop: Workshop) -> None:
    group = new_name("group")
    workshop.client.create_schedule_group(Name=group)
    client = workshop.server.client("scheduler", allowing("scheduler:DeleteScheduleGroup"))
    code, message = refusal(client.delete_schedule_group, Name=group)
    assert code == "AccessDeniedException"
    assert f"scheduler:DeleteSchedule on resource: {workshop.arn('*', group)}" in message
