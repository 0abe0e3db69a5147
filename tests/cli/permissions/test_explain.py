"""`passrole explain`: requests by files and by a server, and calls of the audit trail."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from tests.conftest import Server

from passrole.cli import main

QUEUE = "arn:aws:sqs:us-east-1:111122223333:approvals"
ROLE = "arn:aws:iam::111122223333:role/x"
Write = Callable[[str, Any], str]


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments], prog_name="passrole")


def told(*arguments: str) -> dict[str, Any]:
    """The only decision, as JSON."""
    (decision,) = json.loads(explain(*arguments, "--format", "json").stdout)["decisions"]
    found: dict[str, Any] = decision
    return found


def written(*arguments: str) -> Result:
    """What is told once the trail has it: a line is written a turn of the loop after the answer."""
    until = time.monotonic() + 10
    while (result := explain(*arguments)).exit_code == 2 and time.monotonic() < until:
        time.sleep(0.02)
    return result


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    listed = [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*", **each} for each in statements]
    return {"Version": "2012-10-17", "Statement": listed}


def test_a_denial_by_files_is_told_in_full_and_is_1(write: Write) -> None:
    role = write("role.json", document({"Sid": "Send", "Resource": QUEUE}))
    result = explain("--policy", role, "--action", "sqs:SendMessage", "--resource", f"{QUEUE}2")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"denied  sqs:SendMessage on {QUEUE}2"
    assert lines[2].endswith("because no identity-based policy allows the sqs:sendmessage action")
    assert "  identity silent  <- decided" in lines
    assert any("allows sqs:SendMessage, but only on the name `approvals`" in line for line in lines)
    assert json.loads("\n".join(lines[lines.index("what would allow it") + 2 :])) == {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": f"{QUEUE}2",
    }


def test_what_is_allowed_is_0_and_names_its_statement(write: Write) -> None:
    role = write("role.json", document({"Action": "s3:*"}, {"Sid": "Send"}))
    result = explain("--policy", role, "--action", "sqs:SendMessage", "--resource", QUEUE)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"allowed  sqs:SendMessage on {QUEUE}")
    assert "  identity allow  statement 2 (`Send`) of role.json  <- decided" in result.stdout
    assert "what would allow it" not in result.stdout


def test_an_explicit_deny_says_that_nothing_can_be_added(write: Write) -> None:
    role = write("role.json", document({}, {"Effect": "Deny", "Action": "sqs:Send*"}))
    arguments = ("--policy", role, "--action", "sqs:SendMessage", "--resource", QUEUE)
    result = explain(*arguments)
    assert "  statement 2 of role.json denies sqs:SendMessage" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("  nothing that can be added")
    assert (told(*arguments)["layers"][0]["verdict"], told(*arguments)["remedies"]) == ("deny", [])


def test_every_layer_that_is_silent_gets_its_statement(write: Write) -> None:
    role, boundary = (
        write("role.json", document({"Action": "s3:*"})),
        write("b.json", document({"Action": "s3:*"})),
    )
    found = told(
        *("--policy", role, "--boundary", boundary, "--action", "sqs:SendMessage", "--resource", QUEUE)
    )
    assert [each["layer"] for each in found["remedies"]] == ["identity", "boundary"]
    assert {each["layer"]: each["verdict"] for each in found["layers"]} == {
        "identity": "silent",
        "boundary": "silent",
    }


def test_condition_keys_are_given_one_by_one(write: Write) -> None:
    condition = {
        "StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]},
    }
    role = write("role.json", document({"Action": "iam:PassRole", "Condition": condition}))
    asked = ("--policy", role, "--action", "iam:PassRole", "--resource", ROLE)
    to_ec2 = ("--context", "iam:PassedToService=ec2.amazonaws.com")
    assert explain(*asked, *to_ec2).exit_code == 0
    assert explain(*asked, *to_ec2, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=b").exit_code == 0
    assert explain(*asked, *to_ec2, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=c").exit_code == 1
    found = told(*asked, "--context", "iam:PassedToService=lambda.amazonaws.com")
    assert found["remedies"][0]["statement"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}
    }


def test_a_policy_of_the_resource_and_a_trust_policy_are_asked_too(write: Write) -> None:
    nothing = write("none.json", document({"Action": "s3:*"}))
    queue = write("queue.json", document({"Principal": {"AWS": ROLE}}))
    asked = ("--action", "sqs:SendMessage", "--resource", QUEUE, "--resource-policy", queue)
    assert explain("--principal", ROLE, "--policy", nothing, *asked).exit_code == 0
    lambda_ = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust = write("trust.json", {"Statement": [{**lambda_, "Action": "sts:AssumeRole"}]})
    assuming = ("--action", "sts:AssumeRole", "--resource", ROLE, "--resource-policy", trust)
    assert explain("--principal", "lambda.amazonaws.com", *assuming).exit_code == 0
    refused = told("--principal", "sagemaker.amazonaws.com", *assuming)
    assert refused["remedies"][0]["statement"] == {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("--action sqs:SendMessage", "no caller to explain: pass --policy, --role or --principal"),
        ("--policy {policy}", "to explain a request that you describe, pass --action"),
        ("--resource *", "to explain a request that you describe, pass --action"),
        ("--policy {policy} --action sqs", "`sqs` is not an action such as `sqs:SendMessage`"),
        ("--policy {policy} --action sqs:*", "is not an action"),
        ("--policy {policy} --action sqs:ListQueues --resource q", "`q` is not an ARN"),
        ("--policy {policy} --action sqs:ListQueues --context k", "`k` is not NAME=VALUE"),
        (
            "--policy {policy} --action sqs:ListQueues --principal nobody",
            "`nobody` is not the ARN of a user, a role",
        ),
        (
            "--policy {policy} --action sqs:ListQueues --request-id r",
            "--request-id and --action exclude each other",
        ),
        ("--policy {policy} --action sqs:ListQueues --role r", "--role brings its own policies"),
        ("--policy {empty} --action sqs:ListQueues", "is not a usable policy"),
        ("--role r --action sqs:ListQueues --data {folder}", "is not a data folder yet"),
        ("--data {folder}", "has no audit trail"),
        ("--data {quiet}", "has no denial"),
        ("--data {quiet} --request-id other", "no permission checked under the request id `other`"),
    ],
)
def test_what_cannot_be_used_is_2_and_one_line(
    write: Write, tmp_path: Path, arguments: str, message: str
) -> None:
    (tmp_path / "quiet").mkdir()
    (tmp_path / "quiet" / "audit.jsonl").write_text('{"request_id": "r", "checks": []}\n')
    files = {
        "policy": write("policy.json", document({})),
        "empty": write("empty.json", {}),
        "folder": str(tmp_path),
        "quiet": str(tmp_path / "quiet"),
    }
    result = explain(*arguments.format(**files).split())
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


def test_the_last_denial_and_any_call_are_found_in_the_trail(start_server: Callable[..., Server]) -> None:
    server = start_server()
    queue = server.client("sqs").create_queue(QueueName="explained")["QueueUrl"]
    arn = f"arn:aws:sqs:{server.region}:{server.account}:explained"
    poor = document({"Action": "sqs:ReceiveMessage", "Resource": arn})
    with pytest.raises(ClientError) as caught:
        server.client("sqs", poor).send_message(QueueUrl=queue, MessageBody="x")
    request_id = caught.value.response["ResponseMetadata"]["RequestId"]
    place = ("--data", str(server.data))
    assert written(*place).exit_code == 1
    last = told(*place)
    assert (last["call"]["request_id"], last["call"]["operation"]) == (request_id, "SendMessage")
    assert last["reason"] in str(caught.value)
    assert [(each["layer"], each["verdict"]) for each in last["layers"]] == [("identity", "silent")]
    assert last["near_misses"] == ["statement 1 of only allows `sqs:ReceiveMessage`, but not sqs:SendMessage"]
    assert last["remedies"][0]["statement"]["Resource"] == arn
    assert told(*place, "--request-id", request_id) == last
    good = server.client("sqs").get_queue_attributes(QueueUrl=queue)["ResponseMetadata"]["RequestId"]
    allowed = written(*place, "--request-id", good)
    assert (allowed.exit_code, allowed.stdout.splitlines()[0]) == (
        0,
        f"allowed  sqs:GetQueueAttributes on {arn}",
    )
    assert "AdministratorAccess" in allowed.stdout


def test_a_role_and_a_user_of_the_server_are_asked_with_all_they_have(server: Server) -> None:
    role = server.role(
        [document({"Action": "sqs:SendMessage"}), "arn:aws:iam::aws:policy/AmazonS3FullAccess"]
    )
    user = server.user(document({"Action": "sqs:ReceiveMessage"}))["user"]
    place = ("--data", str(server.data), "--resource", QUEUE)
    session = f"arn:aws:sts::{server.account}:assumed-role/{role.rpartition('/')[2]}/anybody"
    named = f"arn:aws:iam::{server.account}:user/{user}"
    cases = [
        (("--role", role.rpartition("/")[2]), "sqs:SendMessage", 0),
        (("--role", role), "sqs:ReceiveMessage", 1),
        (("--role", role), "s3:GetObject", 0),
        (("--principal", role), "sqs:SendMessage", 0),
        (("--principal", session), "sqs:SendMessage", 0),
        (("--principal", named), "sqs:SendMessage", 1),
        (("--principal", named), "sqs:ReceiveMessage", 0),
        (("--principal", f"{named}-nobody"), "sqs:ReceiveMessage", 2),
    ]
    for who, action, code in cases:
        assert explain(*who, "--action", action, *place).exit_code == code, (who, action)
    assert told("--principal", session, "--action", "sqs:SendMessage", *place)["principal"] == session


def test_what_is_attached_to_a_thing_of_the_server_is_asked_too(server: Server) -> None:
    role = server.role([document({"Action": "s3:*"})], trust="ec2.amazonaws.com")
    queue = server.client("sqs").create_queue(
        QueueName="explain-open",
        Attributes={"Policy": json.dumps(document({"Principal": {"AWS": role}}))},
    )["QueueUrl"]
    function = server.function("explain-f", "def handler(event, context): ...")
    server.client("lambda").add_permission(
        FunctionName="explain-f",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    arn = f"arn:aws:sqs:{server.region}:{server.account}:explain-open"
    to_assume = ("sts:AssumeRole", role)
    cases = [
        (("--role", role), ("sqs:SendMessage", arn), 0),
        (("--role", role), ("sqs:SendMessage", f"{arn}-not"), 1),
        (("--role", role), ("lambda:InvokeFunction", function), 1),
        (("--principal", "events.amazonaws.com"), ("lambda:InvokeFunction", function), 0),
        (("--principal", "sns.amazonaws.com"), ("lambda:InvokeFunction", function), 1),
        (("--principal", "ec2.amazonaws.com"), to_assume, 0),
        (("--principal", "sagemaker.amazonaws.com"), to_assume, 1),
        (("--principal", "ec2.amazonaws.com"), ("sts:AssumeRole", f"{role}-not"), 2),
    ]
    for who, (action, resource), code in cases:
        asked = ("--action", action, "--resource", resource, "--data", str(server.data))
        assert explain(*who, *asked).exit_code == code, (who, action, resource)
    server.client("sqs").delete_queue(QueueUrl=queue)


@pytest.mark.parametrize(
    "action, message",
    [
        ("sqs:SendMesage", "there is no action `sqs:SendMesage`; did you mean `sqs:SendMessage`?"),
        ("SQS:sendmesage", "there is no action `SQS:sendmesage`; did you mean `SQS:SendMessage`?"),
        ("sagmaker:CreatePipeline", "there is no service with the prefix `sagmaker`"),
        ("lambda:Xyzzy", "there is no action `lambda:Xyzzy`"),
    ],
)
def test_an_action_that_does_not_exist_is_misuse_with_the_one_that_is_meant(
    action: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "role.json").write_text('{"Version": "2012-10-17", "Statement": []}')
    result = CliRunner().invoke(
        main, ["explain", "--policy", str(tmp_path / "role.json"), "--action", action]
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"passrole explain: {message}")


NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}


@pytest.mark.parametrize("action", ["sqs:sendmessage", "dynamodb:GetItem"])
def test_an_action_that_exists_or_may_is_decided(action: str, tmp_path: Path) -> None:
    (tmp_path / "role.json").write_text(json.dumps(NOTHING))
    result = CliRunner().invoke(
        main, ["explain", "--policy", str(tmp_path / "role.json"), "--action", action]
    )
    assert (result.exit_code, result.stderr) == (1, "")


TEMPLATE = """
Resources:
  Runner:
    Type: AWS::IAM::Role
    Properties:
      RoleName: runner
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: sagemaker.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: sends
          PolicyDocument:
            Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: "*"}
"""


def test_a_role_is_taken_from_a_template_as_check_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(TEMPLATE)
    for action, code in (("sqs:SendMessage", 0), ("sqs:ReceiveMessage", 1)):
        asked = explain("--policy", f"{file}:Runner", "--action", action, "--resource", QUEUE)
        assert asked.exit_code == code, asked.output
    assert "CloudFormation template" in asked.stderr


def test_a_trust_policy_is_taken_from_the_answer_of_get_role(tmp_path: Path, write: Write) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    role = write("role.json", {"Role": {"RoleName": "x", "Arn": ROLE, "AssumeRolePolicyDocument": trust}})
    own = write("own.json", document({"Effect": "Allow", "Action": "sts:*", "Resource": "*"}))
    asked = ("--policy", own, "--resource-policy", role, "--action", "sts:AssumeRole", "--resource", ROLE)
    found = explain(*asked)
    assert found.exit_code == 0, found.output
