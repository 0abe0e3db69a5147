"""A function's resource-based policy: shape, refusals, effect."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.refusals import refusal
from tests.services.lambda_.conftest import Workshop

NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:x", "Resource": "*"}]}


def add(workshop: Workshop, name: str, sid: str = "one", **parameters: Any) -> dict[str, Any]:
    given = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", **parameters}
    answer = workshop.client.add_permission(FunctionName=name, StatementId=sid, **given)
    statement: dict[str, Any] = json.loads(answer["Statement"])
    return statement


@pytest.mark.parametrize(
    ("given", "principal", "condition"),
    [
        ({"Principal": "events.amazonaws.com"}, {"Service": "events.amazonaws.com"}, None),
        ({"Principal": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, None),
        ({"Principal": "arn:aws:iam::1:user/a"}, {"AWS": "arn:aws:iam::1:user/a"}, None),
        ({"Principal": "*"}, "*", None),
        (
            {"SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r", "SourceAccount": "111122223333"},
            {"Service": "events.amazonaws.com"},
            {
                "StringEquals": {"AWS:SourceAccount": "111122223333"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"},
            },
        ),
    ],
    ids=["service", "account", "user", "everybody", "source"],
)
def test_a_statement_is_written_as_aws_writes_it(
    workshop: Workshop, given: dict[str, str], principal: Any, condition: Any
) -> None:
    name = workshop.create()
    statement = add(workshop, name, **given)
    expected = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:InvokeFunction",
        "Resource": workshop.arn(name),
    }
    assert statement == expected | ({"Condition": condition} if condition else {})
    got = workshop.client.get_policy(FunctionName=name)
    assert json.loads(got["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    assert len(got["RevisionId"]) == 36


def test_a_policy_goes_with_its_last_statement(workshop: Workshop) -> None:
    name = workshop.create()
    add(workshop, name)
    add(workshop, name, "two")
    workshop.client.remove_permission(FunctionName=name, StatementId="one")
    policy = json.loads(workshop.client.get_policy(FunctionName=name)["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["two"]
    workshop.client.remove_permission(FunctionName=name, StatementId="two")
    gone = ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert refusal(lambda: workshop.client.get_policy(FunctionName=name)) == gone


def test_what_does_not_fit_is_refused_and_changes_nothing(workshop: Workshop) -> None:
    name = workshop.create()
    add(workshop, name)
    code, sentence = refusal(lambda: add(workshop, name))
    assert (code, sentence[:40]) == ("ResourceConflictException", "The statement id (one) provided already ")
    wrong = "The provided principal was invalid. Please check the principal and try again."
    assert refusal(lambda: add(workshop, name, "p", Principal="nobody")) == (
        "InvalidParameterValueException",
        wrong,
    )
    assert (
        refusal(lambda: add(workshop, name, "q", Qualifier="$LATEST"))[0] == "InvalidParameterValueException"
    )
    assert refusal(lambda: add(workshop, name, "r", RevisionId="other"))[0] == "PreconditionFailedException"
    assert refusal(lambda: workshop.client.remove_permission(FunctionName=name, StatementId="none")) == (
        "ResourceNotFoundException",
        "Statement none is not found in resource policy.",
    )
    assert refusal(lambda: add(workshop, "not-there"))[0] == "ResourceNotFoundException"
    long = "arn:aws:events:us-east-1:111122223333:rule/" + "r" * 150
    code = ""
    for number in range(100):
        try:
            add(workshop, name, f"long-{number}", SourceArn=long)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            break
    assert code == "PolicyLengthExceededException"


def test_a_user_whom_the_policy_names_may_invoke_without_a_policy_of_his_own(workshop: Workshop) -> None:
    name, other = workshop.create("return 'yes'"), workshop.create()
    user = workshop.server.user(NOTHING)
    client = workshop.server.client_with("lambda", user["access_key_id"], user["secret_access_key"])
    assert refusal(lambda: client.invoke(FunctionName=name))[0] == "AccessDeniedException"
    add(workshop, name, Principal=f"arn:aws:iam::{workshop.server.account}:user/{user['user']}")
    assert json.load(client.invoke(FunctionName=name)["Payload"]) == "yes"
    assert refusal(lambda: client.invoke(FunctionName=other))[0] == "AccessDeniedException"
    assert refusal(lambda: client.get_function(FunctionName=name))[0] == "AccessDeniedException"
    workshop.client.remove_permission(FunctionName=name, StatementId="one")
    assert refusal(lambda: client.invoke(FunctionName=name))[0] == "AccessDeniedException"


def test_a_policy_survives_new_code_and_needs_permissions_of_its_own(workshop: Workshop) -> None:
    name = workshop.create()
    add(workshop, name)
    workshop.client.update_function_code(FunctionName=name, ZipFile=workshop.zip("return 2"))
    assert "one" in workshop.client.get_policy(FunctionName=name)["Policy"]
    client = workshop.server.client("lambda", NOTHING)
    calls: list[Callable[[], Any]] = [
        lambda: client.get_policy(FunctionName=name),
        lambda: client.remove_permission(FunctionName=name, StatementId="one"),
        lambda: client.add_permission(
            FunctionName=name, StatementId="x", Action="lambda:InvokeFunction", Principal="*"
        ),
    ]
    assert [refusal(call)[0] for call in calls] == ["AccessDeniedException"] * 3
