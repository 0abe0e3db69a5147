"""Applications and tags through boto3."""

import json
from typing import Any

import pytest
from tests.conftest import new_name
from tests.policies import allowing
from tests.refusals import refusal, refusal_with_status
from tests.services.emr_serverless.conftest import Workshop
from tests.services.scheduler.conftest import Workshop as Queues

TAGS = {"team": "ml"}


def arn(workshop: Workshop, application: str) -> str:
    server = workshop.server
    return f"arn:aws:emr-serverless:{server.region}:{server.account}:/applications/{application}"


def test_an_application_is_made_started_stopped_and_deleted(workshop: Workshop) -> None:
    client, name = workshop.client, new_name("app")
    made = client.create_application(name=name, type="SPARK", releaseLabel="emr-7.1.0", tags=TAGS)
    id_ = made["applicationId"]
    assert (made["arn"], made["name"]) == (arn(workshop, id_), name)
    shown = client.get_application(applicationId=id_)["application"]
    assert (shown["state"], shown["type"], shown["releaseLabel"]) == ("CREATED", "Spark", "emr-7.1.0")
    assert shown["autoStopConfiguration"] == {"enabled": True, "idleTimeoutMinutes": 15}
    assert (shown["autoStartConfiguration"], shown["tags"]) == ({"enabled": True}, TAGS)
    client.start_application(applicationId=id_)
    assert workshop.state(id_) == "STARTED"
    client.start_application(applicationId=id_)
    client.stop_application(applicationId=id_)
    assert workshop.state(id_) == "STOPPED"
    client.delete_application(applicationId=id_)
    assert workshop.state(id_) == "TERMINATED"
    listed = {each["id"] for each in client.list_applications()["applications"]}
    deleted = client.list_applications(states=["TERMINATED"])["applications"]
    assert (id_ in listed, id_ in {each["id"] for each in deleted}) == (False, True)


def test_what_its_state_does_not_allow_is_refused_in_aws_words(workshop: Workshop) -> None:
    client, id_ = workshop.client, workshop.application()
    message = "Application cannot be STOPPED. Applications must be in one of the following statuses:"
    stopped = refusal_with_status(client.stop_application, applicationId=id_)
    assert stopped == (400, "ValidationException", f"{message} [STARTING, STARTED]")
    client.start_application(applicationId=id_)
    message = f"Application {id_} must be in one of the statuses to be updated: [STOPPED, CREATED]."
    updated = refusal(client.update_application, applicationId=id_, releaseLabel="emr-7.2.0")
    assert updated == ("ValidationException", f"{message} Current status: STARTED")
    assert "cannot be TERMINATED" in refusal(client.delete_application, applicationId=id_)[1]
    client.stop_application(applicationId=id_)
    client.delete_application(applicationId=id_)
    gone = (404, "ResourceNotFoundException", f"Application {id_} does not exist.")
    assert refusal_with_status(client.start_application, applicationId=id_) == gone
    assert refusal_with_status(client.get_application, applicationId="00none")[:2] == gone[:2]


def test_it_is_changed_while_it_is_not_started(workshop: Workshop) -> None:
    id_ = workshop.application(runtimeConfiguration=[{"classification": "spark-defaults"}])
    answer = workshop.client.update_application(
        applicationId=id_, releaseLabel="emr-7.2.0", autoStopConfiguration={"enabled": False}
    )["application"]
    assert (answer["releaseLabel"], answer["autoStopConfiguration"]["enabled"]) == ("emr-7.2.0", False)
    assert answer["runtimeConfiguration"] == [{"classification": "spark-defaults"}]


def test_the_same_token_is_the_same_application_and_another_request_a_conflict(workshop: Workshop) -> None:
    token = new_name("token")
    first = workshop.application(clientToken=token)
    assert workshop.application(clientToken=token) == first
    other: dict[str, Any] = {"type": "SPARK", "releaseLabel": "emr-6.9.0", "clientToken": token}
    answer = refusal_with_status(workshop.client.create_application, **other)
    assert answer[:2] == (409, "ConflictException")


def test_hive_is_refused_in_words(workshop: Workshop) -> None:
    answer = refusal(workshop.client.create_application, type="HIVE", releaseLabel="emr-7.1.0")
    assert answer == (
        "ValidationException",
        "passrole does not support applications of the type HIVE: its applications run Spark; use the type"
        " SPARK",
    )


def test_applications_are_listed_in_pages(workshop: Workshop) -> None:
    made = [workshop.application() for _ in range(3)]
    pages = workshop.client.get_paginator("list_applications").paginate(
        states=["CREATED"], PaginationConfig={"PageSize": 2, "MaxItems": 3}
    )
    assert [each["id"] for page in pages for each in page["applications"]] == made[::-1]


def test_applications_have_tags(workshop: Workshop) -> None:
    resource = arn(workshop, workshop.application(tags=TAGS))
    client = workshop.client
    client.tag_resource(resourceArn=resource, tags={"stage": "test"})
    assert client.list_tags_for_resource(resourceArn=resource)["tags"] == {**TAGS, "stage": "test"}
    client.untag_resource(resourceArn=resource, tagKeys=["stage", "none"])
    assert client.list_tags_for_resource(resourceArn=resource)["tags"] == TAGS
    elsewhere = resource.replace(workshop.server.region, "eu-west-9")
    answer = refusal_with_status(client.list_tags_for_resource, resourceArn=elsewhere)
    assert answer[:2] == (404, "ResourceNotFoundException")


def test_a_callers_permissions_are_asked_for(workshop: Workshop) -> None:
    server, id_ = workshop.server, workshop.application(tags=TAGS)
    own = arn(workshop, id_)
    nobody = server.client("emr-serverless", allowing("s3:ListBucket"))
    code, message = refusal(nobody.create_application, type="SPARK", releaseLabel="emr-7.1.0")
    everything = f"arn:aws:emr-serverless:{server.region}:{server.account}:/*"
    assert code == "AccessDeniedException"
    assert (
        f"is not authorized to perform: emr-serverless:CreateApplication on resource: {everything}" in message
    )
    reader = server.client("emr-serverless", allowing("emr-serverless:GetApplication", resource=own))
    assert reader.get_application(applicationId=id_)["application"]["applicationId"] == id_
    assert refusal(reader.start_application, applicationId=id_)[0] == "AccessDeniedException"
    by_tag = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    tagged = server.client("emr-serverless", allowing("emr-serverless:GetApplication", Condition=by_tag))
    assert tagged.get_application(applicationId=id_)
    assert refusal(tagged.get_application, applicationId=workshop.application())[0] == "AccessDeniedException"


def test_to_tag_a_new_application_needs_the_permission_to_tag(workshop: Workshop) -> None:
    making = workshop.server.client("emr-serverless", allowing("emr-serverless:CreateApplication"))
    given = {"type": "SPARK", "releaseLabel": "emr-7.1.0"}
    making.create_application(**given)
    code, message = refusal(making.create_application, **given, tags=TAGS)
    assert (code, "emr-serverless:TagResource" in message) == ("AccessDeniedException", True)


def test_a_rule_hears_of_each_state(workshop: Workshop) -> None:
    server, queues = workshop.server, Queues(workshop.server)
    name, (url, queue) = new_name("rule"), queues.queue()
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queues.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events = server.client("events")
    pattern = {"source": ["aws.emr-serverless"], "detail-type": ["EMR Serverless Application State Change"]}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": queue}])
    id_ = workshop.application(name="heard")
    told = [json.loads(message["Body"]) for message in queues.messages(url, 2)]
    of_ours = (each["detail"] for each in told if each["detail"]["applicationId"] == id_)
    details = sorted(of_ours, key=lambda detail: str(detail["state"]))  # a queue keeps no order
    assert [each["state"] for each in details] == ["CREATED", "CREATING"]
    assert details[1] | {"createdAt": "", "updatedAt": ""} == {
        "applicationId": id_,
        "applicationName": "heard",
        "arn": arn(workshop, id_),
        "releaseLabel": "emr-7.1.0",
        "state": "CREATING",
        "type": "SPARK",
        "createdAt": "",
        "updatedAt": "",
        "autoStopConfig": {"enabled": True, "idleTimeout": 15},
        "autoStartConfig": {"enabled": True},
    }
    events.remove_targets(Rule=name, Ids=["q"])
    events.delete_rule(Name=name)


@pytest.mark.parametrize("member", ["diskEncryptionConfiguration", "interactiveConfiguration"])
def test_a_member_that_would_have_no_effect_is_refused(workshop: Workshop, member: str) -> None:
    given: dict[str, Any] = {"type": "SPARK", "releaseLabel": "emr-7.1.0", member: {}}
    assert refusal(workshop.client.create_application, **given)[0] == "ValidationException"
